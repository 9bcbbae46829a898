"""The index finds exactly the pictures within the distance, no more and no fewer."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.core.alike import HashIndex

HASH = st.integers(0, 2**64 - 1)


@given(st.lists(HASH, max_size=60), st.lists(HASH, min_size=1, max_size=4), st.integers(0, 12))
def test_finds_what_comparing_with_each_finds(hashes: list[int], queries: list[int], limit: int) -> None:
    index = HashIndex(enumerate(hashes, start=1))

    found = {identifier: distance for identifier, distance, _ in index.near(queries, within_bits=limit)}

    nearest = {i: min((value ^ query).bit_count() for query in queries) for i, value in enumerate(hashes, start=1)}
    assert found == {identifier: distance for identifier, distance in nearest.items() if distance <= limit}


@pytest.mark.parametrize("bits", range(8))
def test_finds_a_neighbour_at_each_distance_among_many(bits: int) -> None:
    chance = random.Random(bits)
    index = HashIndex((number, chance.getrandbits(64)) for number in range(1, 5000))
    wanted = chance.getrandbits(64)
    for place in chance.sample(range(64), bits):
        wanted ^= 1 << place
    index.add(9999, wanted)

    original = wanted
    for place in chance.sample(range(64), bits):
        original ^= 1 << place

    assert (9999, bits, 0) in index.near([original], within_bits=7)


def test_says_which_rotation_matched_best_and_nearest_first() -> None:
    index = HashIndex([(1, 0b1111), (2, 0b1)])

    assert index.near([0b11111, 0b1], within_bits=6) == [(2, 0, 1), (1, 1, 0)]
