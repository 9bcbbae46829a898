"""What is asked of the asset index: pages and counts of a query, the timeline with its months."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mediabox.model.asset import Kind
from mediabox.model.query import EVERYTHING
from mediabox.store.asset_index import NOT_SHOWN, of_index
from mediabox.store.search import condition, flags_of, flags_seen, visible

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from mediabox.model.indexed import Flag
    from mediabox.model.query import Query

_TOTAL = "SELECT coalesce(sum(count), 0) FROM index_count"
MOST_ARMS = 100  # SQLite takes 500 parts of a SELECT


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


@of_index
def page(
    connection: sqlite3.Connection,
    query: Query,
    *,
    seen_by: frozenset[str] | None,
    after: Position | None = None,
    limit: int,
) -> list[Found]:
    """Assets that answer a query, newest first. `seen_by`: names of a person's sources; None sees everybody's."""
    _renew_schema(connection)
    text, values = condition(query, seen_by)
    flags, names = flags_seen(seen_by)
    beyond = "(sort_ms, asset_id) < (?, ?) AND" if after else ""
    rows = connection.execute(
        f"SELECT asset_id, kind, sort_ms, date_digits, {flags} FROM asset_index WHERE {beyond} ({text}) "
        "ORDER BY sort_ms DESC, asset_id DESC LIMIT ?",
        (*names, *(after or ()), *values, limit),
    )
    return [_found(row) for row in rows]


def _found(row: Sequence[Any]) -> Found:
    return Found(asset_id=row[0], kind=Kind(row[1]), sort_ms=row[2], date_digits=row[3], flags=flags_of(row[4]))


@of_index
def count(connection: sqlite3.Connection, query: Query, *, seen_by: frozenset[str] | None) -> int:
    """How many assets answer it."""
    _renew_schema(connection)
    text, values = condition(query, seen_by)
    counting = _TOTAL if query == EVERYTHING else "SELECT count(*) FROM asset_index"
    return int(connection.execute(f"{counting} WHERE {text}", values).fetchone()[0])


def _renew_schema(connection: sqlite3.Connection) -> None:
    """FTS5 would look for its own tables where they were before the index was made anew, and so refuse."""
    connection.execute("SELECT 1 FROM index_cursor").fetchone()


# ---------------------------------------------------------------- the timeline: neither hidden nor in the trash


@of_index
def months(connection: sqlite3.Connection, *, seen_by: frozenset[str] | None) -> list[tuple[str, str, int, int]]:
    """Month, kind, count and size in bytes, newest month first."""
    may_see, names = visible(seen_by, is_shown=True)
    return connection.execute(
        f"SELECT month, kind, sum(count), sum(size_bytes) FROM index_count WHERE is_shown AND ({may_see}) "
        "GROUP BY month, kind HAVING sum(count) > 0 ORDER BY month DESC, kind",
        names,
    ).fetchall()


@of_index
def shown(
    connection: sqlite3.Connection, *, seen_by: frozenset[str] | None, after: Position, limit: int
) -> list[Found]:
    """A page of the timeline, newest first. One person's sets of holders are read each in its order, and merged."""
    columns = "asset_id, kind, sort_ms, date_digits, flags"
    one = f"SELECT {columns} FROM asset_index WHERE flags & {NOT_SHOWN} = 0 AND (sort_ms, asset_id) < (?1, ?2)"
    arms, newest_first = [one], "ORDER BY sort_ms DESC, asset_id DESC LIMIT ?3"
    if seen_by is not None:
        may_see, names = visible(seen_by, is_shown=True)
        held = [row[0] for row in connection.execute(f"SELECT id AS holders FROM holders WHERE {may_see}", names)]
        few = 0 < len(held) <= MOST_ARMS
        arms = [f"{one} AND holders IN ({some})" for some in (held if few else [",".join(map(str, held))])]
    rows = connection.execute(f"{' UNION ALL '.join(arms)} {newest_first}", (*after, limit))
    return [_found(row) for row in rows]
