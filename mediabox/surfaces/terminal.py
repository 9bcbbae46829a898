"""A few lines of live progress, for whoever started the box by hand: what is archived, and how far each road is."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, TextIO

from mediabox.errors import Away
from mediabox.message import Text, message
from mediabox.messages.reader import in_words, tr, tr_plural

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from mediabox.contracts import SurfaceTools
    from mediabox.model.issue import Issue
    from mediabox.model.status import Accounting, Road

EVERY_S = 0.5
ROADS_EVERY_S = 2.0
LONGEST_BAR, SHORTEST_BAR = 30, 8  # characters
TO_LINE_START = "\r\x1b[K"  # and clear it (ECMA-48, EL)
UP = "\x1b[{}A"  # so many lines (ECMA-48, CUU)


class Progress:
    """Redraws its lines twice a second; leaves them in place at the end. New `issues` are said above them, once."""

    def __init__(
        self,
        out: TextIO,
        *,
        count: Callable[[], Awaitable[Accounting]],
        waiting_for: Callable[[], Text | None],
        at_rest: str | None = None,
        issues: Callable[[], Awaitable[Sequence[Issue]]] | None = None,
        roads: Callable[[], Awaitable[Sequence[Road]]] | None = None,
    ) -> None:
        self._roads = roads
        self._seen: Sequence[Road] = ()
        self._looked_s = -inf
        self._below = 0  # lines under the first one
        self._out, self._count, self._waiting_for = out, count, waiting_for
        self._at_rest, self._issues = at_rest, issues
        self._started_s = time.monotonic()
        self._at_start: int | None = None
        self._said: set[tuple[str, str]] = set()

    async def run(self, _: SurfaceTools) -> None:
        """As a surface; it needs nothing but what it was made with."""
        try:
            while True:
                await self._show()
                await asyncio.sleep(EVERY_S)
        finally:
            self._looked_s = -inf  # what stays on the screen is how it ended
            with suppress(Away):
                await self._draw()
            self._out.write("\n" * (self._below + 1))

    async def _show(self) -> None:
        try:
            await self._say_issues()
            await self._draw()
        except Away:  # the catalogue is not open
            self._write([in_words(self._waiting_for() or message("starting"))])

    async def _draw(self) -> None:
        accounting = await self._count()
        if self._at_start is None:
            self._at_start = _ended(accounting)
        elapsed_s = time.monotonic() - self._started_s
        rate = (_ended(accounting) - self._at_start) / elapsed_s * 60 if elapsed_s > 1 else 0.0
        waiting_for = self._waiting_for() or (self._at_rest if accounting.taken_in and not accounting.pending else None)
        columns = shutil.get_terminal_size().columns - 1
        waits = in_words(waiting_for) if waiting_for else None
        first = line(accounting, rate_per_min=rate, waiting_for=waits, columns=columns)
        await self._look_at_roads()
        self._write([first, *(road_line(one)[:columns] for one in self._seen)])

    async def _look_at_roads(self) -> None:
        """Not at each drawing: with 100,000 deliveries they take a quarter of a second to count."""
        if self._roads is not None and time.monotonic() - self._looked_s >= ROADS_EVERY_S:
            self._seen, self._looked_s = await self._roads(), time.monotonic()

    def _write(self, lines: Sequence[str]) -> None:
        """Over the lines of before; the cursor stays on the first."""
        self._below = max(self._below, len(lines) - 1)
        padded = [*lines, *[""] * (self._below + 1 - len(lines))]
        back = UP.format(self._below) if self._below else ""
        self._out.write("\n".join(TO_LINE_START + one for one in padded) + back)
        self._out.flush()

    async def _say_issues(self) -> None:
        if self._issues is None:
            return
        issues = await self._issues()
        for issue in issues:
            if (issue.key, issue.subject) not in self._said:
                remedy = f"  What to do: {printable(in_words(issue.remedy))}\n" if issue.remedy else ""
                self._out.write(f"{TO_LINE_START}! {printable(in_words(issue.message))}\n{TO_LINE_START}{remedy}")
        self._said = {(issue.key, issue.subject) for issue in issues}


def line(accounting: Accounting, *, rate_per_min: float, waiting_for: str | None, columns: int) -> str:
    """`[#####.....] 120 of 240 files, 117 archived, 3 duplicates, 480/min`, or as much of it as fits."""
    ended, total = _ended(accounting), accounting.taken_in
    counts = (
        (accounting.archived, tr("{n:n} archived", n=accounting.archived)),
        (accounting.duplicate, tr_plural("{count:n} duplicate", "{count:n} duplicates", count=accounting.duplicate)),
        (accounting.quarantined, tr("{n:n} quarantined", n=accounting.quarantined)),
    )
    all_of_it = tr_plural("{ended:n} of {count:n} file", "{ended:n} of {count:n} files", count=total, ended=ended)
    parts = [all_of_it, waiting_for or tr("{rate:n}/min", rate=round(rate_per_min))]
    for count, words in counts:
        longer = [*parts[:-1], words, parts[-1]]
        if count and len(", ".join(longer)) + SHORTEST_BAR + 3 <= columns:
            parts = longer
    text = ", ".join(parts)
    width = min(LONGEST_BAR, columns - len(text) - 3)
    if width < SHORTEST_BAR:
        return text[:columns]
    filled = width * ended // total if total else 0
    return f"[{'#' * filled}{'.' * (width - filled)}] {text}"


def road_line(road: Road) -> str:
    return printable(tr("  to {destination}: {progress}", destination=road.destination, progress=road_words(road)))


def road_words(road: Road) -> str:
    """`4,100 waiting, 12 on the way, 1,310 left the phone: the phone is not connected`."""
    parts = (
        (road.queued, tr("{n:n} waiting", n=road.queued)),
        (road.on_the_way, tr("{n:n} on the way", n=road.on_the_way)),
        (road.stored, tr("{n:n} on the phone", n=road.stored)),
        (road.freed, tr("{n:n} left the phone", n=road.freed)),
        (road.safe, tr("{n:n} proved in Google Photos", n=road.safe)),
        (road.doubted, tr("{n:n} unverified", n=road.doubted)),
        (road.believed, tr("{n:n} confirmed by you", n=road.believed)),
        (road.refused, tr("{n:n} refused", n=road.refused)),
    )
    counts = ", ".join(words for count, words in parts if count) or tr("nothing yet")
    return tr("{counts}: {reason}", counts=counts, reason=road.waiting_for) if road.waiting_for else counts


def printable(text: str) -> str:
    """A file's name may hold escape sequences; a terminal gets none of them."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _ended(accounting: Accounting) -> int:
    return accounting.taken_in - accounting.pending
