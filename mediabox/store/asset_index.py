"""The asset index: one narrow row for each asset as it is searched and shown, and its words.

All of it follows from the other tables: the journal says which assets changed
(`core/indexing.py`), so that nothing else has to remember the index, and an older
catalogue is indexed by reading its journal from the first row.
"""

from __future__ import annotations

import sqlite3
from functools import wraps
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

import msgspec

from mediabox.errors import Retryable
from mediabox.model.asset import Kind
from mediabox.model.issue import Issue
from mediabox.search.fields import WORDS, texts_of
from mediabox.search.tokens import document_of
from mediabox.store import issues, journal, schema, volumes
from mediabox.store.search import bits_of, condition, flags_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mediabox.model.indexed import Flag, IndexedAsset
    from mediabox.model.query import Query

_COLUMNS = (
    *("asset_id", "kind", "sort_ms", "date_digits", "added_ms", "size_bytes", "format", "width", "height"),
    *("duration_s", "rating", "latitude", "longitude"),
)
_PUT = f"INSERT OR REPLACE INTO asset_index ({', '.join(_COLUMNS)}, flags, holders) VALUES ({'?,' * len(_COLUMNS)}?,?)"
_WORD_COLUMNS = tuple(field.column for field in WORDS)
_PUT_WORDS = (
    f"INSERT OR REPLACE INTO asset_words (rowid, {', '.join(_WORD_COLUMNS)}) VALUES (?{',?' * len(_WORD_COLUMNS)})"
)
# A file's own asset, and the one that keeps its bytes where those are kept as another's. A file on its way into the
# archive, or on its way to a destination, changes nothing that is shown.
_CHANGED = """
    WITH change (resource_id, asset_id) AS (
        SELECT resource_id, asset_id FROM journal WHERE seq > ?1 AND seq <= ?2
        AND event NOT IN ('fetched', 'placed') AND event NOT GLOB 'delivery_*'
    )
    SELECT asset_id FROM change WHERE asset_id IS NOT NULL
    UNION SELECT resource.asset_id FROM change JOIN resource ON resource.id = resource_id
    UNION SELECT keeper.asset_id FROM change JOIN resource ON resource.id = resource_id
        JOIN resource AS keeper ON keeper.id = resource.duplicate_of
    UNION SELECT keeper.asset_id FROM change JOIN resource ON resource.asset_id = change.asset_id
        JOIN resource AS keeper ON keeper.id = resource.duplicate_of
"""
# Bytes that are kept as this asset's have its digest: by that the files of other sources are found.
_HOLDINGS = """
    WITH own (id, digest) AS (SELECT id, digest FROM resource WHERE asset_id = ?1 AND state <> 'quarantined'),
    held (id) AS (
        SELECT id FROM own
        UNION SELECT twin.id FROM own JOIN resource AS twin ON twin.digest = own.digest AND twin.duplicate_of = own.id
    )
    SELECT resource.source_id, source.name, remote_asset.state, remote_asset.said -> '$.is_hidden'
    FROM held JOIN resource ON resource.id = held.id JOIN source ON source.id = resource.source_id
    LEFT JOIN remote_asset ON remote_asset.id = resource.remote_asset_id
"""


_TABLES = ("asset_index", "holders", "holder", "asset_words", "index_cursor")
_LOST_PAGES = "index:lost_pages"  # the switch that says so
_P = ParamSpec("_P")
_T = TypeVar("_T")


class IndexDamaged(Retryable):
    """The index cannot be read or written as the migrations made it. It follows from the rest: nothing is lost."""


def _of_index(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """Of a function that touches nothing but the index: what SQLite says in it is said of the index."""

    @wraps(work)
    def guarded(*arguments: _P.args, **named: _P.kwargs) -> _T:
        try:
            return work(*arguments, **named)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
                raise  # of the disk
            message = f"the search index in the catalogue is damaged ({error}); it is being made anew"
            raise IndexDamaged(message) from error

    return guarded


class Holding(NamedTuple):
    """One file of an asset at one source. `presence`: of the source's own asset; None where it lists mere files."""

    source_id: int
    source: str
    presence: str | None
    is_hidden: bool


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of a page."""

    asset_id: int
    kind: Kind
    sort_ms: int  # see model.indexed.IndexedAsset
    date_digits: int
    flags: frozenset[Flag]


class Position(NamedTuple):
    """Where a page ended: the next one begins after it, whatever was added or removed meanwhile."""

    sort_ms: int
    asset_id: int


@_of_index
def put(connection: sqlite3.Connection, asset: IndexedAsset, holders: Iterable[tuple[int, bool]]) -> None:
    """Index an asset anew. `holders`: ids of the sources that have it, each with whether it is hidden there."""
    values = [getattr(asset, column) for column in _COLUMNS]
    connection.execute(_PUT, (*values, bits_of(asset.flags), _holders_id(connection, sorted(holders))))
    words = [" ".join(document_of(texts_of(asset, field))) for field in WORDS]
    connection.execute(_PUT_WORDS, (asset.asset_id, *words))


@_of_index
def remove(connection: sqlite3.Connection, asset_id: int) -> None:
    """An asset is nobody's any more, or has become part of another."""
    connection.execute("DELETE FROM asset_index WHERE asset_id = ?", (asset_id,))
    connection.execute("DELETE FROM asset_words WHERE rowid = ?", (asset_id,))


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


@_of_index
def indexed_until(connection: sqlite3.Connection) -> int:
    """The journal's row up to which the index is true."""
    row = connection.execute("SELECT seq FROM index_cursor").fetchone()
    return int(row[0]) if row else 0


@_of_index
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


@_of_index
def flush(connection: sqlite3.Connection) -> None:
    """Have FTS5 write now what it holds until the commit, where damage would fail the whole of it."""
    connection.execute("SAVEPOINT flush")
    connection.execute("RELEASE flush")


def make_anew(connection: sqlite3.Connection, reason: str) -> None:
    """Empty, and say so; `core.indexing` fills it again. In a transaction that has not met the damage."""
    schema.make_anew(connection, _TABLES)
    set_lost_pages(connection, has_any=True)
    remedy = (
        "Nothing else is affected. If it happens again, the disk or memory card with the catalogue may be failing: "
        "check it."
    )
    issue = Issue(key="service.index_damaged", subject="", message=f"{reason}.", remedy=remedy)
    issues.open_issue(connection, issue, at_ms=journal.last_at_ms(connection))


def has_lost_pages(connection: sqlite3.Connection) -> bool:
    """Whether pages of a damaged index lie in the catalogue: its checks complain of them until they are left out."""
    return volumes.switch(connection, _LOST_PAGES) is not None


def set_lost_pages(connection: sqlite3.Connection, *, has_any: bool) -> None:
    volumes.set_switch(connection, _LOST_PAGES, "1" if has_any else None)


# ---------------------------------------------------------------- asking


@_of_index
def page(
    connection: sqlite3.Connection,
    query: Query,
    *,
    seen_by: frozenset[str] | None,
    after: Position | None = None,
    limit: int,
) -> list[Found]:
    """Assets that answer a query, newest first. `seen_by`: names of a person's sources; None sees everybody's."""
    text, values = condition(query)
    may_see, names = _visible(seen_by)
    beyond = "(sort_ms, asset_id) < (?, ?) AND" if after else ""
    rows = connection.execute(
        f"SELECT asset_id, kind, sort_ms, date_digits, flags FROM asset_index WHERE {beyond} ({may_see}) AND ({text}) "
        "ORDER BY sort_ms DESC, asset_id DESC LIMIT ?",
        (*(after or ()), *names, *values, limit),
    )
    return [
        Found(asset_id=row[0], kind=Kind(row[1]), sort_ms=row[2], date_digits=row[3], flags=flags_of(row[4]))
        for row in rows
    ]


@_of_index
def count(connection: sqlite3.Connection, query: Query, *, seen_by: frozenset[str] | None) -> int:
    """How many assets answer it."""
    text, values = condition(query)
    may_see, names = _visible(seen_by)
    question = f"SELECT count(*) FROM asset_index WHERE ({may_see}) AND ({text})"
    return int(connection.execute(question, (*names, *values)).fetchone()[0])


def _visible(seen_by: frozenset[str] | None) -> tuple[str, tuple[str, ...]]:
    if seen_by is None:
        return "1", ()
    names = tuple(sorted(seen_by))
    marks = ",".join("?" * len(names))
    own = f"SELECT holders_id FROM holder JOIN source ON source.id = source_id WHERE source.name IN ({marks})"
    return f"holders IN ({own})", names
