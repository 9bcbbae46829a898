"""What is in the archive's trash, and who still counts on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.store import copies, keyed
from mediabox.store.assets import COLUMNS, FROM, resource_of

if TYPE_CHECKING:
    import sqlite3

    from mediabox.model.asset import Resource


def counted_on(connection: sqlite3.Connection, asset_id: int) -> list[tuple[int, int | None]]:
    """(asset, the source's own asset) of every file elsewhere whose bytes this asset keeps; None: a mere file."""
    rows = connection.execute(
        "SELECT other.asset_id, other.remote_asset_id FROM resource AS other "
        "JOIN resource AS kept ON other.duplicate_of = kept.id "
        "WHERE kept.asset_id = ?1 AND other.asset_id <> ?1 AND other.state = 'duplicate'",
        (asset_id,),
    )
    return [(row[0], row[1]) for row in rows]


def keepers_assets(connection: sqlite3.Connection, asset_id: int) -> set[int]:
    """The assets that keep bytes of this one."""
    rows = connection.execute(
        "SELECT kept.asset_id FROM resource JOIN resource AS kept ON kept.id = resource.duplicate_of "
        "WHERE resource.asset_id = ?",
        (asset_id,),
    )
    return {row[0] for row in rows}


def put_in(connection: sqlite3.Connection, resource_id: int, path: str, *, at_ms: int) -> None:
    """An archived file lies in the trash now. Its own path stays reserved."""
    connection.execute("UPDATE resource SET state = 'trashed', trashed_at_ms = ? WHERE id = ?", (at_ms, resource_id))
    set_place(connection, resource_id, path)


def take_out(connection: sqlite3.Connection, resource_id: int, path: str) -> None:
    """It is back at its path."""
    connection.execute("UPDATE resource SET state = 'archived', trashed_at_ms = NULL WHERE id = ?", (resource_id,))
    set_place(connection, resource_id, path)


def condemn(connection: sqlite3.Connection, resource_id: int) -> None:
    """Its time in the trash is over: from now on its copy is nobody's, and is removed."""
    connection.execute("UPDATE resource SET state = 'removed' WHERE id = ?", (resource_id,))


def condemned(connection: sqlite3.Connection, folder: str) -> list[tuple[Resource, str]]:
    """Copies in the trash (`folder`) of files that are no longer there by their state, with their path."""
    rows = connection.execute(
        f"SELECT {COLUMNS}, lying {FROM} "
        "JOIN (SELECT resource_id, path AS lying FROM copy) ON resource_id = resource.id "
        "WHERE lying >= ?1 || '/' AND lying < ?1 || '0' AND state <> 'trashed' ORDER BY resource.id",
        (folder,),
    )
    return [(resource_of(row), row[-1]) for row in rows]


def erased(connection: sqlite3.Connection, volume: str) -> list[tuple[Resource, str]]:
    """Copies on a volume of files a person erased, with their path."""
    rows = connection.execute(
        f"SELECT {COLUMNS}, lying FROM (SELECT subject FROM decision WHERE kind = 'erased' AND NOT is_revoked) "
        "JOIN resource ON resource.digest = subject JOIN source ON source.id = resource.source_id "
        "JOIN (SELECT resource_id, volume, path AS lying FROM copy) ON resource_id = resource.id "
        "WHERE volume = ? AND resource.state = 'removed' ORDER BY resource.id",
        (volume,),
    )
    return [(resource_of(row), row[-1]) for row in rows]


def forget_copy(connection: sqlite3.Connection, resource_id: int, path: str) -> None:
    """There is no copy at this path any more."""
    connection.execute("DELETE FROM copy WHERE resource_id = ? AND path = ?", (resource_id, path))
    keyed.touch(connection, resource_id)


def begin_again(connection: sqlite3.Connection, resource_id: int) -> None:
    """Back at its source after we let it go, or kept by somebody who let it go: to be fetched anew."""
    connection.execute(
        "UPDATE resource SET state = 'seen', digest = NULL, duplicate_of = NULL, path = NULL, path_key = NULL, "
        "sidecar_path = NULL, trashed_at_ms = NULL, archived_at_ms = NULL WHERE id = ?",
        (resource_id,),
    )


def since(connection: sqlite3.Connection, after_ms: int) -> int:
    """Assets whose files went to the trash after `after_ms`."""
    row = connection.execute(
        "SELECT count(DISTINCT asset_id) FROM resource WHERE trashed_at_ms > ?", (after_ms,)
    ).fetchone()
    return int(row[0])


def library_size(connection: sqlite3.Connection) -> int:
    """Assets in the archive, its trash included."""
    question = "SELECT count(DISTINCT asset_id) FROM resource WHERE state IN ('archived', 'trashed')"
    return int(connection.execute(question).fetchone()[0])


def assets_in(connection: sqlite3.Connection) -> list[int]:
    """Assets with files in the trash."""
    rows = connection.execute("SELECT DISTINCT asset_id FROM resource WHERE state = 'trashed'")
    return [row[0] for row in rows]


def expired(connection: sqlite3.Connection, before_ms: int, *, limit: int) -> list[int]:
    """Assets whose last file went to the trash before `before_ms`, longest ago first."""
    rows = connection.execute(
        "SELECT asset_id FROM resource WHERE state = 'trashed' GROUP BY asset_id "
        "HAVING max(trashed_at_ms) < ? ORDER BY max(trashed_at_ms) LIMIT ?",
        (before_ms, limit),
    )
    return [row[0] for row in rows]


def set_place(connection: sqlite3.Connection, resource_id: int, path: str) -> None:
    """Where its copies lie now."""
    for copy in copies.of_resource(connection, resource_id):
        copies.move(connection, copy, path)
