"""Orders to free a source, and what became of each asset on them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from mediabox.message import Text, from_stored, stored
from mediabox.store import journal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


class ReleaseState(StrEnum):
    """Order of a normal life: listed, queued, intended, released; then perhaps undoing, restoring, restored."""

    LISTED = "listed"  # shown to a person
    QUEUED = "queued"  # confirmed
    INTENDED = "intended"  # proved and about to be sent, or sent: the source has to be asked
    RELEASED = "released"  # in the source's bin
    REFUSED = "refused"  # left where it is, with a reason
    CANCELLED = "cancelled"  # taken back by a person before anything happened
    UNDOING = "undoing"  # a person wants it back
    RESTORING = "restoring"  # about to be brought back, or sent: the source has to be asked
    RESTORED = "restored"
    LOST = "lost"  # wanted back, but the bin has been emptied


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One asset on an order. Times in Unix ms."""

    id: int
    order_id: int
    remote_asset_id: int
    source: str
    remote_id: str
    asset_id: int
    change_tag: str
    name: str
    size_bytes: int
    state: ReleaseState
    changed_at_ms: int
    intended_at_ms: int | None = None
    released_at_ms: int | None = None
    reason: Text | None = None
    certificate: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    made_at_ms: int
    set_hash: str
    code_hash: str | None
    confirmed_at_ms: int | None


_COLUMNS = (
    "release.id, order_id, release.remote_asset_id, source.name, remote_id, asset_id, release.change_tag, "
    "release.name, size_bytes, release.state, changed_at_ms, intended_at_ms, released_at_ms, reason, certificate"
)
_FROM = (
    "FROM release JOIN remote_asset ON remote_asset.id = release.remote_asset_id "
    "JOIN source ON source.id = remote_asset.source_id"
)


def _release(row: Sequence[Any]) -> Release:
    values = dict(zip(Release.__struct_fields__, row, strict=True))
    return Release(
        **values | {"state": ReleaseState(values["state"]), "reason": from_stored(values["reason"] or "") or None}
    )


# ---------------------------------------------------------------- assets at their source


def sources(connection: sqlite3.Connection) -> list[str]:
    """Names of the sources that tell of assets, not of mere files."""
    rows = connection.execute(
        "SELECT name FROM source WHERE EXISTS (SELECT 1 FROM remote_asset WHERE source_id = source.id) ORDER BY name"
    )
    return [row[0] for row in rows]


def library_size(connection: sqlite3.Connection, source: str) -> int:
    """How many assets a source has now."""
    row = connection.execute(
        "SELECT count(*) FROM remote_asset JOIN source ON source.id = source_id WHERE name = ? AND state = 'present'",
        (source,),
    ).fetchone()
    return int(row[0])


def damage_of(connection: sqlite3.Connection, resource_id: int) -> str | None:
    """What an examination found wrong with a file; None when nothing, or when it was never looked at."""
    row = connection.execute("SELECT damage FROM facts WHERE resource_id = ?", (resource_id,)).fetchone()
    return row[0] if row else None


def is_released(connection: sqlite3.Connection, remote_asset_id: int) -> bool:
    """Whether it is, or may be, in the source's bin because we put it there: no deletion of the person's."""
    row = connection.execute(
        "SELECT 1 FROM release WHERE remote_asset_id = ? AND state IN ('intended', 'released', 'undoing', 'restoring')",
        (remote_asset_id,),
    ).fetchone()
    return row is not None


# ---------------------------------------------------------------- orders


def add_order(
    connection: sqlite3.Connection, *, set_hash: str, code_hash: str, listed: Sequence[Release], at_ms: int
) -> int:
    """A new list; the one before, if nobody confirmed it, is forgotten."""
    _forget_lists(connection)
    order_id = int(
        connection.execute(
            "INSERT INTO release_order (made_at_ms, set_hash, code_hash) VALUES (?,?,?) RETURNING id",
            (at_ms, set_hash, code_hash),
        ).fetchone()[0]
    )
    connection.executemany(
        "INSERT INTO release (order_id, remote_asset_id, change_tag, name, size_bytes, changed_at_ms)"
        " VALUES (?,?,?,?,?,?)",
        [(order_id, one.remote_asset_id, one.change_tag, one.name, one.size_bytes, at_ms) for one in listed],
    )
    return order_id


def _forget_lists(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM release WHERE state = 'listed'")
    connection.execute("DELETE FROM release_order WHERE confirmed_at_ms IS NULL")


def open_order(connection: sqlite3.Connection) -> Order | None:
    """The list that waits for its code."""
    return _order(connection, "code_hash IS NOT NULL ORDER BY id DESC LIMIT 1")


def order(connection: sqlite3.Connection, order_id: int) -> Order | None:
    return _order(connection, "id = ?", order_id)


def _order(connection: sqlite3.Connection, which: str, *values: int) -> Order | None:
    columns = ", ".join(Order.__struct_fields__)
    row = connection.execute(f"SELECT {columns} FROM release_order WHERE {which}", values).fetchone()
    return Order(**dict(zip(Order.__struct_fields__, row, strict=True))) if row else None


def use_up(connection: sqlite3.Connection, order_id: int, *, confirmed_at_ms: int | None) -> None:
    """The code is worth nothing any more; confirmed, everything on the list is queued."""
    connection.execute(
        "UPDATE release_order SET code_hash = NULL, confirmed_at_ms = ? WHERE id = ?", (confirmed_at_ms, order_id)
    )
    if confirmed_at_ms is not None:
        connection.execute(
            "UPDATE release SET state = 'queued', changed_at_ms = ? WHERE order_id = ? AND state = 'listed'",
            (confirmed_at_ms, order_id),
        )


# ---------------------------------------------------------------- single releases


def release(connection: sqlite3.Connection, release_id: int) -> Release | None:
    row = connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE release.id = ?", (release_id,)).fetchone()
    return _release(row) if row else None


def in_order(connection: sqlite3.Connection, order_id: int) -> list[Release]:
    rows = connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE order_id = ? ORDER BY release.id", (order_id,))
    return [_release(row) for row in rows]


def in_state(connection: sqlite3.Connection, *states: ReleaseState) -> list[Release]:
    marks = ",".join("?" * len(states))
    rows = connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE release.state IN ({marks}) ORDER BY release.id", states)
    return [_release(row) for row in rows]


def everything(connection: sqlite3.Connection, *, limit: int) -> list[Release]:
    """All that was ever confirmed, newest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE release.state <> 'listed' ORDER BY release.id DESC LIMIT ?", (limit,)
    )
    return [_release(row) for row in rows]


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many there are in each state."""
    return dict(
        connection.execute("SELECT state, count(*) FROM release WHERE state <> 'listed' GROUP BY state ORDER BY state")
    )


def released_bytes(connection: sqlite3.Connection) -> int:
    """Of everything that is, or was, in a source's bin because of us."""
    return int(
        connection.execute("SELECT coalesce(sum(size_bytes), 0) FROM release WHERE state = 'released'").fetchone()[0]
    )


def intended_since(connection: sqlite3.Connection, since_ms: int, *, source: str | None = None) -> int:
    """How many were sent, or about to be, at or after a time, by the journal."""
    counted: dict[object, object] = {}
    for entry in journal.of_event(connection, "release_intended", *_NOT_SENT, since_ms=since_ms):
        if entry.event in _NOT_SENT:
            counted.pop(entry.fields["release"], None)
        else:
            counted[entry.fields["release"]] = entry.fields.get("source", source)
    return sum(source in (None, one) for one in counted.values())


def last_event(connection: sqlite3.Connection, one: Release) -> str | None:
    """What became of a confirmed release last, by the journal; None when nothing did."""
    told = journal.of_event(
        connection, "release_intended", "released", "release_undone", "release_restored", *_NOT_SENT
    )
    return next((entry.event for entry in reversed(told) if entry.fields.get("release") == one.id), None)


_NOT_SENT = ("release_not_done", "release_refused")


def waiting(connection: sqlite3.Connection, *, source: str | None = None) -> int:
    """How many are confirmed and not sent yet."""
    row = connection.execute(
        f"SELECT count(*) {_FROM} WHERE release.state = 'queued' AND (?1 IS NULL OR source.name = ?1)", (source,)
    ).fetchone()
    return int(row[0])


def times_not_done(connection: sqlite3.Connection, one: Release) -> int:
    """How often its source was found not to have done it, by the journal."""
    row = connection.execute(
        "SELECT count(*) FROM journal WHERE asset_id = ? AND resource_id IS NULL AND event = 'release_not_done' "
        "AND json_extract(fields, '$.release') = ?",
        (one.asset_id, one.id),
    ).fetchone()
    return int(row[0])


def intend(connection: sqlite3.Connection, release_id: int, *, certificate: str, at_ms: int) -> None:
    """Proved, and to be sent once this is durable."""
    connection.execute(
        "UPDATE release SET state = 'intended', certificate = ?1, changed_at_ms = ?2, intended_at_ms = ?2 "
        "WHERE id = ?3",
        (certificate, at_ms, release_id),
    )


def set_state(
    connection: sqlite3.Connection, release_id: int, state: ReleaseState, *, at_ms: int, reason: Text | None = None
) -> None:
    connection.execute(
        "UPDATE release SET state = ?1, changed_at_ms = ?2, reason = ?3, "
        "released_at_ms = iif(?1 = 'released' AND released_at_ms IS NULL, ?2, released_at_ms), "
        "intended_at_ms = iif(?1 IN ('queued', 'refused'), NULL, intended_at_ms) WHERE id = ?4",
        (state, at_ms, stored(reason or "") or None, release_id),
    )
