"""The whole box in one process, a table in the place of its children: `python -m whole.plain_box HOME TABLE`."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from patience import PATIENCE_S

from mediabox import failpoints
from mediabox.cli.execute import execute
from mediabox.clock import Clock
from mediabox.core import pipeline
from mediabox.core.commands.control import Retry
from mediabox.core.home import locked
from mediabox.errors import Fatal, MediaboxError
from mediabox.shell import Shell
from whole.examiner import Table, TableExaminer, read_table

HASTE_S = 0.002  # results gather for less time than in life: hundreds of runs wait for it


class WrongClock(Clock):
    """Off by so much, as on a board without a battery behind its clock."""

    def __init__(self, offset_ms: int) -> None:
        super().__init__()
        self._offset_ms = offset_ms

    def wall_ms(self) -> int:
        return super().wall_ms() + self._offset_ms


def run_to_the_end(home: Path, table: Table, *, clock: Clock | None = None) -> None:
    """One `mediabox run --once`. Raises what that raises."""
    pipeline.GATHER_S = HASTE_S
    with locked(home):
        asyncio.run(Shell(home, clock=clock, workers=lambda _: TableExaminer(table)).run(once=True))


def retry(home: Path) -> None:
    """`mediabox retry`, if there is a catalogue yet."""
    try:
        execute(home, Retry())
    except Fatal:
        return


def killed_at(point: str, home: Path, table: Table, *, hit: int = 1, clock: Clock | None = None) -> bool:
    """Run in a fork that kills itself at a failpoint; whether it came to it."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_S)
        failpoints._ARMED, failpoints._left = point, hit
        try:
            run_to_the_end(home, table, clock=clock)
        finally:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, -signal.SIGKILL}, f"the run ended with {status}"
    return status != 0


def killed_after(seconds: float, home: Path, table: Table) -> bool:
    """Run in a fork that is killed after so long; whether it was still at work."""
    child = os.fork()
    if child == 0:
        try:
            run_to_the_end(home, table)
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def main() -> int:
    try:
        run_to_the_end(Path(sys.argv[1]), read_table(Path(sys.argv[2])))
    except MediaboxError as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
