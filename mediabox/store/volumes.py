"""Which volumes are ours, and what people switched."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3


class Enrolled(NamedTuple):
    """A volume's row. Times in Unix ms."""

    uuid: str
    filesystem: str
    generation: int
    created_at_ms: int


def enrolled(connection: sqlite3.Connection, role: str) -> Enrolled | None:
    """The volume that has this role (`archive`), if one was enrolled."""
    row = connection.execute(
        "SELECT uuid, filesystem, generation, created_at_ms FROM volume WHERE role = ?", (role,)
    ).fetchone()
    return Enrolled(*row) if row else None


def enroll(connection: sqlite3.Connection, role: str, volume: Enrolled) -> None:
    connection.execute(
        "INSERT INTO volume (uuid, role, filesystem, generation, created_at_ms) VALUES (?,?,?,?,?)",
        (volume.uuid, role, volume.filesystem, volume.generation, volume.created_at_ms),
    )


def switch(connection: sqlite3.Connection, name: str) -> str | None:
    """What a person set, or the daemon reported, under a name."""
    row = connection.execute("SELECT value FROM switch WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def set_switch(connection: sqlite3.Connection, name: str, value: str | None) -> None:
    if value is None:
        connection.execute("DELETE FROM switch WHERE name = ?", (name,))
    else:
        connection.execute("INSERT OR REPLACE INTO switch (name, value) VALUES (?, ?)", (name, value))
