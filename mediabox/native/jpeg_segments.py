"""A JPEG's marker segments up to its scan: for those who read, edit and write them (ITU-T T.81, annex B)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from mediabox.native.boxes import Source

MAX_SEGMENTS = 1_000  # before the scan; extended XMP of a depth map takes about 40
APP0, APP1, APP2, APP13, SCAN, COMMENT = 0xE0, 0xE1, 0xE2, 0xED, 0xDA, 0xFE
EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
ICC = b"ICC_PROFILE\0"
MPF = b"MPF\0"
ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
PHOTOSHOP = b"Photoshop 3.0\0"
START_MARKER, END_MARKER = b"\xff\xd8", b"\xff\xd9"

_END = 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length: TEM, RSTn
_HEAD_BYTES = 4 + 36  # marker and length, then the longest name


class Segment(NamedTuple):
    """One segment: its marker at `at`, its content from `body` to `end`, of which `head` is the start."""

    marker: int
    at: int
    body: int
    end: int
    head: bytes

    def starts(self, marker: int, name: bytes) -> bool:
        return self.marker == marker and self.head.startswith(name)


def segments(source: Source) -> Iterator[Segment]:
    """Each segment, the scan's last. Ends, without an error, where they make no sense; the last may pass the end."""
    at, size = 2, source.size
    for _ in range(MAX_SEGMENTS):
        if at + 4 > size:
            return
        head = source.bytes(at, min(_HEAD_BYTES, size - at))
        lead, marker, high, low = head[:4]
        if lead != 0xFF:
            return
        if marker == 0xFF or marker in _ALONE:  # fill bytes may come before any marker
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + (high << 8 | low)
        if marker == _END or (end < at + 4 and marker != SCAN):
            return
        yield Segment(marker, at, at + 4, end, head[4 : end - at])
        if marker == SCAN:
            return
        at = end


def written(marker: int, content: bytes) -> bytes:
    """A segment. The content must fit one: 65,533 bytes."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
