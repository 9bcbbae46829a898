"""Canon's CRW: a heap of records, its directory at the end (Canon's CIFF specification 1.0)."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags.dates import Moment, candidate
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.text import decoded

MAX_DEPTH = 6
MAX_HEAPS = 64
MAX_RECORDS = 512  # in one heap
_IS_HEAP = (0x2800, 0x3000)
_TURNS = {90: 6, 180: 3, 270: 8}


def read_crw(source: Source, found: Findings) -> None:
    """Take make, model, size, turn and time. Raises Malformed when there is no heap."""
    for tag, at, length in heap_records(source):
        with Tolerant():
            _take(tag, source.bytes(at, min(length, 256)), _byte_order(source), found)


def heap_records(source: Source) -> Iterator[tuple[int, int, int]]:
    """Tag, offset and length of the records in all heaps; a broken heap has none. Raises Malformed without a first."""
    head = source.bytes(0, 14)
    if head[6:14] != b"HEAPCCDR":
        raise Malformed("no CIFF heap")
    endian = _byte_order(source)
    heaps = [(struct.unpack_from(endian + "I", head, 2)[0], source.size, 0)]
    for _ in range(MAX_HEAPS):
        if not heaps:
            return
        start, end, depth = heaps.pop()
        records: list[tuple[int, int, int]] = []
        with Tolerant():
            records = _records(source, start, end, endian)
        for tag, at, length in records:
            if tag & 0x3800 in _IS_HEAP and depth < MAX_DEPTH:
                heaps.append((at, at + length, depth + 1))
            else:
                yield tag, at, length


def _byte_order(source: Source) -> str:
    return "<" if source.bytes(0, 2) == b"II" else ">"


def _records(source: Source, start: int, end: int, endian: str) -> list[tuple[int, int, int]]:
    """Tag, offset and length of a heap's records; the small ones, kept in the directory, are left out."""
    (table,) = struct.unpack(endian + "I", source.bytes(end - 4, 4))
    (count,) = struct.unpack(endian + "H", source.bytes(start + table, 2))
    rows = source.bytes(start + table + 2, 10 * min(count, MAX_RECORDS))
    return [
        (tag & 0x3FFF, start + offset, length)
        for tag, length, offset in struct.iter_unpack(endian + "HII", rows)
        if not tag & 0xC000
    ]


def _take(tag: int, value: bytes, endian: str, found: Findings) -> None:
    match tag:
        case 0x080A:
            make, _, model = value.partition(b"\0")
            found.make, found.model = decoded(make), decoded(model)
        case 0x1810:
            width, height, _, turn = struct.unpack_from(endian + "IIfi", value)
            found.width, found.height = width, height
            found.orientation = _TURNS.get(turn % 360, 1)
        case 0x180E:  # seconds since 1970 on the camera's clock, that is local time
            (seconds,) = struct.unpack_from(endian + "I", value)
            local = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
            found.times.append(candidate(Moment(local, None, has_millis=False), TimeSource.EXIF_LOCAL))
        case _:
            return
