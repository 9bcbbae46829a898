"""Files of older backups that may stand for a source's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.model.adoptable import Adoptable
from mediabox.store.assets import COLUMNS, FROM, resource_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from mediabox.model.asset import Resource


def note(connection: sqlite3.Connection, files: Iterable[Adoptable], *, at_ms: int) -> None:
    """Offer these files, as they are now."""
    connection.executemany(
        "INSERT INTO adoptable (path, source, size_bytes, modified_ns, noted_at_ms) VALUES (?1,?2,?3,?4,?5) "
        "ON CONFLICT (path) DO UPDATE SET source = ?2, size_bytes = ?3, modified_ns = ?4, noted_at_ms = ?5",
        [(file.path, file.source, file.size_bytes, file.modified_ns, at_ms) for file in files],
    )


def forget_older(connection: sqlite3.Connection, folder: str, *, than_ms: int) -> int:
    """Withdraw what an earlier walk found below a folder and this one did not; how many."""
    below = folder.rstrip("/")
    return connection.execute(
        "DELETE FROM adoptable WHERE path > ? || '/' AND path < ? || '0' AND noted_at_ms < ?",  # '0' follows '/'
        (below, below, than_ms),
    ).rowcount


def of_size(connection: sqlite3.Connection, size_bytes: int) -> list[Adoptable]:
    rows = connection.execute(
        "SELECT path, size_bytes, modified_ns, source FROM adoptable WHERE size_bytes = ?", (size_bytes,)
    )
    return [
        Adoptable(path=path, size_bytes=size, modified_ns=modified_ns, source=source)
        for path, size, modified_ns, source in rows
    ]


def set_used(connection: sqlite3.Connection, path: str, resource_id: int) -> None:
    connection.execute("UPDATE adoptable SET resource_id = ? WHERE path = ?", (resource_id, path))


def waiting(connection: sqlite3.Connection, source: str) -> Iterator[Resource]:
    """A source's files that are listed and not fetched yet."""
    rows = connection.execute(f"SELECT {COLUMNS} {FROM} WHERE source.name = ? AND state = 'seen'", (source,))
    return (resource_of(row) for row in rows)


def unproved(connection: sqlite3.Connection, source: str) -> Iterator[Resource]:
    """A source's archived files that nobody has seen whole beside the source's own: adopted by samples, or rebuilt."""
    rows = connection.execute(
        f"SELECT {COLUMNS} {FROM} WHERE source.name = ? AND state IN ('archived', 'duplicate') AND coalesce(("
        "SELECT event = 'rebuilt' OR json_extract(fields, '$.adopted_from') IS NOT NULL "
        "AND json_extract(fields, '$.likeness') IS NOT 'checksum' FROM journal "
        "WHERE resource_id = resource.id AND event IN ('fetched', 'duplicate', 'checksum_agreed', 'rebuilt') "
        "ORDER BY seq DESC LIMIT 1), 1)",
        (source,),
    )
    return (resource_of(row) for row in rows)
