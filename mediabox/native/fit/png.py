"""A PNG told when and where it was taken: its `eXIf` chunk, new or written anew (W3C PNG, third edition, 11.3.4.5)."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from mediabox.model.recipe import FitRequest, Recipe
from mediabox.native.boxes import Malformed, Source
from mediabox.native.fit.exif_edit import with_time_and_place
from mediabox.native.fit.same_bytes import is_same
from mediabox.native.fit.splice import Edit, pieces
from mediabox.native.fit.unfit import Unfit

MAX_CHUNKS: Final = 1_000_000  # some writers cut pixels into pieces of 8 KiB: 8 GB
LARGEST_EXIF_BYTES: Final = 1 << 20
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_EXIF: Final = b"eXIf"
_FRAME_BYTES: Final = 12  # length, type, checksum


class Chunk(NamedTuple):
    """From its length at `at` to behind its checksum at `end`."""

    kind: bytes
    at: int
    end: int


def fit(first: Source, clip: Source | None, request: FitRequest) -> Recipe:
    """How to put the file together. Raises Unfit with a reason for a person, Malformed for bytes that lie."""
    if clip is not None:
        raise Unfit("a PNG cannot hold a video")
    found = list(_chunks(first))
    old = next((chunk for chunk in found if chunk.kind == _EXIF), None)
    block = b"" if old is None else _body(first, old)
    said = _written(with_time_and_place(block, request.capture_time, request.place))
    if old is None:  # before the pixels, where it has to be
        edit = Edit(next(chunk.at for chunk in found if chunk.kind == b"IDAT"), 0, said)
    else:
        edit = Edit(old.at, old.end - old.at, said)
    return Recipe(pieces=pieces([edit], first.size), media_type="image/png")


def same_picture(result: Source, first: Source) -> None:
    """Every chunk but Exif's is there, in order, with the same bytes. Raises Unfit, Malformed."""
    made, given = list(_kept(result)), list(_kept(first))
    if [chunk.kind for chunk in made] != [chunk.kind for chunk in given]:
        raise Unfit("the made PNG has lost or changed a chunk")
    for ours, theirs in zip(made, given, strict=True):
        length = theirs.end - theirs.at
        if ours.end - ours.at != length or not is_same(result, ours.at, first, theirs.at, length):
            raise Unfit("the made PNG has not the same picture data")


def _chunks(source: Source) -> Iterator[Chunk]:
    """All chunks to the end chunk. Raises Malformed for a file without pixels or end."""
    if source.size < len(_SIGNATURE) or source.bytes(0, len(_SIGNATURE)) != _SIGNATURE:
        raise Malformed("no PNG")
    at, has_pixels = len(_SIGNATURE), False
    for _ in range(MAX_CHUNKS):
        if at + _FRAME_BYTES > source.size:
            break
        length, kind = struct.unpack(">I4s", source.bytes(at, 8))
        end = at + _FRAME_BYTES + length
        has_pixels = has_pixels or kind == b"IDAT"
        if end > source.size:
            break
        yield Chunk(kind, at, end)
        if kind == b"IEND" and has_pixels:
            return
        at = end
    raise Malformed("the PNG ends before its end chunk")


def _kept(source: Source) -> Iterator[Chunk]:
    return (chunk for chunk in _chunks(source) if chunk.kind != _EXIF)


def _body(source: Source, chunk: Chunk) -> bytes:
    length = chunk.end - chunk.at - _FRAME_BYTES
    if length > LARGEST_EXIF_BYTES:
        raise Unfit(f"its Exif block has {length:,} bytes")
    return source.bytes(chunk.at + 8, length)


def _written(block: bytes) -> bytes:
    checksum = zlib.crc32(_EXIF + block)
    return struct.pack(">I", len(block)) + _EXIF + block + struct.pack(">I", checksum)
