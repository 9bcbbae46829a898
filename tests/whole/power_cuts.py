"""The power goes while files are taken in; whatever was not synced is forgotten. Then the box runs again."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from faults.forgetful import Forgetful
from faults.shim import Fault, run_under_shim

from whole.box import OURS, Household
from whole.family import pictures
from whole.soundness import findings

FILES, CHANGES = 30, 900


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """One power cut: what was wrong right after it and after the next run, and how long that run took in seconds."""

    at: str
    complaints: tuple[str, ...]
    recovery_s: float


def cuts(
    count: int, folder: Path, *, moves: bool, files: int = FILES, changes: int = CHANGES, seed: int = 4
) -> Iterator[Cut]:
    """Cut the power `count` times, each at a change to the disk drawn by `seed`, each in a home of its own.

    `changes`: about how many the undisturbed run makes to take in so many `files`.

    The owner's card forgets nothing: what is removed there is gone, so only a durable archive will do.
    """
    lots = random.Random(seed)
    with Forgetful() as disk:
        for number in range(count):
            place = disk.path / str(number)
            box = Household(folder / str(number), home=place / "home", archive=place / "archive", moves=moves)
            box.found(pictures(files, seed=number))
            box.table.write_text("{}")
            _sync(box.home / "mediabox.toml", box.home, place, disk.path)

            cut = run_under_shim(box.command(real=False), place, lots.randrange(1, changes), Fault.KILL, env=OURS)
            disk.cut_power(luck=lots.choice((0.0, 0.5, 0.9)), seed=number)

            found = [] if cut.was_killed or cut.returncode == 0 else [f"ended with {cut.returncode}: {cut.stderr}"]
            yield _recovered(box, f"cut {number} after {cut.trace[-1:]}", found)


def _recovered(box: Household, at: str, found: list[str]) -> Cut:
    found += findings(box.home, box.sources, moved=box.moves, is_over=False)
    # A name that outlived the cut by luck may have lost its mode until the box has adopted it.
    found = [each for each in found if "may be written to" not in each]
    began = time.monotonic()
    box.finish()
    took_s = time.monotonic() - began
    found += findings(box.home, box.sources, moved=box.moves)
    return Cut(at=at, complaints=tuple(found), recovery_s=took_s)


def _sync(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
