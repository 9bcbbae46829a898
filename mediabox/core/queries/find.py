"""Which assets answer a query: what search boxes, rules and smart albums show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mediabox.core.company import rank
from mediabox.model.asset import Kind
from mediabox.model.indexed import Flag
from mediabox.model.query import QueryInvalid
from mediabox.model.wall_clock import local_of
from mediabox.search.parse import parse
from mediabox.store import asset_index, asset_pages, assets
from mediabox.store.asset_pages import Position

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from mediabox.model.asset import Resource
    from mediabox.store.asset_pages import Found

MAX_PAGE = 1_000
_MARK = re.compile(r"(-?\d{1,16})\.(\d{1,16})", re.ASCII)


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
    position = position_of(after) if after is not None else None
    rows = asset_pages.page(connection, asked, seen_by=seen_by, after=position, limit=size + 1)
    last = rows[size - 1] if len(rows) > size else None
    return FoundPage(
        total=asset_pages.count(connection, asked, seen_by=seen_by),
        assets=_found(connection, rows[:size]),
        next_after=mark_of(last) if last else None,
        indexed_percent=asset_index.indexed_percent(connection),
    )


def mark_of(last: Found) -> str:
    """What `after` is for the page behind it."""
    return f"{last.sort_ms}.{last.asset_id}"


def position_of(after: str) -> Position:
    """Raises QueryInvalid."""
    found = _MARK.fullmatch(after)
    if found is None:
        message = f"{after!r} is not where a page ended: take `next_after` of the page before as it is"
        raise QueryInvalid(message, position=0)
    return Position(int(found[1]), int(found[2]))


def _found(connection: sqlite3.Connection, rows: Sequence[Found]) -> tuple[FoundAsset, ...]:
    members: dict[int, list[Resource]] = {}
    for one in assets.members_of_each(connection, [row.asset_id for row in rows]):
        members.setdefault(one.asset_id, []).extend([one] * one.state.is_kept)
    return tuple(_shown(row, min(members[row.asset_id], key=rank)) for row in rows if members.get(row.asset_id))


def _shown(row: Found, main: Resource) -> FoundAsset:
    return FoundAsset(
        id=row.asset_id,
        name=main.name,
        path=main.path or "",
        taken=local_of(row.sort_ms)[: row.date_digits],
        kind=row.kind,
        flags=tuple(flag for flag in Flag if flag in row.flags),
    )
