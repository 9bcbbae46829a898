"""Photos go through a phone's small window to Google Photos while box, phone and both Syncthings are killed."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from whole.box import Household
from whole.delivering import Road, until
from whole.family import pictures
from whole.soundness import findings

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS = 3  # so many times the window is in the archive


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `lost`, `doubled`: photos that reached Google Photos never, or more than once."""

    photos: int
    kills: int
    lost: int
    doubled: int
    took_s: float
    complaints: tuple[str, ...]


async def pass_window(root: Path, *, photos: int, size_bytes: int, kills: int, seed: int = 1) -> Passage:
    """Bring `photos` of `size_bytes` through a third of their size, killing something `kills` times."""
    box = Household(root)
    box.found(pictures(photos, size_bytes=size_bytes))
    began = time.monotonic()
    async with Road(box, root, window_bytes=photos * size_bytes // WINDOWS, seed=seed) as road:
        for _ in range(kills):
            for _ in range(road.lots.randrange(4)):
                await road.live()
            await road.kill_something()
        wanted = road.wanted()
        await until(lambda: road.states()["freed"] == len(wanted), road.live, stretches=100 * photos)
        took_s = time.monotonic() - began
        complaints = _complaints(road, road.stop_daemon(), len(wanted), await road.phone.files())
        await asyncio.to_thread(box.finish, real=True)
        complaints += await asyncio.to_thread(findings, box.home, box.sources)
        arrived = road.arrived()
        return Passage(
            photos=photos,
            kills=road.kills.total(),
            lost=len(wanted - arrived),
            doubled=len(arrived - wanted),
            took_s=took_s,
            complaints=tuple(complaints),
        )


def _complaints(road: Road, log: str, wanted: int, left_on_phone: object) -> list[str]:
    complaints = []
    if road.states() != {"freed": wanted}:
        complaints.append(f"not all have left the phone: {road.states()} {road.doubts()}\n{log}")
    if "Traceback" in log:
        complaints.append(f"a traceback in the log:\n{log}")
    if left_on_phone:
        complaints.append(f"still on the phone: {left_on_phone}")
    return complaints
