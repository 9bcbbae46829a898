"""The timeline: what is neither hidden nor in the trash, newest first, and how much of it each month has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.core.queries.find import mark_of, position_of
from mediabox.model.asset import Kind
from mediabox.search.periods import FOREVER_MS, bounds_ms
from mediabox.store import asset_index, asset_pages
from mediabox.store.asset_pages import Found, Position

if TYPE_CHECKING:
    import sqlite3

PAGE = 120


class Month(msgspec.Struct, kw_only=True):
    """`month`: `2024-05`, by the wall clock where each was taken; undated: when it was taken in."""

    month: str
    pictures: int = 0
    videos: int = 0
    size_bytes: int = 0


class TimelinePage(msgspec.Struct, frozen=True, kw_only=True):
    """`next_after`: see `queries.find.FoundPage`."""

    assets: tuple[Found, ...]
    next_after: str | None
    indexed_percent: int


def months(connection: sqlite3.Connection, *, seen_by: frozenset[str] | None) -> list[Month]:
    """Newest first, those that have any. `seen_by`: names of a person's sources; None: everybody's."""
    found: dict[str, Month] = {}
    for name, kind, count, size_bytes in asset_pages.months(connection, seen_by=seen_by):
        month = found.setdefault(name, Month(month=name))
        month.size_bytes += size_bytes
        if kind == Kind.VIDEO:
            month.videos += count
        else:
            month.pictures += count
    return list(found.values())


def timeline(
    connection: sqlite3.Connection,
    *,
    seen_by: frozenset[str] | None,
    month: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> TimelinePage:
    """A page, from the newest on, from a month (`2024-05`) on, or after `next_after` of another page.

    Raises ValueError for what is no month, QueryInvalid for an `after` of no page.
    """
    begins = Position(bounds_ms(month)[1] if month else FOREVER_MS, 0)
    position = position_of(after) if after is not None else begins
    rows = asset_pages.shown(connection, seen_by=seen_by, after=position, limit=limit + 1)
    return TimelinePage(
        assets=tuple(rows[:limit]),
        next_after=mark_of(rows[limit - 1]) if len(rows) > limit else None,
        indexed_percent=asset_index.indexed_percent(connection),
    )
