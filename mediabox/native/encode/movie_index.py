"""The index (`moov`) of a new MP4: completed with what the muxer was not told, and moved before the pictures.

A phone shows a film whose index comes first while the rest still arrives, and the
motion photo's player expects it there. Source: ISO/IEC 14496-12, section 8.
"""

import struct
from collections.abc import Iterator
from typing import cast

import av

from mediabox.native.boxes import Box, Held, Source, boxes, within
from mediabox.native.encode.movie_words import Words
from mediabox.native.encode.sink import FileSink
from mediabox.native.fit.heif_edits import box
from mediabox.native.fit.movie_edits import moved_offsets
from mediabox.native.fit.unfit import Unfit

_STEP_BYTES = 1 << 20
_LARGEST_INDEX = 64 << 20  # 10 hours at 60 frames a second have 50 MB
_CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf"))
_HEADERS = frozenset((b"mvhd", b"tkhd", b"mdhd"))
_MATRIX_AT = 40  # in the payload of a `tkhd` of version 0; 52 in one of version 1
_ONE, _UNITY = 1 << 16, 1 << 30  # 16.16 and 2.30
IDENTITY = (_ONE, 0, 0, 0, _ONE, 0, 0, 0, _UNITY)


def matrix_of(frame: av.VideoFrame) -> tuple[int, ...]:
    """How a frame is to be turned and mirrored for display: nine numbers, as FFmpeg and `tkhd` have them."""
    found = cast("bytes | None", frame.side_data.get("DISPLAYMATRIX"))
    numbers = b"" if found is None else bytes(found)
    return struct.unpack("@9i", numbers) if len(numbers) == struct.calcsize("@9i") else IDENTITY


def placed(matrix: tuple[int, ...], width: int, height: int) -> tuple[int, ...]:
    """The matrix with its shift such that a picture of this size lands at the origin."""
    a, b, _, c, d = matrix[:5]
    corners = [(x * a + y * c, x * b + y * d) for x in (0, width) for y in (0, height)]
    left, top = (-min(one[axis] for one in corners) for axis in (0, 1))
    return (a, b, 0, c, d, 0, left, top, _UNITY)


def finish(sink: FileSink, words: Words, *, matrix: tuple[int, ...]) -> None:
    """Complete the index and put it first. Raises Unfit when the muxer left none at the end, OSError."""
    brand, *others = boxes(sink)
    index = next((one for one in others if one.type == b"moov"), None)
    if index is None or brand.type != b"ftyp" or index is not others[-1] or index.length > _LARGEST_INDEX:
        raise Unfit("the new video has no index at its end")
    whole = sink.bytes(index.start, index.end - index.start)
    completed = _completed(Held(whole), words, matrix)
    _make_room(sink, brand.end, index.start, len(completed))
    _write(sink, brand.end, _moved(completed, len(completed)))


def _completed(index: Source, words: Words, matrix: tuple[int, ...]) -> bytes:
    """The same index with times, display matrix and words."""
    (moov,) = boxes(index)
    parts = [
        bytes(_patched(index, part, words, matrix))
        for part in boxes(index, moov.payload, moov.end)
        if part.type not in (b"udta", b"meta")
    ]
    user_data = box(b"udta", words.user_data) if words.user_data else b""
    return box(b"moov", *parts, user_data, words.meta)


def _patched(index: Source, part: Box, words: Words, matrix: tuple[int, ...]) -> bytearray:
    held = bytearray(index.bytes(part.start, part.end - part.start))
    is_picture = part.type == b"trak" and _is_picture(index, part)
    for header in _inside(Held(bytes(held)), _HEADERS):
        version = held[header.payload]
        if words.created_s is not None and version == 0:
            struct.pack_into(">II", held, header.payload + 4, words.created_s, words.created_s)
        if header.type == b"tkhd" and is_picture:
            struct.pack_into(">9i", held, header.payload + _MATRIX_AT + (12 if version else 0), *matrix)
    return held


def _is_picture(index: Source, track: Box) -> bool:
    handler = within(index, track, b"mdia", b"hdlr")
    return handler is not None and index.bytes(handler.payload + 8, 4) == b"vide"


def _moved(index: bytes, by: int) -> bytes:
    """The index with every offset of a chunk `by` bytes later. Raises Unfit when they need more than 32 bits."""
    held = bytearray(index)
    for table in _inside(Held(index), frozenset((b"stco", b"co64"))):
        held[table.payload : table.end] = moved_offsets(index[table.payload : table.end], table.type, 0, by)
    return bytes(held)


def _inside(index: Source, wanted: frozenset[bytes]) -> Iterator[Box]:
    """Every box of these types, however deep."""
    waiting = [(0, index.size)]
    while waiting:
        for found in boxes(index, *waiting.pop()):
            if found.type in wanted:
                yield found
            elif found.type in _CONTAINERS:
                waiting.append((found.payload, found.end))


def _make_room(sink: FileSink, start: int, end: int, by: int) -> None:
    """Move the bytes between two offsets `by` bytes back, last piece first."""
    at = end
    while at > start:
        length = min(_STEP_BYTES, at - start)
        at -= length
        _write(sink, at + by, sink.bytes(at, length))


def _write(sink: FileSink, at: int, piece: bytes) -> None:
    sink.seek(at)
    sink.write(piece)
