"""The same query in SQL and in memory."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediabox.model.asset import Kind
from mediabox.model.indexed import Flag, IndexedAsset
from mediabox.model.query import EVERYTHING, All, AnyOf, Not, Op, Query, Term
from mediabox.search.fields import FIELDS, WORDS, Type
from mediabox.search.match import matches
from mediabox.search.periods import bounds_ms
from mediabox.search.values import ORDERED
from mediabox.store import asset_index, asset_pages, schema
from mediabox.store.asset_pages import Position

NOON = 1_700_000_000_000
WORD = st.sampled_from(["Anna", "anna müller", "Ann", "ANNA", "Bob", "東京", "京", "IMG_1.JPG", "img 1", "🏖", "Straße"])
VALUES = st.lists(WORD, max_size=3).map(tuple)
PERIOD = st.sampled_from(["2023", "2023-11", "2023-11-14", "2023-11-14T22:13", "2022", "2024-01"])
NUMBER = st.sampled_from([-1.0, 0.0, 1.0, 3.0, 4.5, 1000.0])

ASSETS = st.builds(
    IndexedAsset,
    asset_id=st.just(0),
    kind=st.sampled_from([Kind.PICTURE, Kind.VIDEO]),
    sort_ms=st.sampled_from([NOON, NOON + 1, *bounds_ms("2023-11"), *bounds_ms("2023"), bounds_ms("2024")[0] - 1]),
    date_digits=st.sampled_from([0, 4, 7, 10, 19]),
    added_ms=st.sampled_from([NOON, *bounds_ms("2023-11-14")]),
    size_bytes=st.sampled_from([0, 1, 1000]),
    format=st.sampled_from(["jpeg", "heic"]),
    width=st.none() | st.sampled_from([1, 1000]),
    height=st.none() | st.just(3),
    duration_s=st.none() | st.sampled_from([1.0, 4.5]),
    rating=st.none() | st.sampled_from([-1, 0, 3]),
    latitude=st.none() | st.just(1.0),
    longitude=st.none() | st.just(-1.0),
    flags=st.frozensets(st.sampled_from(list(Flag))),
    title=WORD | st.just(""),
    caption=WORD | st.just(""),
    camera=WORD | st.just(""),
    lens=st.just(""),
    **dict.fromkeys(("names", "folders", "keywords", "people", "albums", "sources"), VALUES),
)


def terms() -> st.SearchStrategy[Term]:
    def one(name: str) -> st.SearchStrategy[Term]:
        field = FIELDS[name]
        others = NUMBER if field.type in ORDERED else st.sampled_from(field.choices or ("jpeg", "gif"))
        value = {Type.WORDS: WORD, Type.PERIOD: PERIOD}.get(field.type, others)
        ops = st.sampled_from(list(Op) if field.type in ORDERED else [Op.HAS, Op.IS])
        return st.builds(Term, field=st.just(name), op=ops, value=value)

    return st.sampled_from(sorted(FIELDS)).flatmap(one)


QUERIES = st.recursive(
    terms(),
    lambda some: (
        some.map(Not)
        | st.lists(some, max_size=3).map(tuple).map(All)
        | st.lists(some, max_size=3).map(tuple).map(AnyOf)
    ),
    max_leaves=6,
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    schema.prepare(opened, query_only=False)
    schema.migrate(opened)
    opened.execute("PRAGMA foreign_keys = OFF")  # the index alone
    yield opened
    opened.close()


def put(connection: sqlite3.Connection, assets: list[IndexedAsset], *, sources: tuple[int, ...] = ()) -> None:
    connection.execute("DELETE FROM asset_index")
    connection.execute("DELETE FROM asset_words")
    connection.execute("DELETE FROM index_count")
    for asset in assets:
        asset_index.put(connection, asset, [(source, False) for source in sources])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None)
@given(assets=st.lists(ASSETS, min_size=1, max_size=5), query=QUERIES)
def test_sql_and_memory_give_the_same_answer(
    connection: sqlite3.Connection, assets: list[IndexedAsset], query: Query
) -> None:
    numbered = [msgspec.structs.replace(one, asset_id=number) for number, one in enumerate(assets, 1)]
    put(connection, numbered)

    found = asset_pages.page(connection, query, seen_by=None, limit=100)

    assert {one.asset_id for one in found} == {one.asset_id for one in numbered if matches(one, query)}
    assert asset_pages.count(connection, query, seen_by=None) == len(found)


def test_every_field_of_words_has_its_column(connection: sqlite3.Connection) -> None:
    columns = [row[1] for row in connection.execute("PRAGMA table_info(asset_words)")]

    assert columns == [field.column for field in WORDS]


def asset(asset_id: int, sort_ms: int, **values: object) -> IndexedAsset:
    return IndexedAsset(
        asset_id=asset_id, kind=Kind.PICTURE, sort_ms=sort_ms, date_digits=19, added_ms=0, size_bytes=1, **values
    )


def test_pages_follow_one_another_whatever_is_added_and_removed_between_them(connection: sqlite3.Connection) -> None:
    put(connection, [asset(number, number // 2) for number in range(1, 8)])
    first = asset_pages.page(connection, EVERYTHING, seen_by=None, limit=3)
    asset_index.put(connection, asset(100, 1000), [])
    asset_index.remove(connection, first[-1].asset_id)

    after = Position(first[-1].sort_ms, first[-1].asset_id)
    second = asset_pages.page(connection, EVERYTHING, seen_by=None, after=after, limit=10)

    assert [one.asset_id for one in (*first, *second)] == [7, 6, 5, 4, 3, 2, 1]


def test_a_page_is_read_along_the_index_and_not_sorted(connection: sqlite3.Connection) -> None:
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT asset_id, kind FROM asset_index WHERE (sort_ms, asset_id) < (5, 5) AND "
        "(flags & 2 <> 0) ORDER BY sort_ms DESC, asset_id DESC LIMIT 120"
    ).fetchall()

    assert "USING INDEX asset_index_newest" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
