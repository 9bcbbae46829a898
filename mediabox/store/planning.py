"""How far each destination has read the journal, and the assets it has still to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

# What makes an asset worth choosing from again. As in the index `journal_changes`, or it is not used.
CHANGES = "('archived', 'joined', 'rebuilt', 'recovered', 'told', 'trashed')"
_IS_COMPLETE = (
    "NOT EXISTS (SELECT 1 FROM resource WHERE resource.asset_id = to_plan.asset_id "
    "AND state IN ('seen', 'staged', 'filing'))"
)


def planned_until(connection: sqlite3.Connection, destination: str, rules: str) -> int:
    """The newest journal row a destination has chosen from by these rules; 0 before the first."""
    row = connection.execute(
        "SELECT seq FROM plan_cursor WHERE destination = ? AND rules = ?", (destination, rules)
    ).fetchone()
    return int(row[0]) if row else 0


def note_changes(connection: sqlite3.Connection, destination: str, rules: str, *, limit: int) -> int:
    """Read on in the journal, noting the assets that changed; how many rows were read."""
    rows = connection.execute(
        "SELECT seq, coalesce(resource.asset_id, journal.asset_id), at_ms FROM journal "
        "LEFT JOIN resource ON resource.id = journal.resource_id "
        f"WHERE event IN {CHANGES} AND seq > ? ORDER BY seq LIMIT ?",
        (planned_until(connection, destination, rules), limit),
    ).fetchall()
    connection.executemany(
        "INSERT INTO to_plan (destination, asset_id, since_ms) VALUES (?1, ?2, ?3) "
        "ON CONFLICT DO UPDATE SET since_ms = max(since_ms, ?3)",
        [(destination, asset_id, at_ms) for _, asset_id, at_ms in rows if asset_id is not None],
    )
    if rows:
        connection.execute(
            "INSERT OR REPLACE INTO plan_cursor (destination, seq, rules) VALUES (?,?,?)",
            (destination, rows[-1][0], rules),
        )
    return len(rows)


def to_plan(connection: sqlite3.Connection, destination: str, *, now_ms: int, settled_ms: int, limit: int) -> list[int]:
    """Assets that have not changed for so long, and none of whose files is still on its way into the archive.

    A time to come is one of a clock that was wrong.
    """
    rows = connection.execute(
        f"SELECT asset_id FROM to_plan WHERE destination = ? AND abs(? - since_ms) >= ? AND {_IS_COMPLETE} LIMIT ?",
        (destination, now_ms, settled_ms, limit),
    )
    return [row[0] for row in rows]


def set_planned(connection: sqlite3.Connection, destination: str, asset_id: int) -> None:
    connection.execute("DELETE FROM to_plan WHERE destination = ? AND asset_id = ?", (destination, asset_id))


def is_planning(connection: sqlite3.Connection, destination: str) -> bool:
    """Whether anything waits to be chosen from that needs nothing but a moment."""
    row = connection.execute(
        f"SELECT 1 FROM to_plan WHERE destination = ? AND {_IS_COMPLETE} LIMIT 1", (destination,)
    ).fetchone()
    return row is not None
