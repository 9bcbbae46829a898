"""One stage's waiting works: few in memory, all of them in the table."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.contracts import Work
    from mediabox.core.parts import Parts

DEPTH = 32  # works waiting in memory; the rest stays in the table
LOW = 8  # refill below this many


class Lane:
    """First in, first out. Holds nothing whose part rests, and nothing while the lane after it is full."""

    def __init__(self, step: str, parts: Parts, hunger: asyncio.Event) -> None:
        self.step, self.depth = step, DEPTH
        self.held: set[int] = set()  # ids of jobs waiting here or running
        self._parts, self._hunger = parts, hunger
        self._waiting: deque[Work] = deque()
        self._is_dry = False  # the table had nothing when last looked at: what comes is offered
        self._arrived = asyncio.Event()
        self._earlier: list[Lane] = []
        self._later: list[Lane] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def follow(self, earlier: Lane) -> None:
        """This lane lives from `earlier`: that one pauses while this one is full."""
        self._earlier.append(earlier)
        earlier._later.append(self)

    async def take(self) -> Work:
        """The next work whose parts are there."""
        while True:
            if (work := self._pop()) is not None:
                return work
            self._arrived.clear()
            await self._arrived.wait()

    def offer(self, work: Work) -> None:
        """A work that may run now. A look at the table may have been first; with a full lane it stays there."""
        if work.job.id in self.held:
            return
        if len(self._waiting) < 2 * self.depth:
            self._add(work)
        else:
            self._is_dry = False

    def fill(self, works: Iterable[Work]) -> int:
        """What a look at the table found; how many are new."""
        found = [work for work in works if work.job.id not in self.held and self._parts.resting(work) is None]
        for work in found:
            self._add(work)
        self._is_dry = not found
        return len(found)

    def is_low(self) -> bool:
        return len(self._waiting) < LOW

    def release(self, work: Work) -> None:
        """The work's result is committed."""
        self.held.discard(work.job.id)

    def nudge(self) -> None:
        """The lane after this one has room again."""
        self._arrived.set()

    def _add(self, work: Work) -> None:
        self.held.add(work.job.id)
        self._waiting.append(work)
        self._arrived.set()

    def _pop(self) -> Work | None:
        while self._waiting and not self._is_blocked():
            work = self._waiting.popleft()
            self._tell()
            if self._parts.resting(work) is None:
                return work
            self.held.discard(work.job.id)  # back to the table, until its part is there
            self._is_dry = False
        return None

    def _is_blocked(self) -> bool:
        return any(len(later) >= later.depth for later in self._later)

    def _tell(self) -> None:
        if self.is_low() and not self._is_dry:
            self._hunger.set()
        for earlier in self._earlier:
            earlier.nudge()
