"""What examinations found: facts, and which pictures look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.model.facts import Facts
from mediabox.store.assets import COLUMNS, FROM, resource_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mediabox.model.asset import Resource

_facts = msgspec.json.Decoder(Facts)


def put_facts(connection: sqlite3.Connection, resource_id: int, facts: Facts) -> None:
    """Store or replace what an examination found."""
    first_hash = facts.perceptual_hashes[0] if facts.perceptual_hashes else None
    connection.execute(
        "INSERT OR REPLACE INTO facts (resource_id, content_identifier, captured_local, perceptual_hash, damage,"
        " document) VALUES (?,?,?,?,?,?)",
        (
            resource_id,
            facts.content_identifier,
            facts.capture_time.local if facts.capture_time else None,
            signed(first_hash) if first_hash is not None else None,
            facts.damage,
            msgspec.json.encode(facts).decode(),
        ),
    )


def facts(connection: sqlite3.Connection, resource_id: int) -> Facts | None:
    """Facts of a resource; a duplicate's are its keeper's."""
    row = connection.execute(
        "SELECT document FROM facts WHERE resource_id = (SELECT coalesce(duplicate_of, id) FROM resource WHERE id = ?)",
        (resource_id,),
    ).fetchone()
    return _facts.decode(row[0]) if row else None


def forget(connection: sqlite3.Connection, resource_id: int) -> None:
    """Nothing that was seen in the file is kept."""
    connection.execute("DELETE FROM facts WHERE resource_id = ?", (resource_id,))
    connection.execute("DELETE FROM finding WHERE resource_id = ?", (resource_id,))
    connection.execute("DELETE FROM face WHERE resource_id = ?", (resource_id,))
    connection.execute("DELETE FROM similar WHERE resource_id = ?1 OR of_resource_id = ?1", (resource_id,))


def perceptual_hashes(connection: sqlite3.Connection) -> Iterable[tuple[int, int]]:
    """(resource id, unsigned hash) of every picture that has one."""
    rows = connection.execute("SELECT resource_id, perceptual_hash FROM facts WHERE perceptual_hash IS NOT NULL")
    return ((resource_id, value & 0xFFFF_FFFF_FFFF_FFFF) for resource_id, value in rows)


def signed(value: int) -> int:
    """SQLite's integers are signed; the same 64 bits."""
    return value - (1 << 64) if value >= 1 << 63 else value


def add_similar(
    connection: sqlite3.Connection, resource_id: int, of_resource_id: int, *, distance_bits: int, rotation: int
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO similar (resource_id, of_resource_id, distance_bits, rotation) VALUES (?,?,?,?)",
        (resource_id, of_resource_id, distance_bits, rotation),
    )


def similar_names(connection: sqlite3.Connection, resource_id: int) -> list[str]:
    """Names of the pictures that look like this one, nearest first."""
    rows = connection.execute(
        "SELECT name, min(distance_bits) AS distance FROM ("
        "SELECT of_resource_id AS other, distance_bits FROM similar WHERE resource_id = ?1 "
        "UNION ALL SELECT resource_id, distance_bits FROM similar WHERE of_resource_id = ?1) "
        "JOIN resource ON resource.id = other GROUP BY other ORDER BY distance, other LIMIT 20",
        (resource_id,),
    )
    return [row[0] for row in rows]


def of_burst(connection: sqlite3.Connection, burst_id: str, *, limit: int) -> list[Resource]:
    """The archived pictures of one shutter press, by their facts."""
    rows = connection.execute(
        f"SELECT {COLUMNS} {FROM} JOIN facts ON facts.resource_id = resource.id "
        "WHERE json_extract(document, '$.burst_id') = ? AND state = 'archived' ORDER BY resource.id LIMIT ?",
        (burst_id, limit),
    )
    return [resource_of(row) for row in rows]
