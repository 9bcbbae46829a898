"""Open and close issues, and tell the bus: what a person should know, said once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mediabox.model.events import IssueChanged
from mediabox.store import issues

if TYPE_CHECKING:
    from mediabox.clock import Clock
    from mediabox.core.bus import Bus
    from mediabox.model.issue import Issue
    from mediabox.store.database import Database

log = logging.getLogger(__name__)

# These describe the box as it is now: whatever still holds is found again after a start.
OF_THE_MOMENT = ("volume", "source", "service", "governor", "sandbox", "step")


class IssueBook:
    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        self._database, self._bus, self._clock = database, bus, clock

    async def start(self) -> None:
        """Forget issues of the moment from before the last stop."""

        def forget(connection) -> None:  # noqa: ANN001 - sqlite3.Connection is the store's word
            for issue in issues.open_issues(connection):
                if issue.key.partition(".")[0] in OF_THE_MOMENT:
                    issues.close_issue(connection, issue.key, issue.subject)

        await self._database.write(forget)

    async def open(self, issue: Issue) -> None:
        """Open, or count up when it is open already."""
        now_ms = self._clock.wall_ms()
        is_new = await self._database.write(lambda connection: issues.open_issue(connection, issue, at_ms=now_ms))
        if is_new:
            log.warning("issue opened: %s (%s): %s", issue.key, issue.subject, issue.message)
            self._bus.publish(
                IssueChanged(key=issue.key, subject=issue.subject, is_open=True, message=issue.message)
            )

    async def close(self, key: str, subject: str) -> None:
        if await self._database.write(lambda connection: issues.close_issue(connection, key, subject)):
            log.info("issue closed: %s (%s)", key, subject)
            self._bus.publish(IssueChanged(key=key, subject=subject, is_open=False))
