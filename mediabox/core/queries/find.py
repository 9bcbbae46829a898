"""Which assets answer a query: what search boxes, rules and smart albums show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.core.company import rank
from mediabox.model.asset import Kind
from mediabox.model.indexed import Flag
from mediabox.model.query import QueryInvalid
from mediabox.model.wall_clock import local_of
from mediabox.search.parse import parse
from mediabox.store import asset_index, assets
from mediabox.store.asset_index import Position

if TYPE_CHECKING:
    import sqlite3

MAX_PAGE = 1_000


class FoundAsset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset as a list shows it."""

    id: int
    name: str  # of the file that stands for it
    path: str  # in the archive, or in its trash
    taken: str  # local wall clock as far as it is known: `2024-05-12T18:03:22`, `1987-06`; "" when nobody knows
    kind: Kind
    flags: tuple[Flag, ...]


class FoundPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. `next_after`: what to ask for the page after this one; None: this is the last."""

    total: int
    assets: tuple[FoundAsset, ...]
    next_after: str | None
    indexed_percent: int  # below 100: an older catalogue is still being indexed, and more may be found later


def find_assets(
    connection: sqlite3.Connection,
    query: str,
    *,
    today: str,
    seen_by: frozenset[str] | None = None,
    after: str | None = None,
    limit: int = 120,
) -> FoundPage:
    """A page of what a person's sources (`seen_by`; None: everybody's) have. `today`: their ISO date.

    Raises QueryInvalid. `after` is `next_after` of the page before.
    """
    asked, size = parse(query, today=today), min(limit, MAX_PAGE)
    rows = asset_index.page(connection, asked, seen_by=seen_by, after=_position(after), limit=size + 1)
    last = rows[size - 1] if len(rows) > size else None
    return FoundPage(
        total=asset_index.count(connection, asked, seen_by=seen_by),
        assets=tuple(_found(connection, row) for row in rows[:size]),
        next_after=f"{last.sort_ms}.{last.asset_id}" if last else None,
        indexed_percent=asset_index.indexed_percent(connection),
    )


def _position(after: str | None) -> Position | None:
    if after is None:
        return None
    try:
        sort_ms, asset_id = after.split(".")
        return Position(int(sort_ms), int(asset_id))
    except ValueError as error:
        message = f"{after!r} is not where a page ended: take `next_after` of the page before as it is"
        raise QueryInvalid(message, position=0) from error


def _found(connection: sqlite3.Connection, row: asset_index.Found) -> FoundAsset:
    main = min((one for one in assets.members(connection, row.asset_id) if one.state.is_kept), key=rank)
    return FoundAsset(
        id=row.asset_id,
        name=main.name,
        path=main.path or "",
        taken=local_of(row.sort_ms)[: row.date_digits],
        kind=row.kind,
        flags=tuple(flag for flag in Flag if flag in row.flags),
    )
