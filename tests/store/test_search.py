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
from mediabox.search.match import matches, seen
from mediabox.search.parse import parse
from mediabox.search.periods import bounds_ms
from mediabox.search.values import ORDERED
from mediabox.store import asset_index, asset_pages, listings, schema
from mediabox.store.asset_pages import Position

NOON = 1_700_000_000_000
WORDS_TYPED = ("Anna", "anna müller", "Ann", "ANNA", "Bob", "東京", "京", "IMG_1.JPG", "img 1", "🏖", "Straße")
WORD = st.sampled_from(WORDS_TYPED)
VALUES = st.lists(WORD, max_size=3).map(tuple)
PERIOD = st.sampled_from(["2023", "2023-11", "2023-11-14", "2023-11-14T22:13", "2022", "2024-01"])
NUMBER = st.sampled_from([-1.0, 0.0, 1.0, 3.0, 4.5, 1000.0])

SOURCES = ("Anna", "anna müller", "Bob", "東京", "-")

# What each value of an asset may be here: every field that can be searched varies.
VARIED: dict[str, tuple[object, ...]] = {
    "kind": (Kind.PICTURE, Kind.VIDEO),
    "sort_ms": (NOON, NOON + 1, *bounds_ms("2023-11"), *bounds_ms("2023"), bounds_ms("2024")[0] - 1),
    "date_digits": (0, 4, 7, 10, 19),
    "added_ms": (NOON, *bounds_ms("2023-11-14")),
    "size_bytes": (0, 1, 1000),
    "format": ("jpeg", "heic"),
    "width": (None, 1, 1000),
    "height": (None, 3),
    "duration_s": (None, 1.0, 4.5),
    "rating": (None, -1, 0, 3),
    "latitude": (None, 1.0),
    "longitude": (None, -1.0),
    **dict.fromkeys(("copies", "reread", "verified", "delivered"), (0, 1, 3)),
    **dict.fromkeys(("archived_ms", "proved_ms"), (None, NOON, *bounds_ms("2023-11-14"))),
    **dict.fromkeys(("title", "caption", "camera", "lens"), ("", *WORDS_TYPED)),
}
LISTED = ("names", "folders", "keywords", "people", "albums")
FLAGS = st.frozensets(st.sampled_from(list(Flag)))


@st.composite
def assets(draw: st.DrawFn) -> IndexedAsset:
    values = {name: draw(st.sampled_from(some)) for name, some in VARIED.items()}
    listed = {name: draw(VALUES) for name in LISTED}
    holders = draw(st.dictionaries(st.sampled_from(SOURCES), st.booleans(), max_size=3))
    hidden = tuple(name for name, is_hidden in holders.items() if is_hidden)
    return IndexedAsset(asset_id=0, flags=draw(FLAGS), sources=tuple(holders), hidden_at=hidden, **values, **listed)


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


def put(connection: sqlite3.Connection, assets: list[IndexedAsset]) -> None:
    connection.execute("DELETE FROM asset_index")
    connection.execute("DELETE FROM asset_words")
    connection.execute("DELETE FROM index_count")
    for asset in assets:
        ids = [(listings.source_id(connection, name), name in asset.hidden_at) for name in asset.sources]
        asset_index.put(connection, asset, ids)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=600, deadline=None)
@given(
    some=st.lists(assets(), min_size=1, max_size=5),
    query=QUERIES | st.just(EVERYTHING),
    seen_by=st.none() | st.frozensets(st.sampled_from(SOURCES), max_size=2),
)
def test_sql_and_memory_give_the_same_answer_to_everybody(
    connection: sqlite3.Connection, some: list[IndexedAsset], query: Query, seen_by: frozenset[str] | None
) -> None:
    numbered = [msgspec.structs.replace(one, asset_id=number) for number, one in enumerate(some, 1)]
    put(connection, numbered)

    found = asset_pages.page(connection, query, seen_by=seen_by, limit=100)

    as_seen = [one for each in numbered if (one := seen(each, seen_by))]
    expected = {one.asset_id: one.flags for one in as_seen if matches(one, query)}
    assert {one.asset_id: one.flags for one in found} == expected
    assert asset_pages.count(connection, query, seen_by=seen_by) == len(expected)


def test_the_comparison_of_sql_and_memory_varies_every_field() -> None:
    varied = {name for name, some in VARIED.items() if len(set(some)) > 1}

    assert varied | {*LISTED, "sources", "hidden_at", "flags"} == {*IndexedAsset.__struct_fields__} - {"asset_id"}
    columns = {field.column for field in FIELDS.values() if field.name not in ("has", "text")}
    assert columns <= {*IndexedAsset.__struct_fields__}
    for field in FIELDS.values():
        if field.type in ORDERED and field.type is not Type.PERIOD:  # what is asked for is there, and is not
            assert {1.0, -1.0, 3.0, 0.0} & set(VARIED[field.column]), field.name


HELD_BY_BOTH = {"sources": ("Anna", "Bob"), "hidden_at": ("Bob",)}


@pytest.mark.parametrize(
    ("query", "seen_by", "is_found"),
    [
        ("is:hidden", {"Bob"}, True),  # whoever hides it has hidden it, though it is shown to others
        ("-is:hidden", {"Bob"}, False),
        ("is:hidden", {"Anna"}, False),
        ("is:hidden", {"Anna", "Bob"}, False),
        ("source:bob", {"Anna"}, False),  # that another has it, too, is theirs to say
        ("bob", {"Anna"}, False),
        ("-source:bob", {"Anna"}, True),
        ("source:anna", {"Anna"}, True),
        ("anna", {"Anna"}, True),
        ("title:beach", {"Carol"}, False),
        ("-title:lake", {"Carol"}, False),
        ("title:beach OR source:carol", {"Carol"}, False),
        ("title:beach", set(), False),
        ("source:bob is:live", None, True),
    ],
)
def test_what_one_of_a_household_holds_and_hides_is_theirs_alone(
    connection: sqlite3.Connection, query: str, seen_by: set[str] | None, is_found: bool
) -> None:
    one = asset(1, NOON, title="Beach", flags=frozenset([Flag.LIVE]), **HELD_BY_BOTH)
    put(connection, [one])
    asked, names = parse(query, today="2026-01-01"), None if seen_by is None else frozenset(seen_by)

    assert asset_pages.count(connection, asked, seen_by=names) == is_found
    mine = seen(one, names)
    assert (mine is not None and matches(mine, asked)) is is_found


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


@pytest.mark.parametrize("lost", ["asset_index", "asset_words"])
def test_words_without_their_row_are_damage_and_a_row_without_its_words_gets_them(
    connection: sqlite3.Connection, lost: str
) -> None:
    put(connection, [asset(1, NOON, title="Beach")])
    connection.execute(f"DELETE FROM {lost}")

    if lost == "asset_index":
        with pytest.raises(asset_index.IndexDamaged):
            asset_index.put(connection, asset(1, NOON, title="Lake"), [])
    else:
        asset_index.put(connection, asset(1, NOON, title="Lake"), [])
        assert asset_pages.count(connection, Term(field="title", value="lake"), seen_by=None) == 1


def test_a_page_is_read_along_the_index_and_not_sorted(connection: sqlite3.Connection) -> None:
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT asset_id, kind FROM asset_index WHERE (sort_ms, asset_id) < (5, 5) AND "
        "(flags & 2 <> 0) ORDER BY sort_ms DESC, asset_id DESC LIMIT 120"
    ).fetchall()

    assert "USING INDEX asset_index_newest" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
