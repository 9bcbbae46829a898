"""A file that comes alone: death and power cuts while its fetch, and what was found in it, share a commit."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from whole.box import Household
from whole.examiner import read_table
from whole.family import FAMILY
from whole.plain_box import killed_at, retry, run_to_the_end
from whole.power_cuts import cuts
from whole.test_failpoints import FILING

LONE = {"2023/tower.jpg": FAMILY["2023/tower.jpg"]}
ONLY_WHERE_FILES_MOVE = {"remove.proved", "remove.removed"}
CUTS = 6  # 100 with --full-faults


def states(box: Household) -> set[str]:
    if not (box.home / "mediabox.db").exists():
        return set()
    with closing(sqlite3.connect(box.home / "mediabox.db")) as catalogue:
        return {row[0] for row in catalogue.execute("SELECT state FROM resource")}


@pytest.mark.parametrize("point", sorted(FILING - ONLY_WHERE_FILES_MOVE))
def test_it_survives_death_at(point: str, box: Household) -> None:
    box.found(LONE)
    table = read_table(box.table)

    assert killed_at(point, box.home, table)

    retry(box.home)
    run_to_the_end(box.home, table)
    box.assert_sound()


def test_it_survives_death_before_and_after_every_commit_and_is_never_found_fetched_and_no_more(
    tmp_path: Path, facts: Path
) -> None:
    table, met = read_table(facts), set()
    for point in ("journal.before_commit", "journal.committed"):
        hit, was_killed = 1, True
        while was_killed:
            box = Household(tmp_path / f"{point}-{hit}")
            box.found(LONE)
            was_killed = killed_at(point, box.home, table, hit=hit)
            met |= states(box)
            run_to_the_end(box.home, table)
            box.assert_sound()
            hit += 1
        assert hit > 4, "commits: taken in, examined, archived, described"

    assert met == {"seen", "filing", "archived"}


@pytest.mark.timeout(600)
def test_a_power_cut_at_any_moment_loses_it_not(tmp_path: Path, is_full: bool) -> None:
    for cut in cuts(100 if is_full else CUTS, tmp_path, moves=False, files=1, changes=540, seed=19):
        assert not cut.complaints, f"{cut.at}: {cut.complaints}"
