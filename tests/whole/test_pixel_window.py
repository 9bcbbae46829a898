"""Through a phone's small window to Google Photos, while everything is killed: nothing lost, nothing sent twice."""

import asyncio
from pathlib import Path

import pytest

from mediabox.simulate.pixel.syncthing_process import is_installed
from whole.box import Household
from whole.delivering import Road, until
from whole.family import pictures

pytestmark = pytest.mark.skipif(not is_installed(), reason="syncthing is not installed")

PHOTOS, PHOTO_BYTES, KILLS = 30, 200_000, 4
PHOTOS_FULL, PHOTO_BYTES_FULL, KILLS_FULL = 2_000, 1_500_000, 60  # 3 GB through 1 GB
WINDOWS = 3  # so many times the window is in the archive


@pytest.mark.timeout(3600)
async def test_everything_goes_through_a_small_window_once_whatever_is_killed(tmp_path: Path, is_full: bool) -> None:
    photos, size_bytes, kills = (PHOTOS_FULL, PHOTO_BYTES_FULL, KILLS_FULL) if is_full else (PHOTOS, PHOTO_BYTES, KILLS)
    box = Household(tmp_path)
    box.found(pictures(photos, size_bytes=size_bytes))
    async with Road(box, tmp_path, window_bytes=photos * size_bytes // WINDOWS, seed=1) as road:
        for _ in range(kills):
            for _ in range(road.lots.randrange(4)):
                await road.live()
            await road.kill_something()

        wanted = road.wanted()
        is_done = await until(lambda: road.states()["freed"] == len(wanted), road.live, stretches=20 * photos)
        said = road.stop_daemon()

        assert is_done, f"{road.states()} {road.doubts()}\n{said}"
        assert road.states() == {"freed": len(wanted)}
        assert road.arrived() == wanted, "lost, or sent twice"
        assert road.kills.total() == kills
        assert "Traceback" not in said
        assert not await road.phone.files()
        await asyncio.to_thread(box.finish, real=True)
        await asyncio.to_thread(box.assert_sound)
