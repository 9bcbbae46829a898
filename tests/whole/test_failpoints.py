"""Death at every named instant, and proof that each is reached."""

from pathlib import Path

import pytest

from mediabox.failpoints import POINTS
from whole.box import Household
from whole.examiner import read_table
from whole.family import FAMILY
from whole.plain_box import killed_at, retry, run_to_the_end

NOT_ALWAYS_TWICE = {"volume.enrolled", "file.committed"}  # once in a box's life; once for each batch of filings
# `test_release_kills`, `test_delivery_kills` and `test_companions` die at these
ELSEWHERE = ("release.", "deliver.", "relocate.")
FILING = {point for point in POINTS if not point.startswith(ELSEWHERE)}


@pytest.mark.parametrize("hit", [1, 2])
@pytest.mark.parametrize("point", sorted(FILING))
def test_a_box_that_moves_survives_death_at(point: str, hit: int, box: Household) -> None:
    box.moves = True
    box.found(FAMILY)
    table = read_table(box.table)

    was_killed = killed_at(point, box.home, table, hit=hit)

    assert was_killed or (hit == 2 and point in NOT_ALWAYS_TWICE)
    retry(box.home)
    run_to_the_end(box.home, table)
    box.assert_sound()
    assert not [path for path in box.pictures.rglob("*") if path.is_file()]


def test_the_real_daemon_passes_every_point(box: Household, tmp_path: Path) -> None:
    """A point nobody passes guards nothing: take it out of POINTS, or find out why."""
    box.moves = True
    box.found(FAMILY)

    box.run(env={"MEDIABOX_FAILPOINT_LOG": str(tmp_path / "passed")})

    assert set((tmp_path / "passed").read_text().split()) == FILING


def test_the_real_daemon_dies_where_it_is_told_to_and_goes_on(box: Household) -> None:
    box.found(FAMILY)

    assert box.run(env={"MEDIABOX_FAILPOINT": "file.linked:2"}).returncode == -9

    box.finish(real=True)
    box.assert_sound()
