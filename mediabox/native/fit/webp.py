"""A WebP told when and where it was taken: its `EXIF` chunk, new or written anew (RFC 9649, section 2.7).

Only the extended form holds one, so a simple file is given the header of that form.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from mediabox.model.recipe import FitRequest, Recipe
from mediabox.native.boxes import Malformed, Source
from mediabox.native.fit.exif_edit import with_time_and_place
from mediabox.native.fit.same_bytes import is_same
from mediabox.native.fit.splice import Edit, moved, pieces
from mediabox.native.fit.unfit import Unfit

MAX_CHUNKS: Final = 100_000
LARGEST_EXIF_BYTES: Final = 1 << 20
_RIFF_BYTES: Final = 12
_EXTENDED, _EXIF, _LOSSY, _LOSSLESS = b"VP8X", b"EXIF", b"VP8 ", b"VP8L"
_OURS: Final = (_EXTENDED, _EXIF)
_JPEG_PREFIX: Final = b"Exif\0\0"  # some writers keep it
_HAS_EXIF, _HAS_ALPHA = 0x08, 0x10
_MOST_RIFF_BYTES: Final = (1 << 32) - 10


class Chunk(NamedTuple):
    """From its type at `at` to behind its padding at `end`; `length` is its content's."""

    kind: bytes
    at: int
    length: int
    end: int


def fit(first: Source, clip: Source | None, request: FitRequest) -> Recipe:
    """How to put the file together. Raises Unfit with a reason for a person, Malformed for bytes that lie."""
    if clip is not None:
        raise Unfit("a WebP cannot hold a video")
    found = list(_chunks(first))
    old = next((chunk for chunk in found if chunk.kind == _EXIF), None)
    block = b"" if old is None else _body(first, old)
    said = _written(_EXIF, with_time_and_place(block, request.capture_time, request.place))
    last = found[-1]
    riff_end = last.end
    if old is None:
        padding = bytes((last.length & 1) - (last.end - last.at - 8 - last.length))  # often left out at the end
        edits = [_header(first, found), Edit(riff_end, 0, padding + said)]
    else:
        edits = [_header(first, found), Edit(old.at, old.end - old.at, said)]
    size = moved(edits, riff_end) - 8
    if size > _MOST_RIFF_BYTES:
        raise Unfit("a WebP of 4 GB has no room for capture time and place")
    edits.insert(0, Edit(4, 4, struct.pack("<I", size)))
    return Recipe(pieces=pieces(edits, first.size), media_type="image/webp")


def same_picture(result: Source, first: Source) -> None:
    """Every chunk but Exif's and the header's is there, in order, with the same bytes. Raises Unfit, Malformed."""
    made, given = ([chunk for chunk in _chunks(source) if chunk.kind not in _OURS] for source in (result, first))
    if [(chunk.kind, chunk.length) for chunk in made] != [(chunk.kind, chunk.length) for chunk in given]:
        raise Unfit("the made WebP has lost or changed a chunk")
    for ours, theirs in zip(made, given, strict=True):
        if not is_same(result, ours.at, first, theirs.at, 8 + theirs.length):
            raise Unfit("the made WebP has not the same picture data")
    if _canvas(result) != _canvas(first):
        raise Unfit("the made WebP has another size")


def _chunks(source: Source) -> Iterator[Chunk]:
    """All chunks. Raises Malformed when one is not whole or there is none; a last one may lack its padding."""
    head = source.bytes(0, min(_RIFF_BYTES, source.size))
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        raise Malformed("no WebP")
    stop = int.from_bytes(head[4:8], "little") + 8
    at = _RIFF_BYTES
    for _ in range(MAX_CHUNKS):
        if at + 8 > min(stop, source.size) and at > _RIFF_BYTES:
            return
        kind, length = struct.unpack("<4sI", source.bytes(at, 8))
        if at + 8 + length > source.size:
            break
        end = min(at + 8 + length + (length & 1), source.size)
        yield Chunk(kind, at, length, end)
        at = end
    raise Malformed("a WebP chunk that is not whole")


def _header(first: Source, found: list[Chunk]) -> Edit:
    """The extended form's header, saying that there is Exif."""
    opening = found[0]
    if opening.kind == _EXTENDED and opening.length >= 10:
        return Edit(opening.at + 8, 1, bytes([first.bytes(opening.at + 8, 1)[0] | _HAS_EXIF]))
    width, height, has_alpha = _simple_canvas(first, opening)
    flags = _HAS_EXIF | (_HAS_ALPHA if has_alpha else 0)
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return Edit(opening.at, 0, _written(_EXTENDED, struct.pack("<I", flags) + canvas))


def _canvas(source: Source) -> tuple[int, int]:
    """Width and height in pixels."""
    opening = next(_chunks(source))
    if opening.kind != _EXTENDED:
        return _simple_canvas(source, opening)[:2]
    size = source.bytes(opening.at + 12, 6)
    return int.from_bytes(size[:3], "little") + 1, int.from_bytes(size[3:], "little") + 1


def _simple_canvas(source: Source, chunk: Chunk) -> tuple[int, int, bool]:
    """Width, height and whether there is transparency, of a single picture (RFC 6386, 9.1; RFC 9649, 3.4)."""
    if chunk.kind == _LOSSY and chunk.length >= 10:
        width, height = struct.unpack("<HH", source.bytes(chunk.at + 14, 4))
        return width & 0x3FFF, height & 0x3FFF, False
    if chunk.kind == _LOSSLESS and chunk.length >= 5:
        (bits,) = struct.unpack("<I", source.bytes(chunk.at + 9, 4))
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    raise Malformed("a WebP without a picture")


def _body(source: Source, chunk: Chunk) -> bytes:
    if chunk.length > LARGEST_EXIF_BYTES:
        raise Unfit(f"its Exif block has {chunk.length:,} bytes")
    return source.bytes(chunk.at + 8, chunk.length).removeprefix(_JPEG_PREFIX)


def _written(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) & 1)
