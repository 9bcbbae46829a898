"""The asset index: one narrow row for each asset as it is searched and shown, and its words.

All of it follows from the other tables: the journal says which assets changed
(`core/indexing.py`), so that nothing else has to remember the index, and an older
catalogue is indexed by reading its journal from the first row.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache, wraps
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

import msgspec

from mediabox.errors import Retryable
from mediabox.message import message
from mediabox.model.indexed import Flag
from mediabox.model.issue import Issue
from mediabox.model.wall_clock import month_of
from mediabox.search.fields import WORDS
from mediabox.search.tokens import document_of
from mediabox.store import issues, journal, schema, volumes
from mediabox.store.search import bits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mediabox.model.indexed import IndexedAsset

_COLUMNS = (
    *("asset_id", "kind", "sort_ms", "date_digits", "added_ms", "size_bytes", "format", "width", "height"),
    *("duration_s", "rating", "latitude", "longitude"),
    *("copies", "reread", "verified", "delivered", "archived_ms", "proved_ms"),
)
_values_of = attrgetter(*_COLUMNS)
_ROW = f"{', '.join(_COLUMNS)}, flags, holders"
_OLD = f"SELECT {_ROW} FROM asset_index WHERE asset_id = ?"
_PUT = f"INTO asset_index ({_ROW}) VALUES ({'?,' * len(_COLUMNS)}?,?)"
_COUNTED = ("holders", "sort_ms", "kind", "flags", "size_bytes")
_COUNT = (
    "INSERT INTO index_count (holders, month, kind, is_shown, count, size_bytes) VALUES (?,?,?,?,?,?) "
    "ON CONFLICT DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes"
)
NOT_SHOWN = bits_of((Flag.HIDDEN, Flag.TRASHED))
_COUNTED_AT = [(*_COLUMNS, "flags", "holders").index(column) for column in _COUNTED]
_WORD_COLUMNS = tuple(field.column for field in WORDS)
_OLD_WORDS = f"SELECT {', '.join(_WORD_COLUMNS)} FROM asset_words WHERE rowid = ?"
_PUT_WORDS = f"INTO asset_words (rowid, {', '.join(_WORD_COLUMNS)}) VALUES (?{',?' * len(_WORD_COLUMNS)})"
_words_of = attrgetter(*_WORD_COLUMNS)
# A file's own asset, the one it left, and the one that keeps its bytes where those are kept as another's. A file on its
# way into the archive, or on its way to a destination, changes nothing that is shown.
_CHANGED = """
    WITH change (resource_id, asset_id, left_id) AS (
        SELECT resource_id, asset_id, CASE event WHEN 'joined' THEN fields ->> '$.left' END
        FROM journal WHERE seq > ?1 AND seq <= ?2
        AND event NOT IN ('fetched', 'placed') AND event NOT GLOB 'delivery_*'
    )
    SELECT asset_id FROM change WHERE asset_id IS NOT NULL
    UNION SELECT left_id FROM change WHERE left_id IS NOT NULL
    UNION SELECT resource.asset_id FROM change JOIN resource ON resource.id = resource_id
    UNION SELECT keeper.asset_id FROM change JOIN resource ON resource.id = resource_id
        JOIN resource AS keeper ON keeper.id = resource.duplicate_of
    UNION SELECT keeper.asset_id FROM change JOIN resource ON resource.asset_id = change.asset_id
        JOIN resource AS keeper ON keeper.id = resource.duplicate_of
"""
# Bytes that are kept as this asset's have its digest: by that the files of other sources are found.
_HOLDINGS = """
    SELECT file.source_id, source.name, remote_asset.state, remote_asset.said -> '$.is_hidden'
    FROM resource AS own
    JOIN resource AS file ON file.id = own.id OR (file.digest = own.digest AND file.duplicate_of = own.id)
    JOIN source ON source.id = file.source_id LEFT JOIN remote_asset ON remote_asset.id = file.remote_asset_id
    WHERE own.asset_id = ?1 AND own.state <> 'quarantined'
"""


_TABLES = ("asset_index", "holders", "holder", "asset_words", "index_cursor", "index_count")
_HALVES = (
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
)  # one is lost
_LOST_PAGES = "index:lost_pages"  # the switch that says so
_P = ParamSpec("_P")
_T = TypeVar("_T")


Counts = dict[tuple[object, ...], tuple[int, int]]
"""What the photos and bytes of a month change by: see the table `index_count`."""


class IndexDamaged(Retryable):
    """The index cannot be read or written as the migrations made it. It follows from the rest: nothing is lost."""


def of_index(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """Of a function that touches nothing but the index: what SQLite says in it is said of the index."""

    @wraps(work)
    def guarded(*arguments: _P.args, **named: _P.kwargs) -> _T:
        try:
            return work(*arguments, **named)
        except sqlite3.DatabaseError as error:
            code = error.sqlite_errorcode
            if code not in _HALVES and code & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
                raise  # of the disk
            message = f"the search index in the catalogue is damaged ({error}); it is being made anew"
            raise IndexDamaged(message) from error

    return guarded


class Copies(NamedTuple):
    """See `model.indexed.IndexedAsset`."""

    copies: int = 0
    reread: int = 0
    verified: int = 0
    delivered: int = 0
    archived_ms: int | None = None
    proved_ms: int | None = None


class Holding(NamedTuple):
    """One file of an asset at one source. `presence`: of the source's own asset; None where it lists mere files."""

    source_id: int
    source: str
    presence: str | None
    is_hidden: bool


@of_index
def put(
    connection: sqlite3.Connection,
    asset: IndexedAsset,
    holders: Iterable[tuple[int, bool]],
    *,
    counts: Counts | None = None,
) -> None:
    """Index an asset anew. `holders`: ids of the sources that have it, each with whether it is hidden there.

    `counts`: to be added with those of others, by `add_counts`.
    """
    changes = Counts() if counts is None else counts
    row = (*_values_of(asset), bits_of(asset.flags), _holders_id(connection, sorted(holders)))
    words = tuple(map(_joined_tokens, _words_of(asset)))
    old = connection.execute(_OLD, (asset.asset_id,)).fetchone()
    put = "INSERT " if old is None else "REPLACE "  # which looks for what it replaces: twice the work
    if row != old:
        _count(changes, old, by=-1)
        _count(changes, row, by=1)
        connection.execute(put + _PUT, row)
    if old is None or words != connection.execute(_OLD_WORDS, (asset.asset_id,)).fetchone():
        connection.execute(put + _PUT_WORDS, (asset.asset_id, *words))
    if counts is None:
        add_counts(connection, changes)


@lru_cache(4096)
def _joined_tokens(texts: str | tuple[str, ...]) -> str:
    """Of a field of words. Cameras, sources and folders are those of the photo before."""
    return " ".join(document_of((texts,) if isinstance(texts, str) else texts))


@of_index
def remove(connection: sqlite3.Connection, asset_id: int) -> None:
    """An asset is nobody's any more, or has become part of another."""
    old = connection.execute(_OLD, (asset_id,)).fetchone()
    if old is not None:
        _count(changes := Counts(), old, by=-1)
        add_counts(connection, changes)
        connection.execute("DELETE FROM asset_index WHERE asset_id = ?", (asset_id,))
        connection.execute("DELETE FROM asset_words WHERE rowid = ?", (asset_id,))


@of_index
def set_copies(connection: sqlite3.Connection, asset_id: int, counted: Copies) -> None:
    """Nothing but its copies has changed."""
    connection.execute(
        "UPDATE asset_index SET copies = ?, reread = ?, verified = ?, delivered = ?, archived_ms = ?, proved_ms = ? "
        "WHERE asset_id = ?",
        (*counted, asset_id),
    )


@of_index
def add_counts(connection: sqlite3.Connection, counts: Counts) -> None:
    changed = [(*key, *by) for key, by in counts.items() if any(by)]
    connection.executemany(_COUNT, changed)


def _count(counts: Counts, row: Sequence[Any] | None, *, by: int) -> None:
    if row is not None:
        holders, sort_ms, kind, flags, size_bytes = (row[place] for place in _COUNTED_AT)
        key = (holders, month_of(sort_ms), str(kind), not flags & NOT_SHOWN)
        count, total_bytes = counts.get(key, (0, 0))
        counts[key] = count + by, total_bytes + by * size_bytes


def _holders_id(connection: sqlite3.Connection, holders: Sequence[tuple[int, bool]]) -> int:
    members = msgspec.json.encode(holders).decode()
    row = connection.execute("SELECT id FROM holders WHERE members = ?", (members,)).fetchone()
    if row is not None:
        return int(row[0])
    holders_id = int(connection.execute("INSERT INTO holders (members) VALUES (?)", (members,)).lastrowid or 0)
    connection.executemany(
        "INSERT INTO holder (holders_id, source_id, is_hidden) VALUES (?,?,?)",
        [(holders_id, source_id, is_hidden) for source_id, is_hidden in holders],
    )
    return holders_id


def holdings(connection: sqlite3.Connection, asset_id: int) -> list[Holding]:
    """Where an asset's files came from, those included whose bytes are kept as another source's."""
    rows = connection.execute(_HOLDINGS, (asset_id,))
    return [Holding(source_id, name, presence, hidden == "true") for source_id, name, presence, hidden in rows]


# ---------------------------------------------------------------- following the journal


@of_index
def indexed_until(connection: sqlite3.Connection) -> int:
    """The journal's row up to which the index is true."""
    row = connection.execute("SELECT seq FROM index_cursor").fetchone()
    return int(row[0]) if row else 0


@of_index
def set_indexed_until(connection: sqlite3.Connection, seq: int) -> None:
    if not connection.execute("UPDATE index_cursor SET seq = ?", (seq,)).rowcount:
        connection.execute("INSERT INTO index_cursor (seq) VALUES (?)", (seq,))


def indexed_percent(connection: sqlite3.Connection) -> int:
    """How far the index is; 100: it is true."""
    last = journal.last(connection)[0]
    try:
        return 100 * indexed_until(connection) // last if last else 100
    except IndexDamaged:
        return 0


def changed_assets(connection: sqlite3.Connection, *, after: int, until: int) -> list[int]:
    """The assets that these rows of the journal are about. Some may be gone since."""
    return [row[0] for row in connection.execute(_CHANGED, (after, until))]


# ---------------------------------------------------------------- when it is damaged


@of_index
def flush(connection: sqlite3.Connection) -> None:
    """Have FTS5 write now what it holds until the commit, where damage would fail the whole of it."""
    connection.execute("SAVEPOINT flush")
    connection.execute("RELEASE flush")


def make_anew(connection: sqlite3.Connection, reason: str) -> None:
    """Empty, and say so; `core.indexing` fills it again. In a transaction that has not met the damage."""
    schema.make_anew(connection, _TABLES)
    set_lost_pages(connection, has_any=True)
    remedy = message(
        "Nothing else is affected. If it happens again, check the disk or memory card with the catalogue: it may be "
        "failing."
    )
    what = message("The search index is damaged and is being recreated: {reason}", reason=reason)
    issue = Issue(key="service.index_damaged", subject="", message=what, remedy=remedy)
    issues.open_issue(connection, issue, at_ms=journal.last_at_ms(connection))


def has_lost_pages(connection: sqlite3.Connection) -> bool:
    """Whether pages of a damaged index lie in the catalogue: its checks complain of them until they are left out."""
    return volumes.switch(connection, _LOST_PAGES) is not None


def set_lost_pages(connection: sqlite3.Connection, *, has_any: bool) -> None:
    volumes.set_switch(connection, _LOST_PAGES, "1" if has_any else None)
