"""Each change a photo's way makes to the disk, broken in each way."""

from pathlib import Path

from faults.every_point import every_point
from faults.shim import Fault

FAULTS = (Fault.KILL, Fault.TORN, Fault.ENOSPC, Fault.EIO)


def test_filing_survives_every_fault_at_every_point(tmp_path: Path) -> None:
    findings = every_point("durable.filing:Filing", tmp_path, faults=FAULTS)

    assert not findings.complaints
    assert findings.points >= 18  # create, 3 writes, sync; link, 2 folder syncs; sidecar's 5; discard
    assert findings.killed == 2 * findings.points


def test_enrolling_survives_every_fault_at_every_point(tmp_path: Path) -> None:
    findings = every_point("durable.filing:Enrolling", tmp_path, faults=FAULTS)

    assert not findings.complaints
    assert findings.points >= 8


def test_the_enumeration_sees_a_program_that_writes_under_the_final_name(tmp_path: Path) -> None:
    findings = every_point("durable.filing:CarelessFiling", tmp_path, faults=(Fault.TORN,))

    assert any("partial" in complaint for complaint in findings.complaints)
