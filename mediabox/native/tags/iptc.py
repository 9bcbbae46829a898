"""What IPTC says, inside Photoshop's resource blocks (IIM 4.2; Adobe Photoshop file formats, image resources)."""

import struct
from collections.abc import Iterator

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Source
from mediabox.native.tags.dates import candidate, moment
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.text import clean, decoded

MAX_RECORDS = 2_000
MAX_RESOURCES = 200
_IPTC = 0x0404
_UTF8 = b"\x1b%G"


def read_photoshop(block: Source, found: Findings) -> None:
    """Find the IPTC record among Photoshop's resources and take what it says. Raises Malformed."""
    for number, body in resources(block):
        if number == _IPTC:
            read_iim(body.bytes(0, body.size), found)
            return


def resources(block: Source) -> Iterator[tuple[int, SubReader]]:
    """Photoshop's image resources, each by its number. Raises Malformed."""
    at = 0
    for _ in range(MAX_RESOURCES):
        if at + 12 > block.size:
            return
        signature, number, name_length = struct.unpack(">4sHB", block.bytes(at, 7))
        if signature != b"8BIM":
            return
        at += 6 + (name_length + 2) // 2 * 2  # the name is padded with its length byte
        (length,) = struct.unpack(">I", block.bytes(at, 4))
        yield number, SubReader(block, at + 4, length)
        at += 4 + (length + 1) // 2 * 2


def read_iim(record: bytes, found: Findings) -> None:
    """Take title, keywords, caption and creation date from an IIM record."""
    is_utf8 = False
    date = time = ""
    for dataset, value in _records(record):
        text = value.decode("utf-8", "replace") if is_utf8 else decoded(value) or ""
        match dataset:
            case (1, 90):
                is_utf8 = value == _UTF8
            case (2, 5):
                found.title = clean(text) or found.title
            case (2, 25):
                found.add_keywords(text)
            case (2, 55 | 62):  # created, else digitised
                date = date or text
            case (2, 60 | 63):
                time = time or text
            case (2, 120):
                found.caption = clean(text) or found.caption
            case _:
                continue
    taken = moment(f"{date}T{time}" if len(time) >= 6 else date)
    if taken is not None:
        found.times.append(candidate(taken, TimeSource.IPTC))


def _records(record: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Record and dataset number with the value of each, in order."""
    at = 0
    for _ in range(MAX_RECORDS):
        if at + 5 > len(record) or record[at] != 0x1C:
            return
        record_number, dataset, length = struct.unpack_from(">BBH", record, at + 1)
        at += 5
        if length & 0x8000:  # extended: the low bits say how many bytes hold the length
            width = length & 0x7FFF
            if width > 4:
                return
            length = int.from_bytes(record[at : at + width], "big")
            at += width
        yield (record_number, dataset), record[at : at + length]
        at += length
