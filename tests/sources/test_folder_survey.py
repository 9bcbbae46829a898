"""Every name in a tree is either listed or left out with a reason; little of it is kept in memory."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediabox.contracts import Surveying
from mediabox.model.layouts import Reason
from mediabox.model.survey import SHOWN, Survey
from mediabox.sources.folder import Folder
from mediabox.sources.folder.walk import WalkFindings
from sources.any_tree import PATHS, lay_out, names_below
from sources.folders import FakeClock, folder, touch


async def surveyed(source: Folder) -> Survey:
    listed = [one async for page in source.pages(None) for one in (*page.assets, *page.undecided)]
    survey = source.survey()
    assert survey is not None
    assert survey.listed == len(listed)
    return survey


@settings(max_examples=60, deadline=None)
@given(paths=st.lists(PATHS, max_size=14))
async def test_what_is_listed_and_left_out_is_every_name_of_any_tree(
    tmp_path_factory: pytest.TempPathFactory, paths: list[tuple[list[str], str, str]]
) -> None:
    tree = tmp_path_factory.mktemp("tree")
    lay_out(tree, paths)

    assert (await surveyed(folder(tree))).names == names_below(tree)


async def test_a_file_somebody_still_writes_is_counted_until_it_rests(tmp_path: Path) -> None:
    touch(tmp_path / "1.jpg")
    clock = FakeClock(wall_s=os.stat(tmp_path / "1.jpg").st_mtime)
    source = folder(tmp_path, clock=clock, settle_s=5.0)

    assert [one.reason for one in (await surveyed(source)).left_out] == [Reason.CHANGING]

    clock.advance(10)
    assert (await surveyed(source)).left_out == ()


async def test_snapshots_and_the_archive_count_as_folders_and_are_not_entered(tmp_path: Path) -> None:
    for path in ("1.jpg", ".snapshots/1/1.jpg", "archive/2024/1.jpg"):
        touch(tmp_path / path)

    survey = await surveyed(folder(tmp_path, excluded=(tmp_path / "archive",)))

    assert {one.reason: one.count for one in survey.left_out} == {Reason.SNAPSHOT: 1, Reason.ARCHIVE: 1}
    assert survey.names == 1


async def test_a_download_under_its_final_name_waits_for_its_control_file(tmp_path: Path) -> None:
    touch(tmp_path / "1.jpg")
    touch(tmp_path / "1.jpg.aria2")
    touch(tmp_path / "2.jpg")
    source = folder(tmp_path)

    assert (await surveyed(source)).listed == 1
    (tmp_path / "1.jpg.aria2").unlink()
    assert (await surveyed(source)).listed == 2


async def test_a_listing_that_missed_a_disk_accounts_for_nothing(tmp_path: Path) -> None:
    there, away = tmp_path / "there", tmp_path / "away"
    touch(there / ".1.jpg")
    source = folder(there, away)

    [page async for page in source.pages(None)]

    assert isinstance(source, Surveying)
    assert source.survey() is None


def test_of_a_million_names_a_handful_is_kept() -> None:
    findings = WalkFindings()
    for number in range(100_000):
        findings.leave(Reason.HIDDEN, f"a/.{number}.jpg")

    (hidden,) = findings.survey().left_out
    assert (hidden.count, len(hidden.names)) == (100_000, SHOWN)
