"""The power goes while thirty files are taken in; whatever was not synced is forgotten."""

import os
import random
from pathlib import Path

import pytest
from faults.forgetful import Forgetful
from faults.shim import Fault, run_under_shim

from whole.box import OURS, Household
from whole.family import pictures
from whole.soundness import findings

CUTS = 10  # each; 60 with --full-faults
FILES = 30


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("moves", [False, True], ids=["keep", "move"])
def test_a_power_cut_at_any_moment_loses_nothing(moves: bool, tmp_path: Path, is_full: bool) -> None:
    """The owner's card forgets nothing: what is removed there is gone, so only a durable archive will do."""
    lots = random.Random(4)
    with Forgetful() as disk:
        for number in range(60 if is_full else CUTS):
            place = disk.path / str(number)
            box = Household(tmp_path / str(number), home=place / "home", archive=place / "archive", moves=moves)
            box.found(pictures(FILES, seed=number))
            box.table.write_text("{}")
            _sync(box.home / "mediabox.toml", box.home, place, disk.path)

            cut = run_under_shim(box.command(real=False), place, lots.randrange(1, 900), Fault.KILL, env=OURS)
            disk.cut_power(luck=lots.choice((0.0, 0.5, 0.9)), seed=number)

            assert cut.was_killed or cut.returncode == 0, cut.stderr
            found = findings(box.home, box.sources, moved=moves, is_over=False)
            # A name that outlived the cut by luck may have lost its mode until the box has adopted it.
            found = [each for each in found if "may be written to" not in each]
            assert not found, f"cut {number} after {cut.trace[-1:]}: {found}"
            box.finish()
            box.assert_sound()


def _sync(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
