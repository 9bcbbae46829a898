"""An index of perceptual hashes: which pictures are within a few bits of this one.

Multi-index hashing (Norouzi, Punjani, Fleet: "Fast Search in Hamming Space with
Multi-Index Hashing", CVPR 2012): a 64-bit hash is cut into four bands of 16 bits.
Two hashes within 4*r+3 bits agree on some band within r bits, so looking up each
band of the query with up to r flipped bits finds every one of them; the candidates
are then compared whole. Exact, not approximate.

Pure Python over flat arrays: 8 + 4*4 bytes a picture and no numpy in the daemon,
whose 17 MiB would be a third of its memory.
"""

from __future__ import annotations

from array import array
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BANDS = 4
BAND_BITS = 16
BAND_MASK = (1 << BAND_BITS) - 1


class HashIndex:
    """Grows in place. Ids are positive and below 2**63; an id may be added once."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._ids = array("q")
        self._hashes = array("Q")
        # For each band a table of chains: the newest entry with a band value, and from each entry the one before.
        self._newest = [array("i", [-1]) * (1 << BAND_BITS) for _ in range(BANDS)]
        self._before = [array("i") for _ in range(BANDS)]
        for identifier, value in pairs:
            self._ids.append(identifier)
            self._hashes.append(value)
        for number, (newest, before) in enumerate(zip(self._newest, self._before, strict=True)):
            # One band after the other: half the time of adding them one picture at a time.
            for position, value in enumerate(self._hashes):
                band = (value >> (number * BAND_BITS)) & BAND_MASK
                before.append(newest[band])
                newest[band] = position

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, identifier: int, value: int) -> None:
        """Add one picture's upright hash (unsigned 64 bits)."""
        position = len(self._ids)
        self._ids.append(identifier)
        self._hashes.append(value)
        for newest, before in zip(self._newest, self._before, strict=True):
            band = value & BAND_MASK
            before.append(newest[band])
            newest[band] = position
            value >>= BAND_BITS

    def near(self, hashes: Sequence[int], *, within_bits: int) -> list[tuple[int, int, int]]:
        """Every picture within `within_bits` of one of `hashes` (a picture's rotations).

        Returns (id, distance in bits, index of the hash that matched), nearest
        first, each id once.
        """
        best: dict[int, tuple[int, int]] = {}
        for turn, value in enumerate(hashes):
            for position, distance in self._within(value, within_bits):
                if position not in best or distance < best[position][0]:
                    best[position] = (distance, turn)
        found = [(self._ids[position], distance, turn) for position, (distance, turn) in best.items()]
        return sorted(found, key=lambda match: (match[1], match[0]))

    def _within(self, value: int, limit: int) -> Iterator[tuple[int, int]]:
        hashes = self._hashes
        flips = _flips(limit // BANDS)
        for number, (newest, before) in enumerate(zip(self._newest, self._before, strict=True)):
            band = (value >> (number * BAND_BITS)) & BAND_MASK
            for flip in flips:
                position = newest[band ^ flip]
                while position >= 0:
                    distance = (hashes[position] ^ value).bit_count()
                    if distance <= limit:
                        yield position, distance
                    position = before[position]


@cache
def _flips(bits: int) -> list[int]:
    """Every 16-bit mask with at most `bits` bits set: 1, 17, 137, 697 masks for 0 to 3."""
    return [
        sum(1 << place for place in places)
        for count in range(bits + 1)
        for places in combinations(range(BAND_BITS), count)
    ]
