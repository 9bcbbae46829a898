"""What people can tell the box to do. Written to the store; the daemon is poked and looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.core import plan
from mediabox.store import assets, issues, jobs, journal, volumes

if TYPE_CHECKING:
    import sqlite3

PAUSED = "paused"


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Rest until `until_ms` (Unix ms), or until told otherwise."""

    until_ms: int | None = None

    def holds_at(self, now_ms: int) -> bool:
        return self.until_ms is None or now_ms < self.until_ms


def pause(connection: sqlite3.Connection, *, until_ms: int | None, now_ms: int) -> None:
    """Start no new step. What runs is finished."""
    volumes.set_switch(connection, PAUSED, msgspec.json.encode(Pause(until_ms=until_ms)).decode())
    journal.append(connection, "paused", at_ms=now_ms, until_ms=until_ms)


def resume(connection: sqlite3.Connection, *, now_ms: int) -> bool:
    """Whether it was paused."""
    was_paused = volumes.switch(connection, PAUSED) is not None
    volumes.set_switch(connection, PAUSED, None)
    if was_paused:
        journal.append(connection, "resumed", at_ms=now_ms)
    return was_paused


def paused(connection: sqlite3.Connection, *, now_ms: int) -> Pause | None:
    """The pause that holds now."""
    text = volumes.switch(connection, PAUSED)
    held = msgspec.json.decode(text, type=Pause) if text else None
    return held if held and held.holds_at(now_ms) else None


def retry(connection: sqlite3.Connection, *, now_ms: int) -> int:
    """Queue every failed step and every quarantined file anew; how many."""
    count = jobs.retry_failed(connection)
    for resource in assets.quarantined(connection):
        assets.set_seen(connection, resource.id)
        for request in plan.after_taking_in(resource.id, resource.kind):
            count += jobs.add(connection, request) is not None
    issues.close_all(connection, "job.failed")
    journal.append(connection, "retried", at_ms=now_ms, count=count)
    return count
