"""A movie's index (`moov`) with a few fields changed and a few boxes put in, told as edits to the file.

Source of the format: ISO/IEC 14496-12, 8.1 to 8.7; Apple's QuickTime File Format
Specification. Only what is changed is held: an hour of video has megabytes of tables.
Offsets of chunks behind what grew are moved; nothing else in the file counts from its start,
or the movie is Unfit.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mediabox.model.recipe import Insert, Part, Span
from mediabox.native.boxes import Box, Malformed, Source, boxes, first, payload, within
from mediabox.native.fit.unfit import Unfit

MAX_TOP_BOXES = 4_096
MAX_CHILDREN = 1_024
MAX_TRACKS = 64
MAX_TABLE_BYTES = 64 << 20
_MOST_SIZE = (1 << 32) - 1
_PADDINGS = (b"free", b"skip", b"wide")
_FRAGMENTS = (b"moof", b"sidx", b"mfra", b"styp")


class Edit(NamedTuple):
    """Bytes `start` to `end` of the file become `content`."""

    start: int
    end: int
    content: bytes


class Movie:
    """The outermost boxes and the index's. Raises Unfit for a movie that cannot be edited, Malformed."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.top = list(boxes(source, limit=MAX_TOP_BOXES))
        if any(box.is_cut for box in self.top) or not self.top or self.top[-1].end != source.size:
            raise Unfit("the movie's file is cut short, or something is behind its last box")
        moovs = [box for box in self.top if box.type == b"moov"]
        if len(moovs) != 1:
            raise Unfit(f"the movie has {len(moovs)} indices (moov)")
        self.moov = moovs[0]
        self.children = list(boxes(source, self.moov.payload, self.moov.end, limit=MAX_CHILDREN))
        if any(box.is_cut for box in self.children):
            raise Malformed("a box of the movie's index passes its end")
        kinds = [box.type for box in (*self.top, *self.children)]
        if kinds.count(b"udta") > 1:  # at most one (ISO/IEC 14496-12, 8.10.1)
            raise Unfit("the movie's index tells its words twice")
        if {*kinds} & {*_FRAGMENTS, b"mvex"}:
            raise Unfit("the movie is in fragments")
        if b"mvhd" not in kinds:
            raise Unfit("the movie's index is packed, or has no header")

    @property
    def is_quicktime(self) -> bool:
        """Whether the file says it is QuickTime; files from before 2004 say nothing and are."""
        kind = self.top[0]
        return kind.type != b"ftyp" or self.source.bytes(kind.payload, 4) == b"qt  "

    def child(self, kind: bytes) -> Box | None:
        """The index's first box of that type."""
        return next((box for box in self.children if box.type == kind), None)

    def tracks(self) -> list[Box]:
        """Raises Unfit when there are more than a movie has."""
        found = [box for box in self.children if box.type == b"trak"]
        if len(found) > MAX_TRACKS:
            raise Unfit(f"the movie has {len(found)} tracks")
        return found

    def table(self, box: Box) -> bytes:
        """A whole payload. Raises Malformed when it is cut or larger than any table."""
        return payload(self.source, box, limit=MAX_TABLE_BYTES)


def resized(source: Source, box: Box, by: int) -> Edit:
    """The edit that makes a box's header tell `by` more bytes. Raises Unfit when 32 bits do not hold them."""
    told = int.from_bytes(source.bytes(box.start, 4), "big")
    if told == 0:  # to the end of what contains it, wherever that is
        return Edit(box.start, box.start, b"")
    size = box.end - box.start + by
    if told == 1:
        return Edit(box.start + 8, box.start + 16, size.to_bytes(8, "big"))
    if size > _MOST_SIZE:
        raise Unfit(f"box {box.type!r} would have {size:,} bytes")
    return Edit(box.start, box.start + 4, size.to_bytes(4, "big"))


def growth(edits: Iterable[Edit]) -> int:
    """By how many bytes the file grows."""
    return sum(len(edit.content) - (edit.end - edit.start) for edit in edits)


def moved_chunks(movie: Movie, by: int) -> Iterator[Edit]:
    """Edits of the offsets of chunks behind the index. Raises Unfit where something else would have to move, too."""
    if all(box.end <= movie.moov.end or box.type in _PADDINGS for box in movie.top):
        return
    if any(_has_items(movie, box) for box in (*movie.top, *movie.children)):
        raise Unfit("the movie has pictures as items")
    for trak in movie.tracks():
        stbl = within(movie.source, trak, b"mdia", b"minf", b"stbl")
        if stbl is None:
            raise Malformed("a track without a table of its samples")
        for box in boxes(movie.source, stbl.payload, stbl.end, limit=MAX_CHILDREN):
            if box.type == b"saio":  # offsets of what decrypts a sample
                raise Unfit("the movie is encrypted")
            if box.type in (b"stco", b"co64"):
                moved = moved_offsets(movie.table(box), box.type, movie.moov.end, by)
                yield Edit(box.payload, box.end, moved)


def _has_items(movie: Movie, box: Box) -> bool:
    return box.type == b"meta" and first(movie.source, b"iloc", box.payload + 4, box.end) is not None


def chunk_offsets(table: bytes, kind: bytes) -> "array[int]":
    """The offsets of a `stco` or `co64` payload. Raises Malformed when it has fewer than it says."""
    width = 4 if kind == b"stco" else 8
    count = int.from_bytes(table[4:8], "big")
    if len(table) < 8 + count * width:
        raise Malformed(f"a table of {count} chunks in {len(table)} bytes")
    offsets = array("I" if width == 4 else "Q", table[8 : 8 + count * width])
    if sys.byteorder == "little":
        offsets.byteswap()
    return offsets


def moved_offsets(table: bytes, kind: bytes, behind: int, by: int) -> bytes:
    """A `stco` or `co64` payload whose chunks from `behind` on lie `by` bytes later. Raises Unfit, Malformed."""
    offsets = chunk_offsets(table, kind)
    try:
        moved = array(offsets.typecode, [at + by if at >= behind else at for at in offsets])
    except OverflowError:
        raise Unfit("the movie is too long for its own table of chunks to move") from None
    if sys.byteorder == "little":
        moved.byteswap()
    return table[:8] + moved.tobytes() + table[8 + len(moved) * moved.itemsize :]


def pieces(edits: Iterable[Edit], size: int, part: Part = Part.FIRST) -> tuple[Span | Insert, ...]:
    """The whole file with the edits made."""
    found: list[Span | Insert] = []
    at = 0
    for edit in sorted(edits):
        if edit.start > at:
            found.append(Span(part=part, offset=at, length=edit.start - at))
        if edit.content:
            found.append(Insert(content=edit.content))
        at = max(at, edit.end)
    if size > at:
        found.append(Span(part=part, offset=at, length=size - at))
    return tuple(found)
