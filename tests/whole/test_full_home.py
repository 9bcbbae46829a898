"""The disk of the home folder fills up: nothing more is taken in, the box stays up, and goes on by itself."""

import asyncio
import os
from pathlib import Path

import pytest
from faults.mounts import tmpfs
from patience import PATIENCE_S

from mediabox.cli import exits
from mediabox.core import governor
from mediabox.core.governor import HOME_RESERVE_BYTES
from mediabox.shell import Shell
from mediabox.store import assets, database, volumes
from mediabox.store.database import Database
from whole.box import Household
from whole.examiner import TableExaminer

MB = 1_000_000
JPEG = b"\xff\xd8\xff\xe0 a"


@pytest.fixture
def box(tmp_path: Path):
    with tmpfs(tmp_path / "small", size_bytes=HOME_RESERVE_BYTES + 20 * MB) as disk:
        household = Household(tmp_path, home=disk / "home")
        household.found({"a.jpg": JPEG})
        yield household


def fill(box: Household, *, leave_bytes: int) -> Path:
    room = os.statvfs(box.home)
    ballast = box.home.parent / "ballast"
    with ballast.open("wb") as file:
        file.write(b"." * (room.f_bavail * room.f_frsize - leave_bytes))
    return ballast


async def eventually(is_true) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():  # noqa: ASYNC110 - another process and other threads do it
            await asyncio.sleep(0.01)


async def test_nothing_is_taken_in_before_the_reserve_and_the_box_goes_on_by_itself(
    box: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(governor, "READ_EVERY_S", 0.05)
    ballast = fill(box, leave_bytes=HOME_RESERVE_BYTES // 2)
    running = Shell(box.home, workers=lambda _: TableExaminer({}))
    task = asyncio.create_task(running.run(once=False))

    await eventually(lambda: "MB free on the disk of the home folder" in str(running.governor.waiting_for))
    assert await asyncio.to_thread(lambda: box.status()["accounting"]["taken_in"]) == 0
    assert "home.full" in [issue["key"] for issue in await asyncio.to_thread(lambda: box.status()["issues"])]
    ballast.unlink()

    await eventually(lambda: list(box.archive.rglob("a.jpg")))
    assert running.governor.waiting_for is None
    running.stop()
    await task


def test_one_run_ends_and_says_what_is_needed(box: Household) -> None:
    ballast = fill(box, leave_bytes=HOME_RESERVE_BYTES // 2)

    done = box.run()

    assert done.returncode == exits.NEEDS_PERSON
    assert "free on the disk of the home folder" in done.stderr
    assert "Free up space on that disk" in done.stderr
    assert "Traceback" not in done.stderr
    ballast.unlink()
    assert box.run().returncode == exits.OK


async def test_what_was_under_way_when_the_disk_filled_up_is_written_when_there_is_room(
    box: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOOK_FOR_ROOM_S", 0.02)
    async with Database(box.home / "mediabox.db") as catalogue:
        catalogue.waits_for_room = True
        ballast = fill(box, leave_bytes=0)

        write = asyncio.create_task(
            catalogue.write(lambda connection: volumes.set_switch(connection, "note", "x" * 3 * MB))
        )
        await asyncio.sleep(0.1)
        assert not write.done()
        ballast.unlink()
        await write

        assert await catalogue.read(lambda connection: len(volumes.switch(connection, "note") or "")) == 3 * MB


async def test_a_home_without_room_to_open_the_catalogue_is_waited_for(
    box: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediabox.shell.LOOK_FOR_ROOM_S", 0.02)
    ballast = fill(box, leave_bytes=100_000)
    running = Shell(box.home, workers=lambda _: TableExaminer({}))
    task = asyncio.create_task(running.run(once=False))

    await asyncio.sleep(0.1)
    assert not task.done()
    ballast.unlink()

    await eventually(lambda: list(box.archive.rglob("a.jpg")))
    running.stop()
    await task
    async with Database(box.home / "mediabox.db") as catalogue:
        assert await catalogue.read(lambda connection: assets.resource(connection, 1) is not None)
