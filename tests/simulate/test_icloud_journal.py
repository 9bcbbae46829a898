"""Whoever follows the changes from any token ends where the library is."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.journal import BadTokenError
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.records import Writer
from mediabox.simulate.icloud.wire import Record


def live_records(library: Library) -> dict[str, Record]:
    """Every record there is now."""
    return follow(library, {}, 0, limit=10_000)


def follow(library: Library, known: dict[str, Record], sequence: int, *, limit: int) -> dict[str, Record]:
    """Apply the deltas since `sequence` to what is known."""
    zone = library.personal
    writer = Writer(zone, link=lambda blob: blob.signature)
    known = dict(known)
    while True:
        changes = zone.journal.since(sequence, limit)
        for name in changes.names:
            record = writer.write(name)
            if isinstance(record, Record):
                known[name] = record
            else:
                known.pop(name, None)
        sequence = changes.upto
        if not changes.has_more:
            return known


def act(library: Library, dice: random.Random) -> None:
    """Something a person might do next."""
    alive = [asset.name for asset in library.personal.assets() if not asset.is_moved]
    album = dice.choice(library.personal.albums() or [library.make_album("A")]).name
    if len(alive) < 2 or dice.random() < 0.25:
        library.add(of_bytes(dice.randbytes(8)), file_name="N.JPG")
        return
    asset = dice.choice(alive)
    acts = [
        lambda: library.favorite(asset),
        lambda: library.hide(asset, on=dice.random() < 0.5),
        lambda: library.trash(asset),
        lambda: library.purge(asset),
        lambda: library.duplicate(asset),
        lambda: library.edit(asset, of_bytes(dice.randbytes(8))),
        lambda: library.add_to_album(asset, album),
    ]
    if library.asset(asset).is_trashed:
        acts = [lambda: library.restore(asset), lambda: library.purge(asset)]
    dice.choice(acts)()


@given(seed=st.integers(0, 10_000), limit=st.integers(1, 9), stock=st.sampled_from([0, 12]))
@settings(max_examples=40, deadline=None)
def test_following_from_any_token_ends_at_the_same_library(seed: int, limit: int, stock: int) -> None:
    dice = random.Random(seed)
    library = Library.synthetic(stock, seed=seed) if stock else Library()
    marks = []
    for _ in range(25):
        act(library, dice)
        if dice.random() < 0.3:
            marks.append((library.personal.journal.sequence, live_records(library)))

    now = live_records(library)
    for sequence, known in marks:
        followed = follow(library, known, sequence, limit=limit)
        # A restored asset's original changes silently, as Apple's does: only its trash flag and tag may lag.
        assert followed.keys() == now.keys()
        assert {n: r for n, r in followed.items() if r.record_type != "CPLMaster"} == {
            n: r for n, r in now.items() if r.record_type != "CPLMaster"
        }


def test_change_tags_grow_with_each_change() -> None:
    library = Library()
    asset = library.add(of_bytes(b"x"))
    writer = Writer(library.personal, link=lambda blob: blob.signature)

    def tag() -> int:
        record = writer.write(asset.name)
        assert isinstance(record, Record)
        return int(record.record_change_tag, 36)

    before = tag()
    library.favorite(asset.name)

    assert tag() > before


def test_a_token_from_the_future_is_none_of_ours() -> None:
    library = Library()
    library.add(of_bytes(b"x"))
    token = library.personal.journal.token
    fresh = Library(personal=None)

    with pytest.raises(BadTokenError):
        fresh.personal.journal.position_of(token)
