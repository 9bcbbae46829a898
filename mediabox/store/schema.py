"""The schema: what the numbered migrations make of an empty database, and whether one is still of that form."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib import resources

from mediabox.model.naming import home_folder, stem

_PARTS = "SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_stat*'"


def migrations() -> list[str]:
    """The scripts, oldest first; how many were run is the database's `user_version`."""
    folder = resources.files("mediabox.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]


def add_functions(connection: sqlite3.Connection) -> None:
    """What the scripts call that is not SQLite's own."""
    for function in (stem, home_folder):
        connection.create_function(function.__name__, 1, function, deterministic=True)


def changed_part(connection: sqlite3.Connection) -> str | None:
    """A table, index, trigger or view that is not as the migrations make it; None when all are.

    A trigger could undo what is written, a view answer for a table, an index hide rows.
    """
    with closing(sqlite3.connect(":memory:")) as anew:
        add_functions(anew)
        anew.executescript("\n".join(migrations()))
        ours = set(anew.execute(_PARTS))
    odd = ours ^ set(connection.execute(_PARTS))
    return min((f"{kind} {name}" for name, kind, _ in odd), default=None)
