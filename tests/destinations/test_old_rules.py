"""A configuration with the rules of before chooses as it did, and says how they are written now."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.config.load import load
from mediabox.config.problems import ConfigInvalid
from mediabox.destinations.pixel.old_rules import OldRules
from mediabox.destinations.pixel.settings import Settings
from mediabox.model.asset import Kind
from mediabox.model.indexed import Flag, IndexedAsset
from mediabox.model.wall_clock import wall_ms
from mediabox.search.match import matches
from mediabox.search.parse import parse

SOURCES = '[sources.anna]\ntype = "folder"\ntrees = ["/tmp/a"]\n[sources.ben]\ntype = "folder"\ntrees = ["/tmp/b"]\n'
NAMES = ("Dogs", "Dogs and cats", 'The "best" of', r"back\\slash", "Ben OR Anna", "(x)", "-is:live", "München")
SOME = st.lists(st.sampled_from(NAMES), max_size=2).map(tuple)
DATES = ("", "2023", "2024", "2024-05", "2024-05-12", "2024-05-13", "2025")
KIND = st.sampled_from([Kind.PICTURE, Kind.VIDEO])


@given(
    old=st.builds(
        OldRules,
        albums=SOME,
        people=SOME,
        kinds=st.lists(st.sampled_from(["picture", "video"]), min_size=1, max_size=2).map(tuple),
        since=st.sampled_from(DATES),
        favorites_only=st.booleans(),
    ),
    albums=SOME,
    people=SOME,
    kind=KIND,
    local=st.sampled_from(["", "2023", "2024-05", "2024-05-12", "2024-05-12T23:59:59"]),
    is_favorite=st.booleans(),
)
def test_the_query_chooses_what_the_rules_did(
    old: OldRules, albums: tuple[str, ...], people: tuple[str, ...], kind: Kind, local: str, *, is_favorite: bool
) -> None:
    first = local + "0000-01-01T00:00:00"[len(local) :]
    asset = IndexedAsset(
        asset_id=1,
        kind=kind,
        sort_ms=wall_ms(first) if local else 0,
        date_digits=len(local),
        added_ms=0,
        size_bytes=1,
        albums=albums,
        people=people,
        flags=frozenset([Flag.FAVORITE] * is_favorite),
    )
    did = (  # as it was written down before
        (not old.albums or any(album in old.albums for album in albums))
        and (not old.people or any(name in old.people for name in people))
        and kind.value in old.kinds
        and (not old.since or local[:10] >= old.since)
        and (not old.favorites_only or is_favorite)
    )

    assert matches(asset, parse(old.query, today=None)) is did


def settings(tmp_path: Path, more: str) -> tuple[Settings, tuple[str, ...]]:
    (tmp_path / "mediabox.toml").write_text(f'{SOURCES}[destinations.pixel]\ntype = "pixel"\n{more}\n')
    config = load(tmp_path)
    (one,) = config.destinations
    assert isinstance(one.settings, Settings)
    return one.settings, tuple(map(str, config.notes))


@pytest.mark.parametrize(
    ("more", "query", "has_chosen"),
    [
        ("", "", False),
        ('albums = ["Dogs"]', 'album="Dogs"', True),
        ('albums = ["Dogs", "a \\"b\\""]', r'(album="Dogs" OR album="a \"b\"")', True),
        ('people = ["Ben"]\nsince = "2024"', 'person="Ben" date>=2024', True),
        ('kinds = ["video"]\nfavorites_only = true', "kind:video is:favorite", False),
        ('kinds = ["video", "picture"]\nalbums = []\nsince = ""\nfavorites_only = false', "", False),
        ('favorites_only = true\nquery = "is:live OR is:raw"', "(is:live OR is:raw) (is:favorite)", False),
        ('query = "album:dogs OR is:favorite"', "album:dogs OR is:favorite", False),
        ('query = "album:dogs OR source:ben"', "album:dogs OR source:ben", True),
        ('query = "-source:ben"', "-source:ben", False),
        ('query = "source:anna -is:raw"', "source:anna -is:raw", True),
    ],
)
def test_old_rules_load_as_a_query(tmp_path: Path, more: str, query: str, *, has_chosen: bool) -> None:
    found, _ = settings(tmp_path, more)

    assert (found.query, found.has_chosen) == (query, has_chosen)


def test_what_to_write_instead_is_noted_and_means_the_same(tmp_path: Path) -> None:
    before, notes = settings(tmp_path, 'since = "2024"\nalbums = ["Anna\'s"]\nquery = "is:live"')
    (note,) = notes
    line = note.partition("write ")[2].partition(" in place of")[0]
    after, none = settings(tmp_path, line)

    assert note.startswith("mediabox.toml:10: destinations.pixel.albums is part of `query` now, with since: ")
    assert (after, none) == (before, ())


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('kinds = ["movie"]', 'destinations.pixel.kinds\\[0\\] = "movie"'),
        ('since = "May"', "destinations.pixel.since"),
        ("favorites_only = 3", "destinations.pixel.favorites_only"),
        ('query = "colour:red"', "there is no field 'colour'"),
        ('query = "date:today"', "'today' is no value of date"),
        ('query = "(is:live"', "this bracket is not closed"),
    ],
)
def test_what_cannot_be_understood_stops_the_phone_and_says_why(tmp_path: Path, more: str, why: str) -> None:
    (tmp_path / "mediabox.toml").write_text(f'{SOURCES}[destinations.pixel]\ntype = "pixel"\n{more}\n')

    with pytest.raises(ConfigInvalid, match=why):
        load(tmp_path)


def test_an_old_rule_of_an_earlier_command_still_counts(tmp_path: Path) -> None:
    (tmp_path / "overrides.json").write_text('{"destinations.pixel.favorites_only": true}')

    assert settings(tmp_path, 'query = "kind:video"')[0].query == "(kind:video) (is:favorite)"
