"""What people and the daemon set for each other to see: small values in the store's table `switch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.model.delivery import Counted, DeviceReport
from mediabox.store import figures, listings, volumes

if TYPE_CHECKING:
    import sqlite3

PAUSED = "paused"
MASS_DELETION = "mass_deletion"  # until when many deletions at once are meant
ALLOWED_MS = 86_400_000
DEVICE = "told:"  # and the destination's name
DEVICE_GOOD_MS = 3_600_000  # a battery an hour ago says nothing of now
COUNTED = "counted:"  # and the destination's name
FULL_LISTING = "full_listing:"  # and the source's name


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """Start nothing until `until_ms` (Unix ms), or until a person says so."""

    until_ms: int | None = None

    def holds_at(self, now_ms: int) -> bool:
        return self.until_ms is None or now_ms < self.until_ms


def set_rest(connection: sqlite3.Connection, rest: Rest | None) -> None:
    volumes.set_switch(connection, PAUSED, None if rest is None else msgspec.json.encode(rest).decode())


def rest_at(connection: sqlite3.Connection, *, now_ms: int) -> Rest | None:
    """The pause that holds now."""
    text = volumes.switch(connection, PAUSED)
    rest = msgspec.json.decode(text, type=Rest) if text else None
    return rest if rest and rest.holds_at(now_ms) else None


def ask_for_full_listing(connection: sqlite3.Connection, source: str, *, now_ms: int) -> None:
    """At everything it has, as the first time; nothing is fetched twice."""
    volumes.set_switch(connection, FULL_LISTING + source, str(now_ms))


def is_full_listing_asked(connection: sqlite3.Connection, source: str) -> bool:
    return volumes.switch(connection, FULL_LISTING + source) is not None


def begin_full_listing(connection: sqlite3.Connection, source: str) -> None:
    """Forget how far the source has been listed: it begins anew, also after a crash."""
    listings.set_cursor(connection, listings.source_id(connection, source), None)
    volumes.set_switch(connection, FULL_LISTING + source, None)


def report_device(connection: sqlite3.Connection, destination: str, report: DeviceReport) -> None:
    """How the device behind a destination is, as far as somebody knows. Replaces the report before."""
    volumes.set_switch(connection, DEVICE + destination, msgspec.json.encode(report).decode())


def device_of(connection: sqlite3.Connection, destination: str, *, now_ms: int) -> DeviceReport | None:
    """The last hour's report of the device behind a destination."""
    text = volumes.switch(connection, DEVICE + destination)
    report = msgspec.json.decode(text, type=DeviceReport) if text else None
    return report if report and abs(now_ms - report.at_ms) <= DEVICE_GOOD_MS else None


def keep_count(connection: sqlite3.Connection, destination: str, counted: Counted) -> None:
    """The number a person read on the phone's screen. Replaces the one before."""
    volumes.set_switch(connection, COUNTED + destination, msgspec.json.encode(counted).decode())


def count_of(connection: sqlite3.Connection, destination: str) -> Counted | None:
    text = volumes.switch(connection, COUNTED + destination)
    return msgspec.json.decode(text, type=Counted) if text else None


def set_wait(connection: sqlite3.Connection, destination: str, reason: str | None) -> None:
    """Why nothing is sent to a destination now; None when something may be."""
    volumes.set_switch(connection, figures.WAITS + destination, reason)


def allow_deletions(connection: sqlite3.Connection, *, now_ms: int) -> None:
    """A person means it: for a day the archive follows deletions however many they are."""
    volumes.set_switch(connection, MASS_DELETION, str(now_ms + ALLOWED_MS))


def are_deletions_allowed(connection: sqlite3.Connection, *, now_ms: int) -> bool:
    """Whether a person has allowed that within the last day."""
    until_ms = int(volumes.switch(connection, MASS_DELETION) or 0)
    return now_ms < until_ms <= now_ms + ALLOWED_MS
