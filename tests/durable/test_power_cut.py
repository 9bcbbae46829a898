"""What the code called durable is there after the power was cut, at every named point and between any two changes."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from faults.every_point import ROOT
from faults.forgetful import Forgetful
from faults.shim import Fault, run_under_shim
from patience import PATIENCE_S

from durable.gathering import description, final, gather, photo
from mediabox.durable.spool import SpoolFolder
from mediabox.durable.volume import MARKER, Identity, Volume

COUNT = 5
PYTHONPATH = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
POINTS = (
    "fetch.poured",
    "fetch.synced",
    "file.linked",
    "file.directory_synced",
    "sidecar.written",
    "sidecar.renamed",
)


def argv(root: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "durable.gathering", str(root), str(COUNT), *more]


def gather_until(point: str, root: Path, *more: str) -> list[str]:
    """Run until the failpoint kills it; what it had said."""
    environment = os.environ | {"PYTHONPATH": PYTHONPATH, "MEDIABOX_FAILPOINT": point}
    done = subprocess.run(
        argv(root, *more), env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.stdout.splitlines()


def broken_promises(root: Path, said: list[str]) -> list[str]:
    """What was said and is not so, and whatever is never allowed."""
    found = []
    for line in said:
        word, _, value = line.partition(" ")
        match word:
            case "enrolled" if msgspec.json.decode((root / MARKER).read_bytes(), type=Identity).uuid != value:
                found.append("the marker changed")
            case "archived" if not (root / final(int(value))).exists():
                found.append(f"{line}: gone")
            case "archived" if (root / final(int(value))).stat().st_mode & 0o222:
                found.append(f"{line}: writable")
            case "described" if not (root / f"{final(int(value))}.xmp").exists():
                found.append(f"{line}: gone")
    for number in range(COUNT):
        original, sidecar = root / final(number), root / f"{final(number)}.xmp"
        if original.exists() and original.read_bytes() != photo(number):
            found.append(f"{number}: partial under its final name")
        if sidecar.exists() and sidecar.read_bytes() != description(number):
            found.append(f"{number}: partial sidecar")
    return found


def assert_all_there_and_nothing_else(root: Path) -> None:
    sidecars = {f"{final(number)}.xmp" for number in range(COUNT)}
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert files == {MARKER, *map(final, range(COUNT)), *sidecars}
    assert not broken_promises(root, [f"archived {number}" for number in range(COUNT)])


@pytest.mark.parametrize("luck", [0.0, 0.5])
@pytest.mark.parametrize("hit", [1, 4])
@pytest.mark.parametrize("point", POINTS)
def test_what_was_said_survives_a_cut_at_every_named_point(point: str, hit: int, luck: float) -> None:
    with Forgetful() as disk:
        said = gather_until(f"{point}:{hit}", disk.path)
        assert 0 < len(said) < 2 * COUNT + 1  # it was cut short
        disk.cut_power(luck=luck, seed=hit)

        assert not broken_promises(disk.path, said)
        gather(disk.path, COUNT)
        assert_all_there_and_nothing_else(disk.path)
        disk.cut_power()
        with Volume.enroll(disk.path, now_ms=1) as volume:
            SpoolFolder(volume).sweep(set())  # a discarded temp may come back, to be swept at the start
        assert_all_there_and_nothing_else(disk.path)


def test_the_day_of_enrolment_survives_a_cut() -> None:
    with Forgetful() as disk:
        gather_until("volume.enrolled", disk.path)
        before = (disk.path / MARKER).read_bytes()
        disk.cut_power()

        assert (disk.path / MARKER).read_bytes() == before


def test_what_was_said_survives_a_cut_between_any_two_changes() -> None:
    lots = random.Random(20240512)
    with Forgetful() as whole:
        points = run_under_shim(argv(whole.path), whole.path, env={"PYTHONPATH": PYTHONPATH}).points
    assert points > 15 * COUNT

    for at in sorted(lots.sample(range(1, points + 1), 12)):
        with Forgetful() as disk:
            fault = lots.choice((Fault.KILL, Fault.TORN))
            run = run_under_shim(argv(disk.path), disk.path, at=at, fault=fault, env={"PYTHONPATH": PYTHONPATH})
            assert run.was_killed, run.stderr
            disk.cut_power(luck=lots.choice((0.0, 0.3, 0.7)), seed=at)

            assert not broken_promises(disk.path, run.stdout.splitlines()), (at, fault, run.trace[-3:])
            gather(disk.path, COUNT)
            assert_all_there_and_nothing_else(disk.path)


@pytest.mark.parametrize(("safeguard", "point"), [("sync", "sidecar.written:1"), ("parents", "fetch.poured:4")])
def test_the_cut_is_sharp_enough_to_miss_a_safeguard(safeguard: str, point: str) -> None:
    with Forgetful() as disk:
        said = gather_until(point, disk.path, safeguard)
        disk.cut_power()

        assert [promise for promise in broken_promises(disk.path, said) if promise.startswith("archived")]
