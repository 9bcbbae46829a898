"""The append-only, hash-chained record of every change of state (invariants I2, I20)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

GENESIS = bytes(32)  # what the first row is chained to


Row = tuple[Any, ...]
"""seq, at_ms, event, resource_id, asset_id, fields: the columns the chain covers, in this order."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `fields` is a JSON object whose keys the event's name implies."""

    seq: int
    at_ms: int
    event: str
    resource_id: int | None
    asset_id: int | None
    fields: dict[str, object]


def append(
    connection: sqlite3.Connection,
    event: str,
    *,
    at_ms: int,
    resource_id: int | None = None,
    asset_id: int | None = None,
    **fields: object,
) -> None:
    """Add one row inside the caller's transaction."""
    seq, previous = last(connection)
    text = msgspec.json.encode(fields).decode()
    row = (seq + 1, at_ms, event, resource_id, asset_id, text)
    connection.execute(
        "INSERT INTO journal (seq, at_ms, event, resource_id, asset_id, fields, hash) VALUES (?,?,?,?,?,?,?)",
        (*row, chain(previous, row)),
    )


def chain(previous: bytes, row: Row) -> bytes:
    """SHA-256 over the hash of the row before and this row's columns, NUL-separated."""
    return hashlib.sha256(previous + "\0".join(map(str, row)).encode()).digest()


def last(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Sequence number and hash of the newest row; (0, GENESIS) when there is none."""
    row = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def last_at_ms(connection: sqlite3.Connection) -> int:
    """The newest time in the journal, 0 when it is empty."""
    row = connection.execute("SELECT max(at_ms) FROM journal").fetchone()
    return row[0] or 0


def of_resource(connection: sqlite3.Connection, resource_id: int) -> list[Entry]:
    """One resource's rows, oldest first."""
    rows = connection.execute(
        "SELECT seq, at_ms, event, resource_id, asset_id, fields FROM journal WHERE resource_id = ? ORDER BY seq",
        (resource_id,),
    )
    return [_entry(row) for row in rows]


def of_asset(connection: sqlite3.Connection, asset_id: int) -> list[Entry]:
    """The rows about an asset as a whole, oldest first."""
    rows = connection.execute(
        "SELECT seq, at_ms, event, resource_id, asset_id, fields FROM journal "
        "WHERE resource_id IS NULL AND asset_id = ? ORDER BY seq",
        (asset_id,),
    )
    return [_entry(row) for row in rows]


def first_broken_link(connection: sqlite3.Connection) -> int | None:
    """Walk the whole chain; the sequence number of the first row that does not follow, or None."""
    previous, expected = GENESIS, 1
    for *row, digest in _all(connection):
        if row[0] != expected or digest != chain(previous, tuple(row)):
            return int(row[0])
        previous, expected = digest, expected + 1
    return None


def _all(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    return iter(
        connection.execute("SELECT seq, at_ms, event, resource_id, asset_id, fields, hash FROM journal ORDER BY seq")
    )


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at_ms, event, resource_id, asset_id, fields = row
    return Entry(
        seq=seq,
        at_ms=at_ms,
        event=event,
        resource_id=resource_id,
        asset_id=asset_id,
        fields=msgspec.json.decode(fields, type=dict[str, object]),
    )
