"""Pictures behind the first one in a JPEG: gain map, second eye, large preview (CIPA DC-007, Multi-Picture Format)."""

import struct
from typing import NamedTuple

from mediabox.native.boxes import Source
from mediabox.native.tags.tiff import Tiff

MAX_PICTURES = 16
ROW_BYTES = 16  # attributes, size, offset, two dependants
_ENTRIES = 0xB002


class Table(NamedTuple):
    """`at`: where its rows begin in the block; `rows`: size and offset of each picture, 0 of the first."""

    endian: str
    at: int
    rows: tuple[tuple[int, int], ...]


def read_table(block: Source) -> Table | None:
    """The table of pictures in the block that follows `MPF`; None without one. Raises Malformed, struct.error."""
    tiff = Tiff(block)
    place = tiff.directory(tiff.first).place(_ENTRIES)
    if place is None:
        return None
    _, length, at = place
    held = block.bytes(at, min(length // ROW_BYTES, MAX_PICTURES) * ROW_BYTES)
    return Table(tiff.endian, at, tuple(struct.iter_unpack(tiff.endian + "4xII4x", held)))
