"""What sources tell beyond bytes: their own assets, what they say of them, albums and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mediabox.model.said import Presence, Said
from mediabox.store.assets import COLUMNS, FROM, resource_of
from mediabox.store.gate import SIGNED_ASSET, SIGNED_FILE
from mediabox.store.keyed import signed, signed_again

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mediabox.model.asset import Membership, RemoteAlbum, RemoteAsset, Resource, Role

DEEPEST = 16  # folders around an album: a loop in what a source tells must not become one of ours


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One asset as its source knows it."""

    id: int
    source: str
    remote_id: str
    asset_id: int
    presence: Presence
    since_ms: int
    moved_to: int | None  # `Told.id` of what it has become, once that is known
    said: Said

    @property
    def library(self) -> str:
        """The source's library it is in: what stands before the last '/' of its id."""
        return self.remote_id.rpartition("/")[0]


_HANDED_OVER = {"remote_asset_id": "?1", "remote_id": "coalesce(?2, remote_id)"}
_COLUMNS = "remote_asset.id, source.name, remote_id, asset_id, state, since_ms, moved_to, said"
_FROM = "FROM remote_asset JOIN source ON source.id = remote_asset.source_id"


def _told(row: tuple[Any, ...]) -> Told:
    return Told(
        id=row[0],
        source=row[1],
        remote_id=row[2],
        asset_id=row[3],
        presence=Presence(row[4]),
        since_ms=row[5],
        moved_to=row[6],
        said=msgspec.json.decode(row[7], type=Said),
    )


def find(connection: sqlite3.Connection, source: int, remote_id: str) -> Told | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE source_id = ? AND remote_id = ?", (source, remote_id)
    ).fetchone()
    return _told(row) if row else None


def of_asset(connection: sqlite3.Connection, asset_id: int) -> list[Told]:
    """Every source's asset that is this one; the one whose word counts first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE asset_id = ? ORDER BY state <> 'present', remote_asset.id DESC", (asset_id,)
    )
    return [_told(row) for row in rows]


def said_of(connection: sqlite3.Connection, asset_id: int) -> Said | None:
    """What sources say of an asset: the word that counts first."""
    return next((each.said for each in of_asset(connection, asset_id)), None)


def of_content(connection: sqlite3.Connection, source: int, content_id: str) -> list[Told]:
    """A source's assets made of the same original, newest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE source_id = ? AND content_id = ? ORDER BY remote_asset.id DESC",
        (source, content_id),
    )
    return [_told(row) for row in rows]


def add(connection: sqlite3.Connection, source: int, remote: RemoteAsset, *, asset_id: int, at_ms: int) -> Told:
    said = remote.said or Said()
    connection.execute(
        "INSERT INTO remote_asset (source_id, remote_id, asset_id, since_ms, content_id, said) VALUES (?,?,?,?,?,?)",
        (source, remote.remote_id, asset_id, at_ms, said.content_id, _text(said)),
    )
    connection.execute(
        f"UPDATE remote_asset SET mac = {signed('remote_asset', SIGNED_ASSET)} WHERE source_id = ? AND remote_id = ?",
        (source, remote.remote_id),
    )
    found = find(connection, source, remote.remote_id)
    assert found is not None, "it was just written"
    return found


def set_change_tag(connection: sqlite3.Connection, remote_asset_id: int, tag: str | None) -> None:
    """Keep the source's mark of the asset as it was just told of."""
    connection.execute(
        f"UPDATE remote_asset SET change_tag = ?1, mac = {_signed_again('change_tag', '?1')} "
        "WHERE id = ?2 AND change_tag IS NOT ?1",
        (tag, remote_asset_id),
    )


def _signed_again(column: str, value: str) -> str:
    return signed_again("remote_asset", SIGNED_ASSET, {column: value})


def set_said(connection: sqlite3.Connection, told: Told, said: Said) -> None:
    connection.execute(
        f"UPDATE remote_asset SET said = ?1, content_id = ?2, mac = {_signed_again('said', '?1')} WHERE id = ?3",
        (_text(said), said.content_id, told.id),
    )


def set_presence(connection: sqlite3.Connection, told: Told, presence: Presence, *, at_ms: int) -> None:
    """An asset that is back has not become another one."""
    connection.execute(
        "UPDATE remote_asset SET state = ?1, since_ms = ?2, moved_to = iif(?1 = 'moved', moved_to, NULL), "
        f"mac = {_signed_again('state', '?1')} WHERE id = ?3",
        (presence, at_ms, told.id),
    )


def set_moved_to(connection: sqlite3.Connection, told: Told, successor: Told) -> None:
    connection.execute("UPDATE remote_asset SET moved_to = ? WHERE id = ?", (successor.id, told.id))


def has_predecessor(connection: sqlite3.Connection, told: Told) -> bool:
    """Whether another one is known to have become this one."""
    return connection.execute("SELECT 1 FROM remote_asset WHERE moved_to = ?", (told.id,)).fetchone() is not None


def _text(said: Said) -> str:
    return msgspec.json.encode(said).decode()


# ---------------------------------------------------------------- albums


def put_album(connection: sqlite3.Connection, source: int, album: RemoteAlbum) -> bool:
    """Store an album or folder as it is now; whether that is news."""
    if album.is_gone:
        connection.execute("DELETE FROM membership WHERE source_id = ? AND album_id = ?", (source, album.remote_id))
        gone = "DELETE FROM album WHERE source_id = ? AND remote_id = ?"
        return connection.execute(gone, (source, album.remote_id)).rowcount > 0
    return (
        connection.execute(
            "INSERT INTO album (source_id, remote_id, name, folder_id, is_folder) VALUES (?1,?2,?3,?4,?5) "
            "ON CONFLICT DO UPDATE SET name = ?3, folder_id = ?4, is_folder = ?5 "
            "WHERE name <> ?3 OR folder_id IS NOT ?4 OR is_folder <> ?5",
            (source, album.remote_id, album.name, album.folder_id, album.is_folder),
        ).rowcount
        > 0
    )


def put_membership(connection: sqlite3.Connection, source: int, membership: Membership) -> bool:
    """Store that an asset is in an album, or is no longer; whether that is news."""
    statement = (
        "INSERT INTO membership (source_id, asset_id, album_id) VALUES (?,?,?) ON CONFLICT DO NOTHING"
        if membership.is_in
        else "DELETE FROM membership WHERE source_id = ? AND asset_id = ? AND album_id = ?"
    )
    return connection.execute(statement, (source, membership.asset_id, membership.album_id)).rowcount > 0


def assets_below(connection: sqlite3.Connection, source: int, album_id: str) -> list[int]:
    """Our ids of the assets in an album, or anywhere below a folder."""
    rows = connection.execute(
        "WITH RECURSIVE below (remote_id, depth) AS (SELECT ?2, 0 UNION "
        "SELECT album.remote_id, depth + 1 FROM album JOIN below ON folder_id = below.remote_id "
        "WHERE source_id = ?1 AND depth < ?3) "
        "SELECT DISTINCT remote_asset.asset_id FROM below "
        "JOIN membership ON membership.source_id = ?1 AND album_id = below.remote_id "
        "JOIN remote_asset ON remote_asset.source_id = ?1 AND remote_asset.remote_id = membership.asset_id",
        (source, album_id, DEEPEST),
    )
    return [row[0] for row in rows]


def albums_of(connection: sqlite3.Connection, asset_id: int) -> tuple[tuple[str, ...], ...]:
    """The albums an asset is in, each as names from the outermost folder to its own, in order."""
    rows = connection.execute(
        "SELECT DISTINCT membership.source_id, album_id FROM remote_asset JOIN membership "
        "ON membership.source_id = remote_asset.source_id AND membership.asset_id = remote_asset.remote_id "
        "WHERE remote_asset.asset_id = ?",
        (asset_id,),
    ).fetchall()
    paths = (_path(connection, source, album) for source, album in rows)
    return tuple(sorted({path for path in paths if path}))


def _path(connection: sqlite3.Connection, source: int, album_id: str) -> tuple[str, ...]:
    """Names from the outside in; () for an album nobody has told of yet."""
    names: list[str] = []
    within: str | None = album_id
    while within is not None and len(names) < DEEPEST:
        row = connection.execute(
            "SELECT name, folder_id FROM album WHERE source_id = ? AND remote_id = ?", (source, within)
        ).fetchone()
        if row is None:
            break
        names.insert(0, row[0])
        within = row[1]
    return tuple(names)


# ---------------------------------------------------------------- whose files


def asset_of_files(connection: sqlite3.Connection, source: int, remote_ids: Iterable[str]) -> int | None:
    """The asset that already has one of these files: a rebuilt catalogue knows files alone."""
    for remote_id in remote_ids:
        row = connection.execute(
            "SELECT asset_id FROM resource WHERE source_id = ? AND remote_id = ? ORDER BY id DESC", (source, remote_id)
        ).fetchone()
        if row is not None:
            return int(row[0])
    return None


def bind(connection: sqlite3.Connection, source: int, told: Told, remote_id: str, *, role: Role) -> None:
    """A file known before its asset was told of is of this asset from now on."""
    connection.execute(
        "UPDATE resource SET remote_asset_id = ?1, role = ?2, "
        f"mac = {signed_again('resource', SIGNED_FILE, {'remote_asset_id': '?1'})} "
        "WHERE source_id = ?3 AND remote_id = ?4 AND remote_asset_id IS NULL AND asset_id = ?5",
        (told.id, role, source, remote_id, told.asset_id),
    )


def files_of(connection: sqlite3.Connection, told: Told) -> list[Resource]:
    rows = connection.execute(f"SELECT {COLUMNS} {FROM} WHERE remote_asset_id = ? ORDER BY resource.id", (told.id,))
    return [resource_of(row) for row in rows]


def hand_over(connection: sqlite3.Connection, resource_id: int, successor: Told, remote_id: str | None) -> None:
    """A file is of another of the source's assets now; under `remote_id` if it goes by another name there."""
    connection.execute(
        "UPDATE resource SET remote_asset_id = ?1, remote_id = coalesce(?2, remote_id), "
        "folder = iif(?2 IS NULL, folder, ?3), "
        f"mac = {signed_again('resource', SIGNED_FILE, _HANDED_OVER)} WHERE id = ?4",
        (successor.id, remote_id, (remote_id or "").rpartition("/")[0], resource_id),
    )


def kept_twin(connection: sqlite3.Connection, source: int, content_id: str, version: str) -> Resource | None:
    """Who keeps the very bytes of this version, by the source's own word: the same version of the same original."""
    row = connection.execute(
        f"SELECT {COLUMNS} {FROM} WHERE resource.id IN (SELECT coalesce(duplicate_of, file.id) FROM remote_asset "
        "JOIN resource AS file ON remote_asset_id = remote_asset.id "
        "WHERE remote_asset.source_id = ? AND content_id = ? AND version = ?) "
        "AND state IN ('staged', 'filing', 'archived', 'trashed') AND digest IS NOT NULL ORDER BY resource.id LIMIT 1",
        (source, content_id, version),
    ).fetchone()
    return resource_of(row) if row else None
