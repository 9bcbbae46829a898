"""Deliveries: what each destination is to get, and how far each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mediabox.message import Text, from_stored, stored
from mediabox.model.delivery import Delivered, Delivery, DeliveryState, Form, Wish
from mediabox.model.google_photos import place_of
from mediabox.model.status import Road
from mediabox.store.assets import path_key

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence


_COLUMNS = ", ".join(
    {"asset_id": "resource.asset_id"}.get(field, f"delivery.{field}") for field in Delivery.__struct_fields__
)
_FROM = "FROM delivery JOIN resource ON resource.id = delivery.resource_id"
_OF_ASSET = "(SELECT id FROM resource WHERE asset_id = ?1)"
BY_RULES = "by the destination's rules"  # the proof of what was refused before anybody tried to make it
_REMOVED = "removed from the outbox"  # the proof of a withdrawn delivery
_AT = {
    DeliveryState.ACCEPTED: "accepted_at_ms",
    DeliveryState.STORED: "stored_at_ms",
    DeliveryState.FREED: "freed_at_ms",
}


def _delivery(row: Sequence[Any]) -> Delivery:
    values = dict(zip(Delivery.__struct_fields__, row, strict=True))
    return Delivery(
        **values
        | {"state": DeliveryState(values["state"]), "form": Form(values["form"]), "note": from_stored(values["note"])}
    )


# ---------------------------------------------------------------- reading


def find(connection: sqlite3.Connection, delivery_id: int) -> Delivery | None:
    row = connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE delivery.id = ?", (delivery_id,)).fetchone()
    return _delivery(row) if row else None


def of_asset(connection: sqlite3.Connection, asset_id: int, *, destination: str | None = None) -> list[Delivery]:
    """Of any of an asset's files, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE (?2 IS NULL OR +destination = ?2) AND (resource_id IN {_OF_ASSET} "
        f"OR clip_id IN {_OF_ASSET}) ORDER BY delivery.id",
        (asset_id, destination),
    )
    return [_delivery(row) for row in rows]


def by_name(connection: sqlite3.Connection, destination: str, name: str) -> Delivery | None:
    """The one that was ever called so there, comparing NFC and case-folded."""
    row = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE destination = ? AND name_key = ?", (destination, path_key(name))
    ).fetchone()
    return _delivery(row) if row else None


def in_state(
    connection: sqlite3.Connection, destination: str, *states: DeliveryState, limit: int = -1
) -> list[Delivery]:
    """Oldest first; at most `limit`, -1: all."""
    marks = ",".join("?" * len(states))
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE destination = ? AND delivery.state IN ({marks}) ORDER BY delivery.id LIMIT ?",
        (destination, *states, limit),
    )
    return [_delivery(row) for row in rows]


def queued(
    connection: sqlite3.Connection, destination: str, *, since_ms: int, recent: bool, limit: int
) -> list[Delivery]:
    """What waits, newest capture first: taken at `since_ms` or later, else before, or nobody knows when."""
    side = "taken_at_ms >= ?2" if recent else "(taken_at_ms IS NULL OR taken_at_ms < ?2)"
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE destination = ?1 AND delivery.state = 'queued' AND {side} "
        "ORDER BY taken_at_ms DESC, delivery.id LIMIT ?3",
        (destination, since_ms, limit),
    )
    return [_delivery(row) for row in rows]


def left(connection: sqlite3.Connection, destination: str, *, name: str, digest: str) -> list[Delivery]:
    """What has left a destination, of that name or with these bytes ("": not asked for)."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE delivery.state = 'freed' AND delivery.id IN ("
        "SELECT id FROM delivery WHERE destination = ?1 AND name_key = ?2 "
        "UNION SELECT id FROM delivery WHERE destination = ?1 AND digest = ?3 AND ?3 <> '')",
        (destination, path_key(name), digest),
    )
    return [_delivery(row) for row in rows]


def with_digest(connection: sqlite3.Connection, destination: str, digest: str) -> list[Delivery]:
    """Whose delivered file has these bytes."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE destination = ? AND delivery.digest = ? ORDER BY delivery.id",
        (destination, digest),
    )
    return [_delivery(row) for row in rows]


def bytes_out(connection: sqlite3.Connection, destination: str, *, since_ms: int) -> tuple[int, int]:
    """What takes room at a destination now: taken at `since_ms` or later, and the rest."""
    row = connection.execute(
        "SELECT coalesce(sum(iif(taken_at_ms >= ?2, size_bytes, 0)), 0), coalesce(sum(size_bytes), 0) FROM delivery "
        "WHERE destination = ?1 AND state IN ('admitted', 'accepted', 'stored')",
        (destination, since_ms),
    ).fetchone()
    return int(row[0]), int(row[1]) - int(row[0])


def stored_before(connection: sqlite3.Connection, destination: str, before_ms: int) -> list[Delivery]:
    """What a destination has shown to have since before then, and has not let go."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE destination = ? AND delivery.state = 'stored' AND stored_at_ms <= ? "
        "ORDER BY delivery.id",
        (destination, before_ms),
    )
    return [_delivery(row) for row in rows]


def has_stored(connection: sqlite3.Connection, destination: str) -> bool:
    """Whether a destination has ever shown to have one."""
    row = connection.execute(
        "SELECT 1 FROM delivery WHERE destination = ? AND stored_at_ms IS NOT NULL LIMIT 1", (destination,)
    ).fetchone()
    return row is not None


def queued_bytes(connection: sqlite3.Connection, destination: str) -> int:
    row = connection.execute(
        "SELECT coalesce(sum(size_bytes), 0) FROM delivery WHERE destination = ? AND state = 'queued'", (destination,)
    ).fetchone()
    return int(row[0])


def arrived_since(connection: sqlite3.Connection, destination: str, *, since_ms: int) -> tuple[int, int]:
    """Bytes a destination has shown to have got since then, and when the first of them came (Unix ms)."""
    row = connection.execute(
        "SELECT coalesce(sum(size_bytes), 0), coalesce(min(stored_at_ms), 0) FROM delivery "
        "WHERE destination = ? AND stored_at_ms >= ?",
        (destination, since_ms),
    ).fetchone()
    return int(row[0]), int(row[1])


def has_any(connection: sqlite3.Connection, destination: str) -> bool:
    """Whether anything was ever chosen for a destination."""
    row = connection.execute("SELECT 1 FROM delivery WHERE destination = ? LIMIT 1", (destination,)).fetchone()
    return row is not None


def in_state_count(connection: sqlite3.Connection, destination: str, state: DeliveryState) -> int:
    row = connection.execute(
        "SELECT count(*) FROM delivery WHERE destination = ? AND state = ?", (destination, state)
    ).fetchone()
    return int(row[0])


def are_under_way(connection: sqlite3.Connection) -> bool:
    """Whether anything waits, is being made, or is held at a destination."""
    row = connection.execute(
        "SELECT 1 FROM delivery WHERE state IN ('queued', 'admitted', 'accepted', 'stored') LIMIT 1"
    ).fetchone()
    return row is not None


def roads(connection: sqlite3.Connection, counts: Mapping[str, tuple[int, int]]) -> list[Road]:
    """How far each destination is. `counts`: those of `figure`."""
    names = {name.split(":", 2)[2] for name in counts if name.startswith("delivery:")}
    return [_road(connection, name, counts) for name in sorted(names)]


def _road(connection: sqlite3.Connection, name: str, counts: Mapping[str, tuple[int, int]]) -> Road:
    of = {state: counts.get(f"delivery:{state}:{name}", (0, 0)) for state in DeliveryState}
    return Road(
        destination=name,
        queued=of[DeliveryState.QUEUED][0],
        on_the_way=of[DeliveryState.ADMITTED][0] + of[DeliveryState.ACCEPTED][0],
        stored=of[DeliveryState.STORED][0],
        freed=of[DeliveryState.FREED][0],
        safe=proved_there(connection, name),
        doubted=of[DeliveryState.DOUBTED][0],
        believed=of[DeliveryState.BELIEVED][0],
        refused=of[DeliveryState.REFUSED][0],
        queued_bytes=of[DeliveryState.QUEUED][1],
        freed_bytes=of[DeliveryState.FREED][1],
    )


def proved_there(connection: sqlite3.Connection, destination: str) -> int:
    """Assets of which everything delivered is archived, and was found by us in what Google Photos gave back.

    Looks at those alone of which something came back.
    """
    row = connection.execute(
        "SELECT count(*) FROM (SELECT min(copied.resource_id IS NOT NULL AND resource.state = 'archived') AS is_proved "
        "FROM resource JOIN delivery ON delivery.resource_id = resource.id "
        "LEFT JOIN copy AS copied ON copied.resource_id = resource.id AND copied.volume = ?2 "
        "AND copied.evidence = 'R' AND copied.state = 'present' "
        "WHERE +destination = ?1 AND delivery.state <> 'withdrawn' AND resource.asset_id IN ("
        "SELECT asset_id FROM copy JOIN resource ON resource.id = copy.resource_id WHERE volume = ?2) "
        "GROUP BY resource.asset_id) WHERE is_proved",
        (destination, place_of(destination)),
    ).fetchone()
    return int(row[0])


# ---------------------------------------------------------------- life


def add(connection: sqlite3.Connection, destination: str, wish: Wish, *, name: str) -> int:
    row = connection.execute(
        "INSERT INTO delivery (destination, resource_id, clip_id, form, name, name_key, size_bytes,"
        " taken_at_ms) VALUES (?,?,?,?,?,?,?,?) RETURNING id",
        (
            destination,
            wish.resource_id,
            wish.clip_id,
            wish.form,
            name,
            path_key(name),
            wish.size_bytes,
            wish.taken_at_ms,
        ),
    ).fetchone()
    return int(row[0])


def drop(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Forget what is only wanted and not wanted so any more, or was refused by rules of before."""
    connection.executemany(
        "DELETE FROM delivery WHERE id = ? AND (state = 'queued' OR (state = 'refused' AND proof = ?))",
        [(each, BY_RULES) for each in ids],
    )


def set_state(
    connection: sqlite3.Connection,
    delivery_id: int,
    state: DeliveryState,
    *,
    at_ms: int,
    proof: str = "",
    note: Text = "",
) -> None:
    """`proof` and `note` replace the older ones where they say something."""
    time = f", {_AT[state]} = ?5" if state in _AT else ""
    connection.execute(
        "UPDATE delivery SET state = ?2, proof = iif(?3 = '', proof, ?3), note = iif(?4 = '', note, ?4)"
        f"{time} WHERE id = ?1" + ("" if time else " AND ?5 IS NOT NULL"),
        (delivery_id, state, proof, stored(note), at_ms),
    )


def set_accepted(connection: sqlite3.Connection, delivered: Delivered, *, at_ms: int) -> None:
    connection.execute(
        "UPDATE delivery SET form = ?, size_bytes = ?, digest = ?, note = ? WHERE id = ?",
        (delivered.form, delivered.size_bytes, delivered.digest, stored(delivered.note), delivered.delivery_id),
    )
    set_state(connection, delivered.delivery_id, DeliveryState.ACCEPTED, at_ms=at_ms)


def rename(connection: sqlite3.Connection, delivery_id: int, name: str) -> None:
    connection.execute("UPDATE delivery SET name = ?, name_key = ? WHERE id = ?", (name, path_key(name), delivery_id))


def to_withdraw(connection: sqlite3.Connection, destination: str) -> list[Delivery]:
    """Withdrawn by a person, but not known to be out of the outbox yet."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE destination = ? AND delivery.state = 'withdrawn' AND proof <> ?",
        (destination, _REMOVED),
    )
    return [_delivery(row) for row in rows]


def set_removed(connection: sqlite3.Connection, delivery_id: int) -> None:
    """A withdrawn delivery's file is out of the outbox."""
    connection.execute("UPDATE delivery SET proof = ? WHERE id = ?", (_REMOVED, delivery_id))
