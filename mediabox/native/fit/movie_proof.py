"""Proof that a made movie plays what the original plays: same tables, same samples, byte for byte.

Chunks are looked up where they lie within the file's data boxes. If those hold the same
bytes and every table but the offsets is the same, so is every sample. What may differ: creation
times, and what the index tells in words (`udta`, `meta`).
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

from mediabox.native.boxes import Box, Source, boxes, exactly
from mediabox.native.fit.movie_edits import MAX_CHILDREN, MAX_TABLE_BYTES, Movie, chunk_offsets
from mediabox.native.fit.unfit import Unfit

_CONTAINERS = (b"trak", b"mdia", b"minf", b"stbl")
_HEADERS = (b"mvhd", b"tkhd", b"mdhd")
_WORDS = (b"udta", b"meta")
_MAX_LEAVES = 65_536
_STEP_BYTES = 1 << 20  # compared at a time


class _Leaf(NamedTuple):
    depth: int
    box: Box


def same_picture(result: Source, first: Source) -> None:
    """Raises Unfit when the result does not play the same, Malformed when either cannot be read."""
    made, original = Movie(result), Movie(first)
    leaves, others = list(_leaves(made)), list(_leaves(original))
    if [(leaf.depth, leaf.box.type) for leaf in leaves] != [(leaf.depth, leaf.box.type) for leaf in others]:
        raise Unfit("the movie's index has other parts than it had")
    pools, other_pools = _pools(made), _pools(original)
    if [pool.length for pool in pools] != [pool.length for pool in other_pools]:
        raise Unfit("the movie's data are not what they were")
    for leaf, other in zip(leaves, others, strict=True):
        if _told(made, leaf.box, pools) != _told(original, other.box, other_pools):
            raise Unfit(f"the movie's {leaf.box.type.decode('latin-1')} is not what it was")
    for pool, other_pool in zip(pools, other_pools, strict=True):
        _compare(result, pool, first, other_pool)


def _leaves(movie: Movie) -> Iterator[_Leaf]:
    """The boxes of the index that hold something, in order, without the words at its top."""
    waiting = [_Leaf(0, box) for box in reversed(movie.children) if box.type not in _WORDS]
    for _ in range(_MAX_LEAVES):
        if not waiting:
            return
        leaf = waiting.pop()
        yield leaf
        if leaf.box.type in _CONTAINERS and leaf.depth < len(_CONTAINERS):
            inside = list(boxes(movie.source, leaf.box.payload, leaf.box.end, limit=MAX_CHILDREN))
            waiting += [_Leaf(leaf.depth + 1, box) for box in reversed(inside)]
    raise Unfit("the movie's index has too many parts to compare")


def _pools(movie: Movie) -> list[Box]:
    """What chunks may lie in."""
    return [box for box in movie.top if box.type not in (b"moov", b"ftyp")]


def _told(movie: Movie, box: Box, pools: list[Box]) -> object:
    """What a box says, creation times and the place of the file's data taken out of it."""
    if box.type in _CONTAINERS:
        return None
    content = exactly(movie.source, box.payload, box.length, limit=MAX_TABLE_BYTES)
    if box.type in _HEADERS:
        return content[:4] + content[12 if content[:1] == b"\1" else 8 :]
    if box.type in (b"stco", b"co64"):
        return content[:8], _placed(chunk_offsets(content, box.type), pools)
    return content


def _placed(offsets: Iterable[int], pools: list[Box]) -> "array[int]":
    """The offsets as if all data boxes stood one behind the other. Raises Unfit for one that is in none."""
    starts = [pool.payload for pool in pools]
    before = list(accumulate((pool.length for pool in pools), initial=0))
    found = array("Q")
    for offset in offsets:
        number = bisect_right(starts, offset) - 1
        if number < 0 or offset >= pools[number].end:
            raise Unfit("some of the movie's samples are not among its data")
        found.append(before[number] + offset - starts[number])
    return found


def _compare(result: Source, pool: Box, first: Source, other: Box) -> None:
    for at in range(0, pool.length, _STEP_BYTES):
        step = min(_STEP_BYTES, pool.length - at)
        if exactly(result, pool.payload + at, step, limit=step) != exactly(first, other.payload + at, step, limit=step):
            raise Unfit("the movie's data are not what they were")
