"""Assets and resources. Each function is one question or one change, inside the caller's transaction."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from mediabox.message import Text, from_stored, stored
from mediabox.model.asset import Kind, RemoteResource, Resource, ResourceState, Role
from mediabox.model.naming import home_folder
from mediabox.store import asset_index, keyed
from mediabox.store.gate import SIGNED_FILE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

COLUMNS = (
    "resource.id, asset_id, source.name, remote_id, version, resource.name, kind, role, state, size_bytes, "
    "modified_at_ms, digest, duplicate_of, path, reason, remote_asset_id"
)
FROM = "FROM resource JOIN source ON source.id = resource.source_id"


def path_key(path: str) -> str:
    """What two paths have in common when any file system might take them for the same (I6)."""
    return unicodedata.normalize("NFC", path).casefold()


def resource_of(row: Sequence[Any]) -> Resource:
    """A value from a row of COLUMNS."""
    return Resource(
        id=row[0],
        asset_id=row[1],
        source=row[2],
        remote_id=row[3],
        version=row[4],
        name=row[5],
        kind=Kind(row[6]),
        role=Role(row[7]),
        state=ResourceState(row[8]),
        size_bytes=row[9],
        modified_at_ms=row[10],
        digest=row[11],
        duplicate_of=row[12],
        path=row[13],
        reason=from_stored(row[14]) if row[14] is not None else None,
        remote_asset_id=row[15],
    )


# ---------------------------------------------------------------- taking in


def add_asset(connection: sqlite3.Connection) -> int:
    return int(connection.execute("INSERT INTO asset DEFAULT VALUES RETURNING id").fetchone()[0])


def add_resource(
    connection: sqlite3.Connection,
    asset_id: int,
    source: int,
    remote: RemoteResource,
    *,
    stem: str,
    at_ms: int,
    remote_asset_id: int | None = None,
) -> int:
    """A new row in state `seen`, be it that the file was ignored before."""
    connection.execute("DELETE FROM ignored WHERE source_id = ? AND remote_id = ?", (source, remote.remote_id))
    return int(
        connection.execute(
            "INSERT INTO resource (asset_id, source_id, remote_id, version, name, folder, stem, kind, role, state,"
            " size_bytes, modified_at_ms, taken_in_at_ms, remote_asset_id)"
            " VALUES (?,?,?,?,?,?,?,?,?,'seen',?,?,?,?) RETURNING id",
            (
                asset_id,
                source,
                remote.remote_id,
                remote.version,
                remote.name,
                home_folder(remote.remote_id),
                stem,
                remote.kind,
                remote.role,
                remote.size_bytes,
                remote.modified_at_ms,
                at_ms,
                remote_asset_id,
            ),
        ).fetchone()[0]
    )


def renew(connection: sqlite3.Connection, source: int, remote: RemoteResource) -> int | None:
    """A file that changed before we had it: its unread or quarantined row takes the new version. Its id, or None."""
    row = connection.execute(
        "UPDATE resource SET version = ?3, size_bytes = ?4, modified_at_ms = ?5, state = 'seen', reason = NULL "
        "WHERE id = (SELECT id FROM resource WHERE source_id = ?1 AND remote_id = ?2 "
        "AND state IN ('seen', 'quarantined') ORDER BY id DESC LIMIT 1) RETURNING id",
        (source, remote.remote_id, remote.version, remote.size_bytes, remote.modified_at_ms),
    ).fetchone()
    return int(row[0]) if row else None


# ---------------------------------------------------------------- one resource


def resource(connection: sqlite3.Connection, resource_id: int) -> Resource | None:
    row = connection.execute(f"SELECT {COLUMNS} {FROM} WHERE resource.id = ?", (resource_id,)).fetchone()
    return resource_of(row) if row else None


def keeper(connection: sqlite3.Connection, digest: str) -> int | None:
    """The still, video or raw under whose id these bytes are kept, or are about to be."""
    row = connection.execute(
        "SELECT id FROM resource WHERE digest = ? AND state IN ('staged', 'filing', 'archived', 'trashed') "
        "AND kind <> 'sidecar' AND role <> 'companion'",
        (digest,),
    ).fetchone()
    return int(row[0]) if row else None


def with_digest(connection: sqlite3.Connection, digest: str) -> list[Resource]:
    """Every file of these bytes, in whatever state."""
    rows = connection.execute(f"SELECT {COLUMNS} {FROM} WHERE digest = ? ORDER BY resource.id", (digest,))
    return [resource_of(row) for row in rows]


def set_kept_out(connection: sqlite3.Connection, resource_id: int, digest: str) -> None:
    """Its bytes were erased by a person: they do not come in."""
    connection.execute("UPDATE resource SET state = 'removed', digest = ? WHERE id = ?", (digest, resource_id))


def archived_with(connection: sqlite3.Connection, digits: str) -> list[Resource]:
    """What is archived and has a SHA-256 that begins so."""
    rows = connection.execute(
        f"SELECT {COLUMNS} {FROM} WHERE state = 'archived' AND digest >= ?1 AND digest < ?1 || 'g'", (digits,)
    )
    return [resource_of(row) for row in rows]


def set_staged(connection: sqlite3.Connection, resource_id: int, *, digest: str, size_bytes: int) -> None:
    connection.execute(
        "UPDATE resource SET state = 'staged', digest = ?, size_bytes = ? WHERE id = ?",
        (digest, size_bytes, resource_id),
    )


def set_duplicate(connection: sqlite3.Connection, resource_id: int, *, of: int, digest: str, size_bytes: int) -> None:
    connection.execute(
        "UPDATE resource SET state = 'duplicate', duplicate_of = ?1, digest = ?2, size_bytes = ?3, "
        f"mac = {_signed({'duplicate_of': '?1', 'digest': '?2', 'size_bytes': '?3'})} WHERE id = ?4",
        (of, digest, size_bytes, resource_id),
    )


def set_quarantined(connection: sqlite3.Connection, resource_id: int, reason: Text) -> None:
    connection.execute(
        "UPDATE resource SET state = 'quarantined', reason = ?, digest = NULL WHERE id = ?",
        (stored(reason), resource_id),
    )


def forget_version(connection: sqlite3.Connection, resource_id: int) -> None:
    """The file is gone. Should it be listed again, be it with its old time, that is news (`renew`)."""
    connection.execute("UPDATE resource SET version = 'gone:' || id WHERE id = ?", (resource_id,))


def disown(connection: sqlite3.Connection, keeper_id: int) -> list[int]:
    """The duplicates of a resource that turned out not to be kept, back to `seen`; their ids."""
    rows = connection.execute(
        "UPDATE resource SET state = 'seen', duplicate_of = NULL, digest = NULL WHERE duplicate_of = ? RETURNING id",
        (keeper_id,),
    ).fetchall()
    return [row[0] for row in rows]


def duplicates(connection: sqlite3.Connection, keeper_id: int) -> list[Resource]:
    """The files whose bytes are kept under this resource's id. Asked at every filing: found by their digest's index."""
    rows = connection.execute(
        f"SELECT {COLUMNS} {FROM} WHERE digest = (SELECT digest FROM resource WHERE id = ?1) AND duplicate_of = ?1",
        (keeper_id,),
    )
    return [resource_of(row) for row in rows]


def quarantined(connection: sqlite3.Connection) -> list[Resource]:
    return [resource_of(row) for row in connection.execute(f"SELECT {COLUMNS} {FROM} WHERE state = 'quarantined'")]


def set_seen(connection: sqlite3.Connection, resource_id: int) -> None:
    """Back to the beginning: nothing of it is held any more."""
    connection.execute(
        "UPDATE resource SET state = 'seen', digest = NULL, path = NULL, path_key = NULL, reason = NULL WHERE id = ?",
        (resource_id,),
    )
    connection.execute("DELETE FROM job WHERE subject = ? AND step IN ('examine', 'file')", (str(resource_id),))


def unplace(connection: sqlite3.Connection, resource_id: int) -> None:
    """Give up a reserved path; the bytes stay staged."""
    connection.execute(
        "UPDATE resource SET state = 'staged', path = NULL, path_key = NULL WHERE id = ?", (resource_id,)
    )


def _signed(changes: dict[str, str]) -> str:
    """The box signs what it has just read, written and read back."""
    return keyed.signed("resource", SIGNED_FILE, changes)


def set_archived(connection: sqlite3.Connection, resource_id: int, at_ms: int) -> None:
    connection.execute(
        f"UPDATE resource SET state = 'archived', archived_at_ms = coalesce(archived_at_ms, ?), mac = {_signed({})} "
        "WHERE id = ?",
        (at_ms, resource_id),
    )


def times(connection: sqlite3.Connection, resource_id: int) -> tuple[int, int]:
    """When a resource was taken in, and archived (0: not yet)."""
    row = connection.execute(
        "SELECT taken_in_at_ms, coalesce(archived_at_ms, 0) FROM resource WHERE id = ?", (resource_id,)
    ).fetchone()
    return (row[0], row[1])


def sidecar_path(connection: sqlite3.Connection, resource_id: int) -> str | None:
    """The name reserved for our sidecar beside a resource."""
    row = connection.execute("SELECT sidecar_path FROM resource WHERE id = ?", (resource_id,)).fetchone()
    return row[0] if row else None


def set_kind(connection: sqlite3.Connection, resource_id: int, kind: Kind) -> None:
    """Content has the last word over the name."""
    connection.execute("UPDATE resource SET kind = ? WHERE id = ?", (kind, resource_id))


def set_removed(connection: sqlite3.Connection, resource_id: int, at_ms: int) -> None:
    connection.execute("UPDATE resource SET removed_at_ms = ? WHERE id = ?", (at_ms, resource_id))


def reserve(connection: sqlite3.Connection, resource_id: int, path: str, sidecar_path: str | None) -> None:
    """Reserve a path in the archive; the unique index refuses one that is taken."""
    connection.execute(
        "UPDATE resource SET state = 'filing', path = ?, path_key = ?, sidecar_path = ? WHERE id = ?",
        (path, path_key(path), sidecar_path, resource_id),
    )
    shun(connection, sidecar_path)


def plan_move(connection: sqlite3.Connection, resource_id: int, path: str, sidecar_path: str | None) -> None:
    """An archived file is to have another path. Its name, and that of our sidecar there, are kept for it."""
    connection.execute(
        "UPDATE resource SET moves_to = ?, sidecar_path = ? WHERE id = ?", (path, sidecar_path, resource_id)
    )
    shun(connection, path, sidecar_path)


def shun(connection: sqlite3.Connection, *paths: str | None) -> None:
    """Give no file these names: they are kept for another, or a file nobody told us of lies there."""
    connection.executemany(
        "INSERT INTO written (path, path_key) VALUES (?,?) ON CONFLICT DO NOTHING",
        [(path, path_key(path)) for path in paths if path is not None],
    )


def moves(connection: sqlite3.Connection, resource_id: int) -> tuple[str | None, str | None]:
    """The path an archived file is to have, and the one it had before and may still be found at."""
    row = connection.execute("SELECT moves_to, moved_from FROM resource WHERE id = ?", (resource_id,)).fetchone()
    return (row[0], row[1]) if row else (None, None)


def set_moved(connection: sqlite3.Connection, resource_id: int, path: str) -> None:
    """It has the path it was to have; the other name is still to go."""
    connection.execute(
        "UPDATE resource SET moved_from = path, path = ?1, path_key = ?2, moves_to = NULL WHERE id = ?3",
        (path, path_key(path), resource_id),
    )


def forget_moves(connection: sqlite3.Connection, resource_id: int) -> None:
    """The other name is gone, or was never given."""
    connection.execute("UPDATE resource SET moves_to = NULL, moved_from = NULL WHERE id = ?", (resource_id,))


def unfinished(connection: sqlite3.Connection) -> list[int]:
    """Ids of resources without an end: for these the spool may hold something after a restart."""
    rows = connection.execute("SELECT id FROM resource WHERE state IN ('seen', 'staged', 'filing')")
    return [row[0] for row in rows]


def folders_being_written(connection: sqlite3.Connection) -> list[str]:
    """Folders of the archive in which a sidecar or manifest of ours was to be written when we stopped."""
    rows = connection.execute(
        "SELECT DISTINCT subject FROM job WHERE step = 'manifest' UNION "
        "SELECT DISTINCT rtrim(rtrim(path, replace(path, '/', '')), '/') FROM resource JOIN job "
        "ON step = 'describe' AND asset_id = CAST(subject AS INTEGER) WHERE path IS NOT NULL"
    )
    return [row[0] for row in rows]


# ---------------------------------------------------------------- assets


def members(connection: sqlite3.Connection, asset_id: int) -> list[Resource]:
    rows = connection.execute(f"SELECT {COLUMNS} {FROM} WHERE asset_id = ? ORDER BY resource.id", (asset_id,))
    return [resource_of(row) for row in rows]


def members_of_each(connection: sqlite3.Connection, asset_ids: Sequence[int]) -> list[Resource]:
    rows = connection.execute(
        f"SELECT {COLUMNS} {FROM} WHERE asset_id IN (SELECT value FROM json_each(?)) ORDER BY resource.id",
        (str(list(asset_ids)),),
    )
    return [resource_of(row) for row in rows]


def join(connection: sqlite3.Connection, resource_id: int, asset_id: int, role: Role) -> int:
    """Move a resource into another asset; the asset it leaves goes when it is empty. Returns the asset it left."""
    left = int(connection.execute("SELECT asset_id FROM resource WHERE id = ?", (resource_id,)).fetchone()[0])
    connection.execute("UPDATE resource SET asset_id = ?, role = ? WHERE id = ?", (asset_id, role, resource_id))
    if left != asset_id and not connection.execute("SELECT 1 FROM resource WHERE asset_id = ?", (left,)).fetchone():
        connection.execute("UPDATE written SET asset_id = ? WHERE asset_id = ?", (asset_id, left))
        connection.execute("UPDATE remote_asset SET asset_id = ? WHERE asset_id = ?", (asset_id, left))
        connection.execute("DELETE FROM job WHERE step = 'describe' AND subject = ?", (str(left),))
        asset_index.remove(connection, left)
        connection.execute("DELETE FROM asset WHERE id = ?", (left,))
    return left
