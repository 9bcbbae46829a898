"""What the gate before a release reads, and why it may be believed.

A row's columns are the fields of a struct. Those of `Claim` and `Standing` are signed, each
of them (`store.keyed`); what `Filed` has beyond is held against the journal, or only shown.
The gate takes nothing of a file but these structs, so what it will read one day is signed too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mediabox.message import Text
from mediabox.model.asset import ResourceState
from mediabox.store import journal
from mediabox.store.keyed import is_ours, signed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

_SOURCE = "(SELECT source.name FROM source WHERE source.id = source_id)"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Which file of which asset some bytes are. Signed when they were archived, or found to be kept already."""

    id: int
    source: str
    remote_id: str
    version: str
    remote_asset_id: int | None
    duplicate_of: int | None
    digest: str | None
    size_bytes: int | None


class Filed(Claim, frozen=True, kw_only=True):
    state: ResourceState  # as the journal tells it
    archived_at_ms: int | None  # likewise
    name: str  # shown
    reason: Text | None  # shown
    is_ours: bool  # the claim is as this box signed it


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an asset stands at its source, by what that told last. Signed whenever it is told."""

    remote_asset_id: int
    source: str
    remote_id: str
    presence: str
    change_tag: str | None
    said: str  # JSON of model.said.Said


class Candidate(Standing, frozen=True, kw_only=True):
    asset_id: int  # for the journal
    is_ours: bool


SIGNED_FILE = tuple(_SOURCE if name == "source" else name for name in Claim.__struct_fields__)
_COLUMN_OF = {"remote_asset_id": "id", "source": _SOURCE, "presence": "state"}
SIGNED_ASSET = tuple(_COLUMN_OF.get(name, name) for name in Standing.__struct_fields__)
# Indexes by which it finds rows that may stand in a release's way, with their columns and the rows they list: one that
# leaves out a row hides it. Others only make it find less that is proved, or rows whose signature does not fit.
_FINDS_BY = (
    ("journal", "journal_resource", ("resource_id",), "resource_id IS NOT NULL"),
    ("journal", "journal_gate", ("event",), f"event IN {journal.GATE}"),
    ("resource", "resource_remote_asset", ("remote_asset_id",), "remote_asset_id IS NOT NULL"),
    ("resource", "sqlite_autoindex_resource_1", ("source_id", "remote_id", "version"), "TRUE"),
)
_FILE = f"SELECT {', '.join(SIGNED_FILE)}, state, archived_at_ms, name, reason, {is_ours('resource', SIGNED_FILE)}"
_FILE_FIELDS = (*Claim.__struct_fields__, "state", "archived_at_ms", "name", "reason", "is_ours")
_ASSET = f"SELECT {', '.join(SIGNED_ASSET)}, asset_id, {is_ours('remote_asset', SIGNED_ASSET)} FROM remote_asset"
_ASSET_FIELDS = (*Standing.__struct_fields__, "asset_id", "is_ours")


def file(connection: sqlite3.Connection, resource_id: int) -> Filed | None:
    row = connection.execute(f"{_FILE} FROM resource WHERE id = ?", (resource_id,)).fetchone()
    return _filed(row) if row else None


def files(connection: sqlite3.Connection, remote_asset_id: int) -> list[Filed]:
    """Every file ever taken in of a source's asset, oldest version first; those that only its id names as well."""
    rows = connection.execute(
        f"{_FILE} FROM resource WHERE remote_asset_id = ?1 OR id IN (SELECT file.id FROM remote_asset AS asset "
        "JOIN resource AS file ON file.source_id = asset.source_id AND file.remote_asset_id IS NULL "
        "AND file.remote_id > asset.remote_id || '/' AND file.remote_id < asset.remote_id || '0' "
        "WHERE asset.id = ?1) ORDER BY id",
        (remote_asset_id,),
    )
    return [_filed(row) for row in rows]


def missing_file(connection: sqlite3.Connection) -> int | None:
    """A file that the journal tells of and that has no row: rows of files are never deleted."""
    row = connection.execute(
        "SELECT resource_id FROM journal WHERE resource_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM resource WHERE id = resource_id) LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def wrong_index(connection: sqlite3.Connection) -> str | None:
    """An index the gate finds rows by that does not list each of them, and nothing else; None when all do.

    As SQLite's own check does it, for these alone: as many entries as rows, and every row is found.
    """
    for table, index, columns, listed in _FINDS_BY:
        rows, by_index = f"{table} AS each NOT INDEXED WHERE {listed}", f"{table} INDEXED BY {index} WHERE {listed}"
        same = " AND ".join(f"{column} = each.{column}" for column in (*columns, "rowid"))
        question = (  # at one moment: the daemon may be writing
            f"SELECT (SELECT count(*) FROM {rows}) <> (SELECT count(*) FROM {by_index}) "
            f"OR EXISTS (SELECT 1 FROM {rows} AND NOT EXISTS (SELECT 1 FROM {by_index} AND {same}))"
        )
        if connection.execute(question).fetchone()[0]:
            return index
    return None


def kept(connection: sqlite3.Connection) -> Iterator[Filed]:
    """Every file whose bytes are in the archive, its trash included, or are those of one that is."""
    return map(_filed, connection.execute(f"{_FILE} FROM resource WHERE state IN ('archived', 'trashed', 'duplicate')"))


def candidate(connection: sqlite3.Connection, remote_asset_id: int) -> Candidate | None:
    row = connection.execute(f"{_ASSET} WHERE id = ?", (remote_asset_id,)).fetchone()
    return _candidate(row) if row else None


def candidates(connection: sqlite3.Connection, source: str) -> Iterator[Candidate]:
    """What a source has now, first told first."""
    of_source = "source_id = (SELECT id FROM source WHERE name = ?)"
    rows = connection.execute(f"{_ASSET} WHERE {of_source} AND state = 'present' ORDER BY id", (source,))
    return map(_candidate, rows)


def sign_all(connection: sqlite3.Connection) -> None:
    """As they are: somebody has just proved every one of them again."""
    connection.execute(
        f"UPDATE resource SET mac = {signed('resource', SIGNED_FILE)} "
        "WHERE state IN ('archived', 'trashed', 'duplicate')"
    )
    connection.execute(f"UPDATE remote_asset SET mac = {signed('remote_asset', SIGNED_ASSET)}")


def set_archived_at(connection: sqlite3.Connection, resource_id: int, at_ms: int | None) -> None:
    """The journal's word."""
    connection.execute("UPDATE resource SET archived_at_ms = ? WHERE id = ?", (at_ms, resource_id))


def _filed(row: Sequence[Any]) -> Filed:
    values = dict(zip(_FILE_FIELDS, row, strict=True))
    return Filed(**values | {"state": ResourceState(values["state"]), "is_ours": bool(values["is_ours"])})


def _candidate(row: Sequence[Any]) -> Candidate:
    values = dict(zip(_ASSET_FIELDS, row, strict=True))
    return Candidate(**values | {"is_ours": bool(values["is_ours"])})


# ---------------------------------------------------------------- what the journal says of a file


class Story(msgspec.Struct, kw_only=True):
    """One file by its journal alone."""

    sha256: str | None = None
    state: ResourceState = ResourceState.SEEN
    came_whole: bool | None = None  # False: an older backup's, never held against a checksum; None: nobody knows
    damage: str | None = None
    came_seq: int = 0  # the row that says so
    archived_seq: int = 0
    trashed_seq: int = 0
    archived_at_ms: int | None = None  # None: not since it was fetched
    written: dict[str, tuple[int, int]] = {}  # volume -> row and time of the newest copy's writing there
    unwhole: set[str] = set()  # paths of copies that were not found whole when last looked for


_BECAME = {
    "archived": ResourceState.ARCHIVED,
    "rebuilt": ResourceState.ARCHIVED,
    "recovered": ResourceState.ARCHIVED,
    "trashed": ResourceState.TRASHED,
    "removed_from_trash": ResourceState.REMOVED,
    "quarantined": ResourceState.QUARANTINED,
    "fetched": ResourceState.STAGED,
    "duplicate": ResourceState.DUPLICATE,
}


def story(connection: sqlite3.Connection, resource_id: int) -> Story:
    told = Story()
    for entry in journal.of_resource(connection, resource_id):
        _tell(told, entry)
    return told


def _tell(told: Story, entry: journal.Entry) -> None:
    fields = entry.fields
    told.state = _BECAME.get(entry.event, told.state)
    match entry.event:
        case "fetched" | "duplicate":
            told.sha256, told.came_seq = str(fields["sha256"]), entry.seq
            told.came_whole = "adopted_from" not in fields or fields.get("likeness") == "checksum"
            told.archived_seq, told.archived_at_ms = 0, None
        case "checksum_agreed":
            told.came_whole, told.came_seq = told.sha256 == fields["sha256"], entry.seq
        case "examined":
            told.damage = str(fields["damage"]) if "damage" in fields else None
        case "archived" | "rebuilt":
            if told.archived_at_ms is None:
                told.archived_seq, told.archived_at_ms = entry.seq, entry.at_ms
            told.sha256 = str(fields.get("sha256", told.sha256 or "")) or None
            told.came_whole = told.came_whole if entry.event == "archived" else None
            told.written[str(fields.get("volume", ""))] = (entry.seq, entry.at_ms)
        case "trashed":
            told.trashed_seq = entry.seq
        case "copy_missing" | "copy_damaged":
            told.unwhole.add(str(fields["path"]))
        case "copy_present":
            told.unwhole.discard(str(fields["path"]))
