"""The append-only, hash-chained record of every change of state (invariants I2, I20)."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from mediabox.store.keyed import Keyed, mac

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

GENESIS = bytes(32)  # what the first row is chained to
ACCEPTED = "release_accepted"
# What the index `journal_gate` lists; SQLite uses it only for who asks in the same words.
GATE = (
    "('clock', 'release_accepted', 'release_planned', 'release_mistyped', 'release_confirmed', 'release_intended', "
    "'release_not_done', 'release_refused', 'released', 'release_undone', 'release_restored')"
)

_ENTRIES = "SELECT seq, at_ms, event, resource_id, asset_id, fields FROM journal"

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
    """Add one row inside the caller's transaction; by whom, while somebody is `acting`."""
    seq, previous = last(connection)
    if isinstance(connection, Keyed) and connection.actor is not None:
        fields = {**fields, "actor": connection.actor}
    text = msgspec.json.encode(fields).decode()
    row = (seq + 1, at_ms, event, resource_id, asset_id, text)
    digest = chain(previous, row)
    connection.execute(
        "INSERT INTO journal (seq, at_ms, event, resource_id, asset_id, fields, hash, mac) VALUES (?,?,?,?,?,?,?,?)",
        (*row, digest, _mac(connection, digest)),
    )
    if isinstance(connection, Keyed):
        connection.appended_from = connection.appended_from or seq + 1


@contextmanager
def acting(connection: sqlite3.Connection, actor: str) -> Iterator[None]:
    """Whatever is appended in the block is this actor's, also by what the block calls."""
    assert isinstance(connection, Keyed), "the database opens no other"
    connection.actor = actor
    try:
        yield
    finally:
        connection.actor = None


def chain(previous: bytes, row: Row) -> bytes:
    """SHA-256 over the hash of the row before and this row's columns, NUL-separated."""
    return hashlib.sha256(previous + "\0".join(map(str, row)).encode()).digest()


def last(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Sequence number and hash of the newest row; (0, GENESIS) when there is none."""
    row = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def appended_from(connection: sqlite3.Connection) -> int:
    """The first row that the transaction under way added; where nothing was, the one that would be."""
    return getattr(connection, "appended_from", 0) or last(connection)[0] + 1


def _mac(connection: sqlite3.Connection, digest: bytes) -> bytes | None:
    return mac(connection, ("journal", digest))  # the hash pins the row and all before it


def hash_of(connection: sqlite3.Connection, seq: int) -> bytes | None:
    """The hash of one row; GENESIS for row 0, None when there is no such row."""
    row = connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row else GENESIS if seq == 0 else None


def has_signed_rows(connection: sqlite3.Connection) -> bool:
    """Whether any row was written by a box that signs them."""
    return connection.execute("SELECT 1 FROM journal WHERE mac IS NOT NULL LIMIT 1").fetchone() is not None


def is_signed(connection: sqlite3.Connection, seq: int) -> bool:
    """Whether this box's key signed a row as it is now."""
    row = connection.execute("SELECT hash, mac FROM journal WHERE seq = ?", (seq,)).fetchone()
    return row is not None and row[1] is not None and row[1] == _mac(connection, row[0])


def accepted(connection: sqlite3.Connection) -> int:
    """The row from which on the journal is believed: a person had everything before it proved again. 0: from the first.

    Rows after it have to be signed; the chain pins those before.
    """
    rows = connection.execute(
        f"SELECT seq, hash, mac FROM journal WHERE event IN {GATE} AND event = ? ORDER BY seq DESC", (ACCEPTED,)
    )
    return next((seq for seq, digest, sign in rows if sign is not None and sign == _mac(connection, digest)), 0)


def is_unsigned(connection: sqlite3.Connection) -> bool:
    """Whether its first row has no signature, and nobody had it proved since: a box of before there were any."""
    first = connection.execute("SELECT mac FROM journal WHERE seq = 1").fetchone()
    return first == (None,) and accepted(connection) == 0


def first_foreign_row(connection: sqlite3.Connection) -> int | None:
    """The first row after the accepted one that this box's key did not sign, or None."""
    rows = connection.execute("SELECT seq, hash, mac FROM journal WHERE seq > ? ORDER BY seq", (accepted(connection),))
    return next((seq for seq, digest, sign in rows if sign is None or sign != _mac(connection, digest)), None)


def of_event(connection: sqlite3.Connection, *events: str, after: int = 0, since_ms: int = 0) -> list[Entry]:
    """Rows of some of the GATE's events, oldest first, from behind a sequence number and from a time on."""
    rows = connection.execute(
        f"{_ENTRIES} "
        f"WHERE event IN {GATE} AND event IN ({','.join('?' * len(events))}) AND seq > ? AND at_ms >= ? ORDER BY seq",
        (*events, after, since_ms),
    )
    return [_entry(row) for row in rows]


def newest_of(connection: sqlite3.Connection, event: str, *, limit: int) -> list[Entry]:
    """The newest rows of any one event, newest first. Looks through the whole journal: for a person who asks once."""
    rows = connection.execute(f"{_ENTRIES} WHERE event = ? ORDER BY seq DESC LIMIT ?", (event, limit))
    return [_entry(row) for row in rows]


def last_change(connection: sqlite3.Connection) -> int:
    """The newest row that is more than a look at the clocks."""
    row = connection.execute("SELECT seq FROM journal WHERE event <> 'clock' ORDER BY seq DESC LIMIT 1").fetchone()
    return row[0] if row else 0


def last_at_ms(connection: sqlite3.Connection, *, after: int = 0, before: int | None = None) -> int:
    """The newest time in the journal, or between two of its rows; 0 when there is none."""
    row = connection.execute(
        "SELECT max(at_ms) FROM journal WHERE seq > ?1 AND (?2 IS NULL OR seq < ?2)", (after, before)
    ).fetchone()
    return row[0] or 0


def of_resource(connection: sqlite3.Connection, resource_id: int) -> list[Entry]:
    """One resource's rows, oldest first."""
    rows = connection.execute(
        f"{_ENTRIES} WHERE resource_id = ? ORDER BY seq",
        (resource_id,),
    )
    return [_entry(row) for row in rows]


def of_asset(connection: sqlite3.Connection, asset_id: int) -> list[Entry]:
    """The rows about an asset as a whole, oldest first."""
    rows = connection.execute(
        f"{_ENTRIES} WHERE resource_id IS NULL AND asset_id = ? ORDER BY seq",
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
