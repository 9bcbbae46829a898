"""Sources: how far each was listed, which of its files are known, and what its last whole listing met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.model.survey import Survey

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mediabox.model.asset import RemoteResource


def source_id(connection: sqlite3.Connection, name: str) -> int:
    """The id of a source's row, made at first sight."""
    found = find_source(connection, name)
    if found is None:
        found = connection.execute("INSERT INTO source (name) VALUES (?) RETURNING id", (name,)).fetchone()[0]
    return int(found)


def find_source(connection: sqlite3.Connection, name: str) -> int | None:
    """The id of a source's row, if it was ever listed."""
    row = connection.execute("SELECT id FROM source WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else None


def cursor(connection: sqlite3.Connection, source: str) -> str | None:
    row = connection.execute("SELECT cursor FROM source WHERE name = ?", (source,)).fetchone()
    return row[0] if row else None


def set_cursor(connection: sqlite3.Connection, source: int, value: str | None) -> None:
    connection.execute("UPDATE source SET cursor = ? WHERE id = ?", (value, source))


def known_versions(
    connection: sqlite3.Connection, source: int, remote_ids: Iterable[str], *, also_ignored: bool = False
) -> dict[str, set[str]]:
    """Of these files, the versions already taken in, or ignored."""
    known: dict[str, set[str]] = {}
    query = "SELECT version FROM resource WHERE source_id = ?1 AND remote_id = ?2"
    if also_ignored:
        query += " UNION ALL SELECT version FROM ignored WHERE source_id = ?1 AND remote_id = ?2"
    for remote_id in remote_ids:
        rows = connection.execute(query, (source, remote_id)).fetchall()
        if rows:
            known[remote_id] = {row[0] for row in rows}
    return known


def ignore(connection: sqlite3.Connection, source: int, resource: RemoteResource) -> None:
    """Remember that this file is none of ours."""
    connection.execute(
        "INSERT INTO ignored (source_id, remote_id, version) VALUES (?1, ?2, ?3) "
        "ON CONFLICT DO UPDATE SET version = ?3",
        (source, resource.remote_id, resource.version),
    )


def put_survey(connection: sqlite3.Connection, source: int, survey: Survey) -> None:
    """Replace what the listing before met. The same again is not written: a folder may be listed each minute."""
    text = msgspec.json.encode(survey).decode()
    connection.execute("UPDATE source SET survey = ?1 WHERE id = ?2 AND survey IS NOT ?1", (text, source))


def surveys(connection: sqlite3.Connection) -> dict[str, Survey]:
    """By the source's name."""
    rows = connection.execute("SELECT name, survey FROM source WHERE survey IS NOT NULL ORDER BY name")
    return {name: msgspec.json.decode(text, type=Survey) for name, text in rows}
