"""Files that somebody may still be writing are left until they are at rest."""

import os
from pathlib import Path

import pytest

from sources.conformance import listed
from sources.folders import FakeClock, folder, touch


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "Pictures"
    path.mkdir()
    return path


def now(path: Path) -> FakeClock:
    """A clock that agrees with the file system's: a file made now has its ctime now, whatever mtime says."""
    return FakeClock(wall_s=os.stat(path).st_ctime_ns / 1e9 + 0.1)


async def test_a_fresh_file_waits_for_its_quiet_time(tree: Path) -> None:
    clock = now(touch(tree / "a.jpg"))
    source = folder(tree, clock=clock, settle_s=5.0)

    assert await listed(source) == []
    assert source.unsettled == 1
    clock.advance(5)
    assert len(await listed(source)) == 1
    assert source.unsettled == 0


async def test_an_old_date_does_not_make_a_fresh_copy_look_settled(tree: Path) -> None:
    clock = now(touch(tree / "a.jpg", mtime_s=1_000_000_000))
    source = folder(tree, clock=clock, settle_s=5.0)

    assert await listed(source) == []


async def test_a_file_that_grows_between_listings_is_left_as_long_as_it_grows(tree: Path) -> None:
    far = 4_000_000_000  # a camera with a wrong clock: in the future, so only seeing it unchanged can tell
    clock = now(touch(tree / "a.mov", b"1", mtime_s=far))
    source = folder(tree, clock=clock, settle_s=5.0)

    for size in range(2, 6):
        assert await listed(source) == []
        clock.advance(5)
        touch(tree / "a.mov", b"1" * size, mtime_s=far)
    assert await listed(source) == []
    clock.advance(5)

    assert [resource.size_bytes for resource in await listed(source)] == [5]


async def test_a_date_in_the_future_delays_a_file_once_and_not_for_ever(tree: Path) -> None:
    clock = now(touch(tree / "a.jpg", mtime_s=4_000_000_000))
    clock.advance(1000)
    source = folder(tree, clock=clock, settle_s=5.0)

    assert await listed(source) == []
    clock.advance(5)
    assert len(await listed(source)) == 1
    assert len(await listed(source)) == 1


async def test_a_box_whose_clock_was_never_set_takes_files_all_the_same(tree: Path) -> None:
    for number in range(10):
        touch(tree / f"{number}.jpg")
    clock = FakeClock(wall_s=0)
    source = folder(tree, clock=clock, settle_s=5.0)

    assert await listed(source) == []
    clock.advance(5)

    assert len(await listed(source)) == 10


async def test_a_clock_set_back_between_listings_loses_nothing(tree: Path) -> None:
    clock = now(touch(tree / "a.jpg"))
    source = folder(tree, clock=clock, settle_s=5.0)
    await listed(source)
    clock.advance(5)
    clock.wall_s -= 1_000_000

    assert len(await listed(source)) == 1


async def test_wait_returns_soon_while_files_settle_then_less_and_less_often(tree: Path) -> None:
    clock = now(touch(tree / "a.mov"))
    source = folder(tree, clock=clock, settle_s=5.0, poll_s=60.0)

    waits = []
    for _ in range(6):
        touch(tree / "a.mov", mtime_s=4_000_000_000 + clock.at_s)
        await listed(source)
        waits.append(source._schedule.due_in_s())
        clock.advance(5)

    assert waits == [5, 10, 20, 40, 60, 60]
