"""Where a JPEG's segments lie, and the pictures behind it, so that some can be replaced.

ITU-T T.81, annex B; CIPA DC-007 for the table of pictures. `native.tags.jpeg` reads what
they say; here it matters where each begins and ends.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from mediabox.native.boxes import Malformed, Source
from mediabox.native.fit.splice import Edit, moved
from mediabox.native.tags.jpeg import MAX_SEGMENTS
from mediabox.native.tags.mpf import MAX_PICTURES
from mediabox.native.tags.reader import Window
from mediabox.native.tags.tiff import Tiff

APP0, APP1, APP2, SCAN = 0xE0, 0xE1, 0xE2, 0xDA
EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
MPF = b"MPF\0"
ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
END_MARKER = b"\xff\xd9"
LARGEST_EXIF_BYTES = 65_527  # a segment's 65,535 less its length and the prefix
LARGEST_XMP_BYTES = 65_502  # Adobe XMP part 3, 1.1.3

_END = 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length: TEM, RSTn
_HEAD_BYTES = 32
_PICTURES_TAG = 0xB002
_PICTURE_BYTES = 16


class Segment(NamedTuple):
    """One segment: its marker at `at`, its content from `body` to `end`, of which `head` is the start."""

    marker: int
    at: int
    body: int
    end: int
    head: bytes

    def starts(self, marker: int, name: bytes) -> bool:
        return self.marker == marker and self.head.startswith(name)


class Picture(NamedTuple):
    """A row of the table of pictures. `at` is where the file says it begins; the first one's is 0."""

    row: int
    at: int
    size: int


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """The table of pictures, and how to write it again."""

    segment: Segment
    base: int  # where the table's offsets count from
    endian: str
    table_at: int
    pictures: tuple[Picture, ...]

    @property
    def behind(self) -> tuple[Picture, ...]:
        """All but the first."""
        return tuple(picture for picture in self.pictures if picture.at)


class Still(msgspec.Struct, frozen=True, kw_only=True):
    """A JPEG's layout. `scan_at`: where the first scan's marker is."""

    segments: tuple[Segment, ...]
    scan_at: int
    pictures: Pictures | None

    def named(self, marker: int, name: bytes) -> Segment | None:
        """The first segment of that marker that begins so."""
        return next((segment for segment in self.segments if segment.starts(marker, name)), None)


def read_still(source: Source) -> Still:
    """Find everything before the picture. Raises Malformed when the picture is never reached."""
    segments: list[Segment] = []
    at = 2
    for _ in range(MAX_SEGMENTS):
        lead, marker, high, low = source.bytes(at, 4) if at + 4 <= source.size else b"\0\0\0\0"
        if lead != 0xFF:
            raise Malformed(f"no JPEG segment at byte {at}")
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + (high << 8 | low)
        if marker == _END or end < at + 4 or end > source.size:
            raise Malformed(f"a JPEG segment at byte {at} that is not whole")
        if marker == SCAN:
            return Still(segments=tuple(segments), scan_at=at, pictures=_pictures(source, segments))
        segments.append(Segment(marker, at, at + 4, end, source.bytes(at + 4, min(_HEAD_BYTES, end - at - 4))))
        at = end
    raise Malformed(f"more than {MAX_SEGMENTS} JPEG segments")


def body(source: Source, segment: Segment, name: bytes) -> bytes:
    """What a segment holds behind its name."""
    start = segment.body + len(name)
    return source.bytes(start, segment.end - start)


def written(marker: int, content: bytes) -> bytes:
    """A segment. The content must fit one: 65,533 bytes."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _pictures(source: Source, segments: Sequence[Segment]) -> Pictures | None:
    """The table, when there is one that can be read; one that cannot is left as it is."""
    segment = next((one for one in segments if one.starts(APP2, MPF)), None)
    if segment is None:
        return None
    base = segment.body + len(MPF)
    try:
        tiff = Tiff(Window(source, base, segment.end - base))
        place = tiff.directory(tiff.first).place(_PICTURES_TAG)
        if place is None:
            return None
        _, length, offset = place
        table = tiff.source.bytes(offset, min(length, MAX_PICTURES * _PICTURE_BYTES) // _PICTURE_BYTES * _PICTURE_BYTES)
    except (Malformed, struct.error):
        return None
    rows = enumerate(struct.iter_unpack(tiff.endian + "IIIHH", table))
    pictures = tuple(Picture(row, base + at if at else 0, size) for row, (_, size, at, _, _) in rows)
    return Pictures(segment=segment, base=base, endian=tiff.endian, table_at=base + offset, pictures=pictures)


def primary_end(source: Source, still: Still) -> int | None:
    """Where the first picture ends, as far as it can be told without looking through it."""
    starts = [picture.at for picture in still.pictures.behind] if still.pictures else []
    end = min(starts, default=source.size)
    is_sure = still.scan_at < end <= source.size and source.bytes(end - 2, 2) == END_MARKER
    return end if is_sure else None


def moved_pictures(
    source: Source, still: Still, edits: Sequence[Edit], *, instead: Sequence[Picture] = ()
) -> list[Edit]:
    """The edit that makes the table of pictures right again after the others; `instead`: rows with new places."""
    table = still.pictures
    if table is None or not edits:
        return []
    segment = table.segment
    content = bytearray(source.bytes(segment.at, segment.end - segment.at))
    base = moved(edits, table.base)
    replaced = {picture.row: picture for picture in instead}
    end = primary_end(source, still)
    for picture in table.pictures:
        at, size = moved(edits, picture.at), picture.size
        if picture.row in replaced:
            _, at, size = replaced[picture.row]
        elif not picture.at and picture.row:
            continue  # says nothing
        elif not picture.at:
            at = base  # the first picture's offset is 0 by definition
            size = moved(edits, end) if end and table.behind else size + moved(edits, still.scan_at) - still.scan_at
        row = table.table_at - segment.at + picture.row * _PICTURE_BYTES
        struct.pack_into(table.endian + "II", content, row + 4, size, at - base)
    return [Edit(segment.at, segment.end - segment.at, bytes(content))]
