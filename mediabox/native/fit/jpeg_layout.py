"""A JPEG as it can be edited: its segments, the pictures behind it, and their table made right again.

CIPA DC-007 for the table of pictures. `native.tags.jpeg` reads what a segment says; here it
matters where each begins and ends.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from mediabox.native import jpeg_segments
from mediabox.native.boxes import Malformed, Source
from mediabox.native.fit.splice import Edit, moved
from mediabox.native.jpeg_segments import APP2, END_MARKER, MPF, SCAN, Segment
from mediabox.native.tags.mpf import ROW_BYTES, read_table
from mediabox.native.tags.reader import SubReader

LARGEST_EXIF_BYTES = 65_527  # a segment's 65,535 less its length and the prefix
LARGEST_XMP_BYTES = 65_502  # Adobe XMP part 3, 1.1.3


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
    found = list(jpeg_segments.segments(source))
    if not found or found[-1].marker != SCAN or not found[-1].body < found[-1].end <= source.size:
        raise Malformed(f"the JPEG's segments break off at byte {found[-1].end if found else 2}")
    return Still(segments=tuple(found[:-1]), scan_at=found[-1].at, pictures=_pictures(source, found))


def body(source: Source, segment: Segment, name: bytes) -> bytes:
    """What a segment holds behind its name."""
    start = segment.body + len(name)
    return source.bytes(start, segment.end - start)


def _pictures(source: Source, segments: Sequence[Segment]) -> Pictures | None:
    """The table, when there is one that can be read; one that cannot is left as it is."""
    segment = next((one for one in segments if one.starts(APP2, MPF)), None)
    if segment is None:
        return None
    base = segment.body + len(MPF)
    try:
        table = read_table(SubReader(source, base, segment.end - base))
    except (Malformed, struct.error):
        return None
    if table is None:
        return None
    pictures = tuple(Picture(row, base + at if at else 0, size) for row, (size, at) in enumerate(table.rows))
    return Pictures(segment=segment, base=base, endian=table.endian, table_at=base + table.at, pictures=pictures)


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
        row = table.table_at - segment.at + picture.row * ROW_BYTES
        struct.pack_into(table.endian + "II", content, row + 4, size, at - base)
    return [Edit(segment.at, segment.end - segment.at, bytes(content))]
