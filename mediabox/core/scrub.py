"""Read every archived file again within a set time, slowly, so that a rotting disk shows while other copies exist."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.contracts import Needs
from mediabox.core.verification import Verification
from mediabox.errors import Away
from mediabox.log import get_logger
from mediabox.store import copies

if TYPE_CHECKING:
    from mediabox.clock import Clock
    from mediabox.core.governor import Governor
    from mediabox.durable.volume import Volume
    from mediabox.model.ledger import Copy
    from mediabox.store.database import Database

log = get_logger(__name__)

DAY_MS = 86_400_000
NEEDS = Needs(disk=True)
PORTION = 8  # copies between two looks at the governor
PAUSE_S = 900.0  # when nothing is due


class Scrub:
    """A service: never ends, never hurries."""

    def __init__(
        self,
        *,
        database: Database,
        volume: Volume,
        governor: Governor,
        clock: Clock,
        days: float,
        bytes_per_s: float,
    ) -> None:
        self._database, self._volume, self._governor = database, volume, governor
        self._clock, self._days, self._bytes_per_s = clock, days, bytes_per_s
        self._looked_ms: dict[int, int] = {}  # resources whose copy stayed due though it was looked at, and when

    async def run(self) -> None:
        while True:
            await self._governor.permit(NEEDS)
            try:
                read_bytes = await self.portion()
            except Away as absence:
                log.info("scrub_waits", reason=str(absence))
                read_bytes = 0
            await asyncio.sleep(read_bytes / self._bytes_per_s if read_bytes else PAUSE_S)

    async def portion(self) -> int:
        """Read a few copies whose proof is oldest and due; how many bytes."""
        if not self._clock.is_trusted():
            return 0  # ages mean nothing yet (I13)
        now_ms = self._clock.wall_ms()
        batch = await self._due(now_ms)
        if batch:
            report = await Verification(self._database, self._volume, self._clock).read(batch)
            unwhole = {one.path for one in (*report.missing, *report.damaged, *report.unreadable)}
            self._looked_ms |= {copy.resource_id: now_ms for copy in batch if copy.path in unwhole}
        return sum(copy.size_bytes for copy in batch)

    async def _due(self, now_ms: int) -> tuple[Copy, ...]:
        """The longest unproved. What is not whole stays due: looked at once a day, it keeps no other waiting."""
        uuid, before_ms = self._volume.identity.uuid, now_ms - int(self._days * DAY_MS)
        self._looked_ms = {one: at_ms for one, at_ms in self._looked_ms.items() if abs(now_ms - at_ms) < DAY_MS}
        most = PORTION + len(self._looked_ms)
        due = await self._database.read(lambda one: copies.oldest(one, uuid, before_ms=before_ms, limit=most))
        return tuple(copy for copy in due if copy.resource_id not in self._looked_ms)[:PORTION]
