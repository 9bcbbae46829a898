"""Write down the clocks while the box runs: what waits for time to pass counts it by these rows (`core.timeline`)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from mediabox.core import timeline
from mediabox.errors import Fatal

if TYPE_CHECKING:
    from mediabox.clock import Clock
    from mediabox.core.issues import IssueBook
    from mediabox.store.database import Database

EVERY_S = 3600.0


class Timekeeping:
    """A row at the start, each hour and at the end."""

    def __init__(self, database: Database, issues: IssueBook, clock: Clock) -> None:
        self._database, self._issues, self._clock = database, issues, clock

    async def begin(self) -> None:
        await self._beat()
        self._clock.witness(await self._database.read(timeline.passed_ms))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self._beat()

    async def end(self) -> None:
        """A full disk must not keep anybody from stopping: then the time since the last hour is not counted."""
        with suppress(Fatal):
            await self._beat()

    async def _beat(self) -> None:
        doubt = (await self._database.write(lambda connection: timeline.beat(connection, self._clock))).doubt()
        if doubt is None:
            await self._issues.close(timeline.ISSUE, timeline.SUBJECT)
        else:
            await self._issues.open(timeline.issue_of(doubt))
