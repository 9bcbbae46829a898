"""The outermost boxes of a HEIF file, and how they are laid out anew around a grown catalogue.

The file keeps the order of its boxes. New item data go into an `mdat` of ours behind
them, before a video that is there already (Google's and Samsung's readers count from the
end of the file); a new video goes last, in `mpvd`. Offsets move by what grew before them.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from mediabox.model.recipe import Insert, Part, Span
from mediabox.native.boxes import Box, Malformed, Source, boxes, payload
from mediabox.native.fit.heif_edits import box
from mediabox.native.fit.unfit import Unfit

Piece = Span | Insert

MAX_TOP_BOXES = 256
MAX_BRANDS_BYTES = 4096
_VIDEOS = (b"mpvd", b"sefd")
_MOST_BOX_BYTES = (1 << 32) - 1


class Moves(NamedTuple):
    """What grew: from which offset on, by how many bytes."""

    grown: tuple[tuple[int, int], ...]

    def of(self, offset: int) -> int:
        """Where a byte of the original is now."""
        return offset + sum(by for at, by in self.grown if offset >= at)


class Frame:
    """Raises Unfit for a file whose boxes cannot be moved about, Malformed for one that contradicts itself."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.boxes = list(boxes(source, limit=MAX_TOP_BOXES))
        if not self.boxes or self.boxes[0].type != b"ftyp":
            raise Malformed("the file does not begin with its type")
        if any(each.is_cut for each in self.boxes) or self.boxes[-1].end != source.size:
            raise Unfit("the picture's file is cut short, or something is behind its last box")
        metas = [each for each in self.boxes if each.type == b"meta"]
        if len(metas) != 1:
            raise Malformed(f"a picture with {len(metas)} catalogues")
        self.meta = metas[0]
        if any(each.type in (b"moov", b"moof") for each in self.boxes):
            raise Unfit("it is a sequence of pictures, or a video is behind it already")
        self.tail = self._tail()  # where new data go

    @property
    def has_video(self) -> bool:
        """Whether a Motion Photo's or Samsung's own data are in the file."""
        return any(each.type in _VIDEOS for each in self.boxes)

    def type_box(self, brand: bytes | None) -> bytes:
        """`ftyp`, made compatible with `brand` as well."""
        content = payload(self._source, self.boxes[0], limit=MAX_BRANDS_BYTES)
        brands = (content[at : at + 4] for at in range(8, len(content), 4))
        return box(b"ftyp", content, b"" if brand is None or brand in brands else brand)

    def laid_out(self, type_box: bytes, meta: Sequence[Piece], data: bytes) -> list[Piece]:
        """All pieces with `ftyp`, `meta` and a box of new data in their places."""
        pieces: list[Piece] = []
        for each in self.boxes:
            if each.start == self.tail:
                pieces.append(Insert(content=data))
            if each is self.boxes[0]:
                pieces.append(Insert(content=type_box))
            elif each is self.meta:
                pieces += meta
            else:
                pieces += self._kept(each)
        return pieces if self.tail != self._source.size else [*pieces, Insert(content=data)]

    def _tail(self) -> int:
        end = self._source.size
        for each in reversed(self.boxes):
            if each.type not in _VIDEOS:
                break
            end = each.start
        return end

    def _kept(self, each: Box) -> list[Piece]:
        """A box as it is. One without a size ended with the file: it gets one."""
        told = self._source.bytes(each.start, 4)
        length = each.end - each.start
        if told != bytes(4) or self.tail != self._source.size:
            return [Span(part=Part.FIRST, offset=each.start, length=length)]
        if length > _MOST_BOX_BYTES:
            raise Unfit(f"box {each.type!r} of {length:,} bytes has no size")
        return [
            Insert(content=struct.pack(">I", length)),
            Span(part=Part.FIRST, offset=each.start + 4, length=length - 4),
        ]


def video_box(length: int) -> bytes:
    """The header of `mpvd`, eight bytes as the format demands."""
    if length > _MOST_BOX_BYTES - 8:
        raise Unfit(f"a clip of {length:,} bytes is too long for a Motion Photo")
    return struct.pack(">I4s", 8 + length, b"mpvd")


def length_of(pieces: Sequence[Piece]) -> int:
    """Bytes of all of them."""
    return sum(one.length if isinstance(one, Span) else len(one.content) for one in pieces)


def joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The same bytes in as few pieces as possible."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, Insert) and isinstance(last, Insert):
            found[-1] = Insert(content=last.content + piece.content)
        elif isinstance(piece, Span) and isinstance(last, Span) and _follows(piece, last):
            found[-1] = Span(part=last.part, offset=last.offset, length=last.length + piece.length)
        elif length_of((piece,)):
            found.append(piece)
    return tuple(found)


def _follows(piece: Span, last: Span) -> bool:
    return piece.part is last.part and piece.offset == last.offset + last.length
