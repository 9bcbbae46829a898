"""What makers put into a movie of the wall clock it was filmed by: Nikon, Sony, Kodak, 3GPP phones."""

import re
import struct
from collections.abc import Iterator

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Box, Source, boxes
from mediabox.native.tags.dates import MAX_OFFSET_MIN, candidate, moment
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.text import decoded
from mediabox.native.tags.tiff import WIDTHS

MAX_BYTES = 64 * 1024
_NIKON_ORIGINAL, _NIKON_ZONE = (2, 0x12), (8, 0x19)  # text; signed minutes
# XAVC's non-real-time metadata; a Sony writes the same into a file beside the clip.
_SONY_DATE = re.compile(rb'<CreationDate\s+value="([^"]{4,40})"')
_PLAIN_DATE = re.compile(rb"\d{4}[-:][ -~]{0,40}")  # with or without length and language before it


def take_date(text: str | None, found: Findings) -> None:
    """Take a date in words: by a wall clock, or, where it says so with a Z, an instant as the header's."""
    at = moment(text or "")
    if at is not None:
        is_instant = at.offset_min == 0 and "Z" in (text or "").upper()
        found.times.append(candidate(at, TimeSource.MOVIE_HEADER if is_instant else TimeSource.QUICKTIME_DATE))


def read_maker(source: Source, box: Box, found: Findings) -> None:
    """A box of user data, or the `xml ` of Sony's `meta`. Others are passed over. Raises Malformed."""
    match box.type:
        case b"NCDT":
            _read_nikon(source, box, found)
        case b"yrrc":  # 3GPP TS 26.244, 8.8: the year of recording alone
            take_date(f"{int.from_bytes(source.bytes(box.payload + 4, 2), 'big'):04}", found)
        case b"date" | b"xml ":
            held = source.bytes(box.payload, min(box.length, MAX_BYTES))
            told = _SONY_DATE.search(held) if box.type == b"xml " else _PLAIN_DATE.search(held)
            take_date(decoded(told[told.re.groups]) if told else None, found)
        case _:
            return


def _read_nikon(source: Source, ncdt: Box, found: Findings) -> None:
    for box in boxes(source, ncdt.payload, ncdt.end, limit=64):
        if box.type == b"NCTG":
            told = dict(_nikon_records(source.bytes(box.payload, min(box.length, MAX_BYTES))))
            at = moment(decoded(told.get(_NIKON_ORIGINAL, b"")) or "")
            zone = told.get(_NIKON_ZONE, b"")
            minutes = int.from_bytes(zone[:2], "big", signed=True) if zone else None
            if at is not None:
                is_zone = minutes is not None and minutes % 15 == 0 and abs(minutes) <= MAX_OFFSET_MIN
                found.times.append(candidate(at, TimeSource.QUICKTIME_DATE, minutes if is_zone else None))


def _nikon_records(held: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Values by type and tag (ExifTool, Nikon.pm, ProcessNikonMOV)."""
    at = 0
    while at + 8 < len(held):
        tag, form, count = struct.unpack_from(">IHH", held, at)
        if form not in WIDTHS:
            return
        size = WIDTHS[form] * count
        yield (form, tag), held[at + 8 : at + 8 + size]
        at += 8 + size
