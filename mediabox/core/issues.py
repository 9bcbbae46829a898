"""Open and close issues, and tell the bus: what a person should know, said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.log import get_logger
from mediabox.model.events import IssueChanged
from mediabox.model.issue import Issue
from mediabox.store import issues

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mediabox.clock import Clock
    from mediabox.core.bus import Bus
    from mediabox.store.database import Database

log = get_logger(__name__)

# These describe the box as it is now: whatever still holds is found again after a start.
# The first five are of what is joined: found again when that is joined anew.
OF_THE_JOINED = ("volume", "source", "sandbox", "step", "destination")
OF_THE_MOMENT = (*OF_THE_JOINED, "service", "governor", "clock", "config", "surface", "work")


class IssueBook:
    """With `has_catalogue` False it holds issues in memory until `start`: the catalogue may not open at all."""

    def __init__(self, database: Database, bus: Bus, clock: Clock, *, has_catalogue: bool = True) -> None:
        self._database, self._bus, self._clock = database, bus, clock
        self._has_catalogue = has_catalogue
        self.held: dict[tuple[str, str], Issue] = {}
        self._reported: dict[str, set[tuple[str, str]]] = {}  # open complaints of each part, (key, subject)

    async def start(self) -> None:
        """Write into the open catalogue from now on. Forgets issues of the moment from before the last stop."""

        def begin(connection: sqlite3.Connection) -> None:
            issues.close_areas(connection, OF_THE_MOMENT)
            for issue in held.values():
                issues.open_issue(connection, issue, at_ms=issue.opened_at_ms)

        held = self.held
        await self._database.write(begin)
        self._has_catalogue, self.held = True, {}

    async def forget_joined(self) -> None:
        """What was joined is taken down: nothing of it is known any more."""
        self._reported = {part: found for part, found in self._reported.items() if not part.partition(":")[2]}
        await self._database.write(lambda connection: issues.close_areas(connection, OF_THE_JOINED))

    async def open(self, issue: Issue) -> None:
        """Open, or count up when it is open already."""
        now_ms = self._clock.wall_ms()
        if self._has_catalogue:
            is_new = await self._database.write(lambda connection: issues.open_issue(connection, issue, at_ms=now_ms))
        else:
            is_new = (issue.key, issue.subject) not in self.held
            self.held[issue.key, issue.subject] = msgspec.structs.replace(issue, opened_at_ms=now_ms)
        if is_new:
            self.announce(issue)

    def announce(self, issue: Issue) -> None:
        """Say that it was opened, in the log and to whoever listens."""
        log.warning("issue_opened", issue=issue.key, subject=issue.subject, message=issue.message)
        self._bus.publish(IssueChanged(key=issue.key, subject=issue.subject, is_open=True, message=issue.message))

    async def close(self, key: str, subject: str) -> None:
        if self._has_catalogue:
            was_open = await self._database.write(lambda connection: issues.close_issue(connection, key, subject))
        else:
            was_open = self.held.pop((key, subject), None) is not None
        if was_open:
            log.info("issue_closed", issue=key, subject=subject)
            self._bus.publish(IssueChanged(key=key, subject=subject, is_open=False))

    async def report(self, part: str, complaints: Iterable[Issue]) -> None:
        """Everything a part complains of now: open it, and close what it complained of before and does not any more."""
        known = {(one.key, one.subject): one for one in complaints}
        for one in known.values():
            await self.open(one)
        for key, subject in self._reported.get(part, set()) - known.keys():
            await self.close(key, subject)
        self._reported[part] = set(known)
