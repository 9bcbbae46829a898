"""The whole box with each of its changes to the disk broken in each way, then run again."""

import random
from pathlib import Path

import pytest
from faults.every_point import every_point
from faults.shim import Fault, run_under_shim

from whole.box import OURS, Household
from whole.family import FAMILY

FAULTS = (Fault.KILL, Fault.TORN, Fault.ENOSPC, Fault.EIO)
SAMPLE = 60  # of about 2,100 cases each; all of them with --full-faults
FULL_DISKS = 6
REAL_CHILDREN = 4


@pytest.mark.timeout(10_000)
@pytest.mark.usefixtures("facts_for_forks")
@pytest.mark.parametrize("scenario", ["TakingIn", "Moving"])
def test_whatever_call_fails_nothing_is_lost(scenario: str, ground: Path, is_full: bool) -> None:
    found = every_point(
        f"whole.breaking:{scenario}", ground, faults=FAULTS, sample=0 if is_full else SAMPLE, seed=1, timeout_s=9_000
    )

    assert not found.complaints, "\n".join(found.complaints)
    assert found.points > 400
    assert found.killed > found.cases / 3


def test_a_disk_that_stays_full_loses_nothing_and_says_so(ground: Path, facts: Path) -> None:
    lots = random.Random(2)
    said = []
    for number in range(FULL_DISKS):
        box, at = _household(ground / str(number), facts), lots.randrange(3, 420)

        full = run_under_shim(box.command(real=False), ground / str(number), at, Fault.ENOSPC, is_sticky=True, env=OURS)

        assert full.returncode in {0, 3}, full.stderr
        assert "Traceback" not in full.stderr
        said += [full.stderr] if full.returncode else []
        box.finish()
        box.assert_sound()
    assert said
    assert all("No space left" in each or "full" in each for each in said)


def test_the_real_children_make_no_difference(ground: Path, facts: Path) -> None:
    lots = random.Random(3)
    for number in range(REAL_CHILDREN):
        box = _household(ground / str(number), facts)

        broken = run_under_shim(box.command(), ground / str(number), lots.randrange(100, 450), Fault.TORN, env=OURS)

        assert broken.was_killed
        box.finish(real=True)
        box.assert_sound()


def _household(root: Path, facts: Path) -> Household:
    box = Household(root)
    box.found(FAMILY)
    box.table.write_bytes(facts.read_bytes())
    return box
