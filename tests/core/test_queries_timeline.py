"""The timeline: months counted as they are written, pages at any depth, for any set of sources."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import msgspec
import pytest

from mediabox.core.queries.timeline import months, timeline
from mediabox.model.asset import Kind
from mediabox.model.indexed import Flag, IndexedAsset
from mediabox.model.query import EVERYTHING, QueryInvalid
from mediabox.model.wall_clock import month_of, wall_ms
from mediabox.store import asset_index, asset_pages, listings, schema

NAMES = ("anna", "bob", "carol")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    schema.prepare(opened, query_only=False)
    schema.migrate(opened)
    opened.execute("PRAGMA foreign_keys = OFF")  # the index alone
    yield opened
    opened.close()


class Household:
    """Random assets, held and hidden by random people, changed and removed; what is true is kept here plainly."""

    def __init__(self, connection: sqlite3.Connection, seed: int) -> None:
        self._connection, self._chance = connection, random.Random(seed)
        self._ids = {name: listings.source_id(connection, name) for name in NAMES}
        self.assets: dict[int, tuple[IndexedAsset, dict[str, bool]]] = {}

    def change(self) -> None:
        chance, asset_id = self._chance, self._chance.randrange(1, 60)
        if chance.random() < 0.2:
            asset_index.remove(self._connection, asset_id)
            self.assets.pop(asset_id, None)
            return
        held = {name: chance.random() < 0.2 for name in chance.sample(NAMES, chance.randint(1, 3))}
        asset = IndexedAsset(
            asset_id=asset_id,
            kind=chance.choice([Kind.PICTURE, Kind.VIDEO]),
            sort_ms=wall_ms(f"202{chance.randint(3, 4)}-{chance.randint(1, 12):02}-01T00:00:00") + chance.randrange(3),
            date_digits=19,
            added_ms=0,
            size_bytes=chance.randrange(1000),
            flags=frozenset(
                [Flag.HIDDEN] * all(held.values())
                + [Flag.TRASHED] * (chance.random() < 0.1)
                + [Flag.RAW] * (chance.random() < 0.5)
            ),
        )
        asset_index.put(self._connection, asset, [(self._ids[name], hidden) for name, hidden in held.items()])
        self.assets[asset_id] = asset, held

    def shown(self, seen_by: frozenset[str] | None) -> list[IndexedAsset]:
        """Newest first."""
        found = [
            asset
            for asset, held in self.assets.values()
            if not asset.flags & {Flag.HIDDEN, Flag.TRASHED}
            and (seen_by is None or any(name in seen_by and not hidden for name, hidden in held.items()))
        ]
        return sorted(found, key=lambda one: (one.sort_ms, one.asset_id), reverse=True)


SETS = [None, frozenset(), *(frozenset(some) for size in (1, 2, 3) for some in combinations(NAMES, size))]


@pytest.mark.parametrize("arms", [100, 1])
def test_months_and_pages_are_those_of_the_assets_for_every_set_of_people(
    connection: sqlite3.Connection, arms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asset_pages, "MOST_ARMS", arms)
    household = Household(connection, seed=arms)
    for step in range(400):
        household.change()
        if step % 20:
            continue
        for seen_by in SETS:
            expected = household.shown(seen_by)
            counted = months(connection, seen_by=seen_by)
            assert [one.month for one in counted] == sorted({month_of(one.sort_ms) for one in expected}, reverse=True)
            by_kind = Counter((month_of(one.sort_ms), one.kind) for one in expected)
            assert {(one.month, kind): count for one in counted for kind, count in of(one)} == by_kind
            assert sum(one.size_bytes for one in counted) == sum(one.size_bytes for one in expected)
            assert pages(connection, seen_by) == [one.asset_id for one in expected]
        assert asset_pages.count(connection, EVERYTHING, seen_by=None) == len(household.assets)


def of(month: msgspec.Struct) -> list[tuple[Kind, int]]:
    counts = ((Kind.PICTURE, month.pictures), (Kind.VIDEO, month.videos))
    return [(kind, count) for kind, count in counts if count]


def pages(connection: sqlite3.Connection, seen_by: frozenset[str] | None) -> list[int]:
    found, after = [], None
    while True:
        page = timeline(connection, seen_by=seen_by, after=after, limit=7)
        found += [one.asset_id for one in page.assets]
        if (after := page.next_after) is None:
            return found


def test_a_page_may_begin_at_any_month(connection: sqlite3.Connection) -> None:
    household = Household(connection, seed=5)
    for _ in range(200):
        household.change()

    page = timeline(connection, seen_by=frozenset({"bob"}), month="2024-03", limit=1000)

    below = wall_ms("2024-04-01")
    expected = [one.asset_id for one in household.shown(frozenset({"bob"})) if one.sort_ms < below]
    assert [one.asset_id for one in page.assets] == expected
    assert 0 < len(expected) < len(household.assets)


@pytest.mark.parametrize("month", ["2024-13", "May", "2024-05-01'; DROP TABLE asset; --", "0000-01"])
def test_what_is_no_month_is_an_error(connection: sqlite3.Connection, month: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        timeline(connection, seen_by=None, month=month)


def test_a_mark_of_no_page_is_an_error(connection: sqlite3.Connection) -> None:
    for mark in ("", "1.2.3", "1", "a.b", f"{'9' * 400}.1", f"1.{2**63}", "1.٣x"):
        with pytest.raises(QueryInvalid, match="where a page ended"):
            timeline(connection, seen_by=None, after=mark)
