"""One line of live progress, for whoever started the box by hand."""

from __future__ import annotations

import asyncio
import shutil
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mediabox.model.status import Accounting

EVERY_S = 0.5
WIDTH = 30  # characters of the bar


class Progress:
    """Redraws its line twice a second; leaves it in place at the end."""

    def __init__(
        self, out: TextIO, *, count: Callable[[], Awaitable[Accounting]], waiting_for: Callable[[], str | None]
    ) -> None:
        self._out, self._count, self._waiting_for = out, count, waiting_for
        self._started_s = time.monotonic()
        self._at_start: int | None = None

    async def run(self) -> None:
        try:
            while True:
                await self._draw()
                await asyncio.sleep(EVERY_S)
        finally:
            await self._draw()
            self._out.write("\n")

    async def _draw(self) -> None:
        accounting = await self._count()
        if self._at_start is None:
            self._at_start = _ended(accounting)
        elapsed_s = time.monotonic() - self._started_s
        rate = (_ended(accounting) - self._at_start) / elapsed_s * 60 if elapsed_s > 1 else 0.0
        text = line(accounting, rate_per_min=rate, waiting_for=self._waiting_for())
        columns = shutil.get_terminal_size().columns - 1
        self._out.write("\r" + text[:columns].ljust(columns))
        self._out.flush()


def line(accounting: Accounting, *, rate_per_min: float, waiting_for: str | None) -> str:
    """`[#####.....] 120 of 240, 3 duplicates, 0 quarantined, 480/min`."""
    ended, total = _ended(accounting), accounting.taken_in
    filled = WIDTH * ended // total if total else 0
    bar = "#" * filled + "." * (WIDTH - filled)
    end = waiting_for or f"{rate_per_min:,.0f}/min"
    return (
        f"[{bar}] {ended:,} of {total:,} files, {accounting.archived:,} archived, "
        f"{accounting.duplicate:,} duplicates, {accounting.quarantined:,} quarantined, {end}"
    )


def _ended(accounting: Accounting) -> int:
    return accounting.taken_in - accounting.pending
