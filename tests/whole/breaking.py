"""The whole box as scenarios for `faults.every_point`: broken at one change it makes to the disk, then run again."""

import os
import signal
from pathlib import Path

from patience import PATIENCE_S

from whole.box import Household
from whole.examiner import read_table
from whole.family import FAMILY
from whole.plain_box import retry, run_to_the_end
from whole.soundness import findings, originals_below

TABLE = "MEDIABOX_TEST_FACTS"  # environment: what the real workers said of the family


class TakingIn:
    """Sources are kept."""

    moves = False

    def __init__(self) -> None:
        self._table = read_table(Path(os.environ[TABLE]))

    def prepare(self, root: Path) -> None:
        self._box = Household(root, moves=self.moves)
        self._box.found(FAMILY)

    def act(self, root: Path) -> None:
        signal.alarm(PATIENCE_S)  # a run that never ends is a finding too
        retry(self._box.home)
        run_to_the_end(self._box.home, self._table)

    def examine_broken(self, root: Path) -> list[str]:
        return findings(self._box.home, self._box.sources, moved=self.moves, is_over=False)

    def examine_whole(self, root: Path) -> list[str]:
        left = [str(path) for path in originals_below(self._box.pictures)] if self.moves else []
        found = findings(self._box.home, self._box.sources, moved=self.moves)
        return found + [f"still at the source: {path}" for path in left]


class Moving(TakingIn):
    """Sources are removed once their bytes are proved in the archive."""

    moves = True
