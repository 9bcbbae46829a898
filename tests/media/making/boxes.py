"""The three containers everything else is built from: JPEG segments, TIFF directories, ISO boxes."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgspec


def box(kind: bytes, *parts: bytes) -> bytes:
    """An ISO base media box (ISO/IEC 14496-12, 4.2)."""
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def segment(marker: int, content: bytes) -> bytes:
    """A JPEG marker segment (ITU-T T.81, B.1.1.4)."""
    return struct.pack(">HH", 0xFF00 | marker, 2 + len(content)) + content


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """The JPEG with these segments right after its start marker."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def xmp_segment(packet: bytes) -> bytes:
    """APP1 with an XMP packet (XMP part 3, 1.1.3)."""
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


class Tag(msgspec.Struct, frozen=True):
    """One TIFF field. A `Directory` or a list of them as value becomes a pointer."""

    number: int
    kind: int  # TIFF 6.0 section 2: 1 BYTE, 2 ASCII, 3 SHORT, 4 LONG, 5 RATIONAL, 7 UNDEFINED, 10 SRATIONAL, 13 IFD
    value: bytes | Sequence[int] | Sequence[tuple[int, int]] | Sequence[Directory] | Blob


class Blob(msgspec.Struct, frozen=True):
    """Bytes stored elsewhere in the file; the field holds their offset."""

    content: bytes


class Directory(msgspec.Struct, frozen=True):
    tags: tuple[Tag, ...]


def tiff(directories: Sequence[Directory], *, order: str = "<", magic: bytes = b"", before: bytes = b"") -> bytes:
    """A TIFF file of chained directories. `magic` replaces the number 42, `before` stands after the header."""
    mark = b"II" if order == "<" else b"MM"
    start = 8 + len(before)
    body = bytearray(mark + (magic or struct.pack(order + "H", 42)) + struct.pack(order + "I", start) + before)
    next_at = None
    for directory in directories:
        at = _append_directory(body, directory, order)
        if next_at is not None:
            struct.pack_into(order + "I", body, next_at, at)
        next_at = at + 2 + 12 * len(directory.tags)
    return bytes(body)


def _append_directory(body: bytearray, directory: Directory, order: str) -> int:
    """Write one directory and everything it points to at the end; return its offset."""
    body += b"\0" * (len(body) % 2)
    at = len(body)
    tags = sorted(directory.tags, key=lambda tag: tag.number)
    body += struct.pack(order + "H", len(tags)) + b"\0" * (12 * len(tags) + 4)
    for index, tag in enumerate(tags):
        count, content = _field(body, tag, order)
        if len(content) > 4:
            body += b"\0" * (len(body) % 2)
            offset = len(body)
            body += content
            content = struct.pack(order + "I", offset)
        struct.pack_into(
            order + "HHI4s", body, at + 2 + 12 * index, tag.number, tag.kind, count, content.ljust(4, b"\0")
        )
    return at


def _field(body: bytearray, tag: Tag, order: str) -> tuple[int, bytes]:
    """Count and content of a field, after writing what it points to."""
    value = tag.value
    if isinstance(value, Blob):
        body += b"\0" * (len(body) % 2)
        offset = len(body)
        body += value.content
        return 1, struct.pack(order + "I", offset)
    if isinstance(value, bytes):
        return len(value), value
    if isinstance(value[0], Directory):
        offsets = [_append_directory(body, child, order) for child in value if isinstance(child, Directory)]
        return len(offsets), struct.pack(f"{order}{len(offsets)}I", *offsets)
    numbers = [part for item in value for part in (item if isinstance(item, tuple) else (item,))]
    letter = {1: "B", 3: "H", 4: "I", 5: "I", 7: "B", 10: "i", 13: "I"}[tag.kind]
    return len(value), struct.pack(f"{order}{len(numbers)}{letter}", *numbers)


def text(number: int, value: str) -> Tag:
    return Tag(number, 2, value.encode() + b"\0")


def short(number: int, *values: int) -> Tag:
    return Tag(number, 3, values)


def long(number: int, *values: int) -> Tag:
    return Tag(number, 4, values)
