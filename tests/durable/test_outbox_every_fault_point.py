"""Each change a delivery makes to the disk, broken in each way."""

from pathlib import Path

import pytest
from faults.every_point import every_point
from faults.shim import Fault

OTHER_FAULTS = (Fault.TORN, Fault.ENOSPC, Fault.EIO)


def test_delivering_survives_death_at_every_point(tmp_path: Path) -> None:
    findings = every_point("durable.delivering:Delivering", tmp_path, faults=(Fault.KILL,))

    assert not findings.complaints
    assert findings.points >= 20  # 2 folders; for each file: create, writes, sync, link, folder's sync, discard
    assert findings.killed == findings.points


@pytest.mark.parametrize("seed", [1, 2])
def test_delivering_survives_torn_writes_and_disks_that_refuse(tmp_path: Path, seed: int) -> None:
    findings = every_point("durable.delivering:Delivering", tmp_path, faults=OTHER_FAULTS, sample=18, seed=seed)

    assert not findings.complaints
    assert findings.killed + findings.refused == findings.cases  # never passed over


def test_the_enumeration_sees_a_box_that_writes_where_the_peer_looks(tmp_path: Path) -> None:
    findings = every_point("durable.delivering:CarelessDelivering", tmp_path, faults=(Fault.TORN,))

    assert any("not whole" in complaint for complaint in findings.complaints)
