"""Pictures behind the first one in a JPEG: gain map, second eye, large preview (CIPA DC-007, Multi-Picture Format)."""

import struct

from mediabox.native.tags.reader import Window
from mediabox.native.tags.tiff import Tiff

MAX_PICTURES = 16
_ENTRIES = 0xB002


def secondary_pictures(block: Window, base: int) -> list[tuple[int, int]]:
    """Offset in the file and size of each picture after the first. `base`: where the block's offsets count from."""
    tiff = Tiff(block)
    table = tiff.directory(tiff.first).raw(_ENTRIES) or b""
    rows = struct.iter_unpack(tiff.endian + "IIIHH", table[: len(table) // 16 * 16][: 16 * MAX_PICTURES])
    return [(base + offset, size) for _, size, offset, _, _ in rows if offset]
