"""Files by what people call them: a name of anywhere, a path, the start of a SHA-256."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.model.naming import split_extension
from mediabox.store.assets import COLUMNS, FROM, path_key, resource_of

if TYPE_CHECKING:
    import sqlite3

    from mediabox.model.asset import Resource

# Under which names people meet a file: its own at its source, in the archive, at a destination, and in what came back.
_NAMED = """(
    SELECT id FROM resource WHERE {key}(name) = ?1 OR {key}(path) = ?1
    UNION SELECT resource_id FROM delivery WHERE {key}(name) = ?1
    UNION SELECT clip_id FROM delivery WHERE {key}(name) = ?1 AND clip_id IS NOT NULL
    UNION SELECT resource_id FROM copy WHERE {key}(path) = ?1
    UNION SELECT resource.id FROM written JOIN resource USING (asset_id) WHERE {key}(written.path) = ?1
)"""


def find(connection: sqlite3.Connection, words: str) -> list[Resource]:
    """Resources by file name, name at a destination, archive path, id or (the start of) a SHA-256.

    Newest first, at most 50.
    """
    rows = connection.execute(
        f"SELECT {COLUMNS} {FROM} WHERE resource.name = ?1 OR path = ?1 OR path_key = ?2 OR remote_id = ?1 "
        "OR resource.id IN (SELECT resource_id FROM delivery WHERE name_key = ?2) "
        "OR (length(?1) >= 8 AND digest >= ?3 AND digest < ?3 || 'g') OR resource.id = ?4 "
        "ORDER BY resource.id DESC LIMIT 50",
        (words, path_key(words), words.lower(), int(words) if words.isdecimal() and len(words) < 8 else -1),
    )
    return [resource_of(row) for row in rows]


def find_loosely(connection: sqlite3.Connection, words: str) -> list[Resource]:
    """Resources by a file name of anywhere in any case, else by one without its extension; newest first, at most 50.

    Looks at every name, 0.3 s for 100,000: for a person who asks once.
    """
    connection.create_function("name_key", 1, _name_key, deterministic=True)
    connection.create_function("stem_key", 1, lambda path: split_extension(_name_key(path))[0], deterministic=True)
    for key in ("name_key", "stem_key") if words else ():
        rows = connection.execute(
            f"SELECT {COLUMNS} {FROM} WHERE resource.id IN {_NAMED.format(key=key)} ORDER BY resource.id DESC LIMIT 50",
            (path_key(words),),
        ).fetchall()
        if rows:
            return [resource_of(row) for row in rows]
    return []


def _name_key(path: str | None) -> str:
    """Of its last part."""
    return path_key(path or "").rpartition("/")[2]
