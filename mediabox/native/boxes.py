"""Walk ISO base media boxes (MP4, MOV, HEIF, CR3) without reading what is in them.

Source of the format: ISO/IEC 14496-12, section 4.2. The caller descends: a walk
never recurses, so neither depth nor length of a file can take the stack or the
clock. Whatever a hostile file says, the only exception is `Malformed`.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple, Protocol

MAX_BOXES = 65_536  # in one walk; a 200 MP HEIC has about 2,000, a fragmented hour of video about 20,000
_HEADER = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")


class Malformed(Exception):
    """The bytes contradict their own format. The message says where."""


class Source(Protocol):
    """Random access to a file (`tags.reader.Reader`) or to a part of it (`Held`)."""

    @property
    def size(self) -> int:
        """Offset just past the last byte."""

    def bytes(self, offset: int, length: int, /) -> bytes:
        """Exactly these bytes when they are there."""


class Held:
    """Bytes already read, addressed by their offset in the file, so that a walk goes on in memory."""

    __slots__ = ("_bytes", "size", "start")

    def __init__(self, held: bytes, start: int = 0) -> None:
        self._bytes = held
        self.start = start
        self.size = start + len(held)

    def bytes(self, offset: int, length: int, /) -> bytes:
        """The bytes from `offset` on; fewer than `length` at the end."""
        at = offset - self.start
        return self._bytes[at : at + length] if at >= 0 else b""


class Box(NamedTuple):
    """Where one box lies; offsets from the start of the file.

    `end` never passes the end of the parent: when the box claims to, `is_cut` is
    true and its payload is not whole (a truncated file, or a lie).
    """

    type: bytes  # four characters: b"moov"; b"uuid" has its 16 byte name in `name`
    start: int
    payload: int
    end: int
    is_cut: bool = False
    name: bytes = b""

    @property
    def length(self) -> int:
        """Bytes of payload that are there."""
        return self.end - self.payload


def boxes(source: Source, start: int = 0, end: int | None = None, *, limit: int = MAX_BOXES) -> Iterator[Box]:
    """The boxes between two offsets, in order. Fewer than 8 bytes left over are padding.

    Raises Malformed for a box smaller than its own header, or more than `limit` boxes.
    """
    stop = source.size if end is None else min(end, source.size)
    at = max(start, 0)
    for _ in range(limit):
        if at + 8 > stop:
            return
        box = _box(source, at, stop)
        yield box
        at = box.end
    if at + 8 <= stop:
        raise Malformed(f"more than {limit} boxes before offset {at}")


def first(source: Source, kind: bytes, start: int = 0, end: int | None = None) -> Box | None:
    """The first box of that type, or `None`. Raises as `boxes` does."""
    return next((box for box in boxes(source, start, end) if box.type == kind), None)


def within(source: Source, box: Box, *path: bytes) -> Box | None:
    """The box at a path below another, the first of each type. Raises as `boxes` does."""
    found: Box | None = box
    for kind in path:
        found = None if found is None else first(source, kind, found.payload, found.end)
    return found


def payload(source: Source, box: Box, *, limit: int) -> bytes:
    """The whole payload of a box. Raises Malformed when it is cut or longer than `limit` bytes."""
    if box.is_cut:
        raise Malformed(f"box {box.type!r} at offset {box.start} is cut")
    return exactly(source, box.payload, box.length, limit=limit)


def exactly(source: Source, offset: int, length: int, *, limit: int) -> bytes:
    """`length` bytes from `offset`. Raises Malformed when they are not there or more than `limit`."""
    if not 0 <= length <= limit or offset < 0 or offset + length > source.size:
        raise Malformed(f"{length} bytes at offset {offset} of {source.size}; at most {limit} are read")
    found = source.bytes(offset, length)
    if len(found) != length:
        raise Malformed(f"{len(found)} of {length} bytes at offset {offset}")
    return found


def _box(source: Source, at: int, stop: int) -> Box:
    head = source.bytes(at, 8)
    if len(head) != 8:
        raise Malformed(f"{len(head)} of 8 bytes at offset {at}")
    size, kind = _HEADER.unpack(head)
    if size >= 8 and kind != b"uuid":  # nearly all, and a large picture has thousands
        return Box(kind, at, at + 8, min(at + size, stop), at + size > stop)
    header, name = 8, b""
    if size == 1:  # 64-bit size follows
        size = _LARGE.unpack(exactly(source, at + 8, 8, limit=8))[0]
        header = 16
    elif size == 0:  # to the end of what contains it
        size = stop - at
    if kind == b"uuid":
        name = exactly(source, at + header, 16, limit=16)
        header += 16
    if size < header:
        raise Malformed(f"box {kind!r} at offset {at} has {size} bytes, less than its header")
    return Box(kind, at, min(at + header, stop), min(at + size, stop), at + size > stop, name)
