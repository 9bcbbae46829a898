"""What sources count of their servers' calls goes into the store now and then, where `mediabox status` finds it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from mediabox.contracts import Counting
from mediabox.store import figures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.contracts import Source
    from mediabox.model.status import Calls
    from mediabox.store.database import Database

EVERY_S = 60.0  # one small row a minute at most, and none while nothing is asked


class Tally:
    """Never ends. Whoever stops the daemon writes once more."""

    def __init__(self, database: Database, sources: Iterable[Source]) -> None:
        self._database = database
        self._counting = [source for source in sources if isinstance(source, Counting)]
        self._written: tuple[Calls, ...] | None = None  # what an earlier run left is not known yet

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.write()

    async def write(self) -> None:
        """Keep the figures as they are now, unless they are what was kept last."""
        if self._written is None:
            self._written = await self._database.read(figures.calls)
        counted = tuple(calls for source in self._counting for calls in source.figures())
        if counted != self._written:
            await self._database.write(partial(figures.set_calls, counted=counted))
            self._written = counted
