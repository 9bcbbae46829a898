"""A Windows bitmap's size (BITMAPFILEHEADER, BITMAPINFOHEADER)."""

import struct

from mediabox.native.boxes import Source
from mediabox.native.tags.findings import Findings


def read_bitmap(source: Source, found: Findings) -> None:
    """Take size and depth; a negative height says the rows come top down."""
    told, header = struct.unpack("<I8xI", source.bytes(2, 16))
    if header == 12:  # OS/2
        found.width, found.height = struct.unpack("<HH", source.bytes(18, 4))
    else:
        width, height = struct.unpack("<ii", source.bytes(18, 8))
        found.width, found.height = abs(width), abs(height)
    found.bit_depth = 8
    if told > source.size:
        found.damage.append(f"the bitmap claims {told:,} bytes, {source.size:,} are there")
