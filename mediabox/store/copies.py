"""Copies and what proves them. Every row carries its own hash, so that a flipped bit never passes for proof."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mediabox.model.ledger import Copy, CopyState, Evidence
from mediabox.model.sidecar import SidecarFile
from mediabox.store.assets import path_key
from mediabox.store.keyed import is_ours, signed, signed_again, touch

if TYPE_CHECKING:
    import sqlite3

    from mediabox.contracts import Written

_LAST = "\U0010ffff"  # sorts behind whatever a name begins with
_COLUMNS = "resource_id, volume, path, size_bytes, digest, evidence, proved_at_ms, state"
_NEWEST = "(SELECT coalesce(max(seq), 0) FROM journal)"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate before a release reads of one copy."""

    copy: Copy
    proved_seq: int  # the journal's newest row when it was proved
    is_ours: bool  # signed by this box, as it is


SIGNED = (*Copy.__struct_fields__, "proved_seq")
_PLACES = [f"?{number + 1}" for number in range(len(Copy.__struct_fields__))]
_PUT = ", ".join(_PLACES)


def put(connection: sqlite3.Connection, copy: Copy) -> None:
    """Store or replace what is known of one copy."""
    connection.execute(
        f"INSERT OR REPLACE INTO copy ({_COLUMNS}, row_hash, proved_seq, mac) "
        f"VALUES ({_PUT}, ?9, {_NEWEST}, {signed('copy', (*_PLACES, _NEWEST))})",
        (*_values(copy), _hash(copy)),
    )
    touch(connection, copy.resource_id)


class Held(NamedTuple):
    """A file in the archive or its trash with one of its copies, if it has any. Times in Unix ms."""

    resource_id: int
    taken_in_at_ms: int
    archived_at_ms: int | None
    evidence: str | None
    proved_at_ms: int | None


def held(connection: sqlite3.Connection, asset_id: int) -> list[Held]:
    """An asset's files with their copies that are present."""
    rows = connection.execute(
        "SELECT id, taken_in_at_ms, archived_at_ms, evidence, proved_at_ms FROM resource "
        "LEFT JOIN copy ON copy.resource_id = id AND copy.state = 'present' "
        "WHERE asset_id = ? AND resource.state IN ('archived', 'trashed')",
        (asset_id,),
    )
    return [Held(*row) for row in rows]


def move(connection: sqlite3.Connection, copy: Copy, path: str) -> None:
    """It lies at another path of its volume now. What proves it, and when, stays as it was."""
    moved = msgspec.structs.replace(copy, path=path)
    connection.execute(
        f"UPDATE copy SET path = ?1, row_hash = ?2, mac = {signed_again('copy', SIGNED, {'path': '?1'})} "
        "WHERE resource_id = ?3 AND volume = ?4",
        (path, _hash(moved), copy.resource_id, copy.volume),
    )


def proofs(connection: sqlite3.Connection, resource_id: int) -> list[Proof]:
    """Every copy of one resource, with what says whether the row may be believed."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, row_hash, proved_seq, {is_ours('copy', SIGNED)} FROM copy WHERE resource_id = ?",
        (resource_id,),
    )
    return [Proof(copy=_copy(row)[0], proved_seq=row[9], is_ours=bool(row[10])) for row in rows]


def sign_all(connection: sqlite3.Connection, volume: str) -> None:
    """As they are: somebody has just read every copy on this volume again."""
    connection.execute(f"UPDATE copy SET mac = {signed('copy', SIGNED)} WHERE volume = ?", (volume,))


def of_resource(connection: sqlite3.Connection, resource_id: int) -> list[Copy]:
    """All copies of one resource whose rows are whole."""
    rows = connection.execute(f"SELECT {_COLUMNS}, row_hash FROM copy WHERE resource_id = ?", (resource_id,))
    return [copy for copy, digest in map(_copy, rows) if digest == _hash(copy)]


def oldest(connection: sqlite3.Connection, volume: str, *, before_ms: int, limit: int) -> list[Copy]:
    """Copies on a volume proved before `before_ms`, longest ago first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, row_hash FROM copy WHERE volume = ? AND proved_at_ms < ? ORDER BY proved_at_ms LIMIT ?",
        (volume, before_ms, limit),
    )
    return [copy for copy, _ in map(_copy, rows)]


def after(connection: sqlite3.Connection, volume: str, resource_id: int, *, limit: int) -> list[Copy]:
    """Copies on a volume in order of resource id, from the one after `resource_id`."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, row_hash FROM copy WHERE volume = ? AND resource_id > ? ORDER BY resource_id LIMIT ?",
        (volume, resource_id, limit),
    )
    return [copy for copy, _ in map(_copy, rows)]


def bad_rows(connection: sqlite3.Connection) -> list[int]:
    """Resource ids of rows whose hash does not fit: the database itself was damaged."""
    rows = connection.execute(f"SELECT {_COLUMNS}, row_hash FROM copy")
    return [copy.resource_id for copy, digest in map(_copy, rows) if digest != _hash(copy)]


def in_folder(connection: sqlite3.Connection, folder: str) -> list[tuple[str, str]]:
    """(path, digest) of every archived original directly in a folder of the archive, by path."""
    prefix = f"{folder}/" if folder else ""
    key = path_key(prefix)  # has an index; "+state": not the index of states, which holds the whole archive
    rows = connection.execute(
        "SELECT path, digest FROM resource WHERE +state = 'archived' AND path_key >= ?2 AND path_key < ?3 "
        "AND path >= ?1 AND path < ?4 AND instr(substr(path, length(?1) + 1), '/') = 0 ORDER BY path",
        (prefix, key, key + _LAST, prefix + _LAST),
    )
    return [(path, digest) for path, digest in rows]


def sample(connection: sqlite3.Connection, volume: str, limit: int) -> list[Copy]:
    """A few copies that should be there, spread over the catalogue."""
    highest = connection.execute("SELECT max(resource_id) FROM copy WHERE volume = ?", (volume,)).fetchone()[0] or 0
    found: dict[int, Copy] = {}
    for step in range(limit):
        for copy in after(connection, volume, highest * step // limit, limit=1):
            if copy.state is CopyState.PRESENT:
                found[copy.resource_id] = copy
    return list(found.values())


# ---------------------------------------------------------------- files of ours


def put_written(connection: sqlite3.Connection, written: Written, asset_id: int | None, at_ms: int) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO written (path, path_key, asset_id, digest, size_bytes, written_at_ms)"
        " VALUES (?,?,?,?,?,?)",
        (written.path, path_key(written.path), asset_id, written.digest, written.size_bytes, at_ms),
    )


def sidecar_of(connection: sqlite3.Connection, asset_id: int) -> SidecarFile | None:
    """An asset's sidecar as last written."""
    return next(iter(sidecars_of(connection, asset_id)), None)


def sidecars_of(connection: sqlite3.Connection, asset_id: int) -> list[SidecarFile]:
    """Every sidecar written for an asset: more than one after two assets were joined."""
    rows = connection.execute(
        "SELECT path, digest FROM written WHERE asset_id = ? AND digest IS NOT NULL ORDER BY written_at_ms DESC, path",
        (asset_id,),
    )
    return [SidecarFile(path=path, digest=digest) for path, digest in rows]


def forget_written(connection: sqlite3.Connection, path: str) -> None:
    """A sidecar of ours is withdrawn: its name stays reserved, nothing is expected there."""
    connection.execute("UPDATE written SET digest = NULL, asset_id = NULL WHERE path = ?", (path,))


def archived_paths(connection: sqlite3.Connection) -> set[str]:
    """Paths of every archived original."""
    return {row[0] for row in connection.execute("SELECT path FROM resource WHERE state = 'archived'")}


def written_files(connection: sqlite3.Connection) -> dict[str, str]:
    """path -> digest of every sidecar and manifest we wrote."""
    return dict(connection.execute("SELECT path, digest FROM written WHERE digest IS NOT NULL"))


def _values(copy: Copy) -> tuple[object, ...]:
    return (
        copy.resource_id,
        copy.volume,
        copy.path,
        copy.size_bytes,
        copy.digest,
        copy.evidence.value,
        copy.proved_at_ms,
        copy.state.value,
    )


def _hash(copy: Copy) -> str:
    return hashlib.sha256(repr(_values(copy)).encode()).hexdigest()[:32]


def _copy(row: tuple[Any, ...]) -> tuple[Copy, str]:
    copy = Copy(
        resource_id=row[0],
        volume=row[1],
        path=row[2],
        size_bytes=row[3],
        digest=row[4],
        evidence=Evidence(row[5]),
        proved_at_ms=row[6],
        state=CopyState(row[7]),
    )
    return copy, row[8]
