"""What each source met at its last whole listing, and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.model.survey import Survey

if TYPE_CHECKING:
    import sqlite3


def put(connection: sqlite3.Connection, source: int, survey: Survey) -> None:
    """Replace what the listing before met."""
    connection.execute("UPDATE source SET survey = ? WHERE id = ?", (msgspec.json.encode(survey).decode(), source))


def find_all(connection: sqlite3.Connection) -> dict[str, Survey]:
    """By the source's name."""
    rows = connection.execute("SELECT name, survey FROM source WHERE survey IS NOT NULL ORDER BY name")
    return {name: msgspec.json.decode(text, type=Survey) for name, text in rows}
