"""A GIF's size, and how many frames it shows for how long, and its XMP (GIF89a specification, 18, 20, 23, 26)."""

import re
import struct

from mediabox.native.boxes import Source
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.xmp import read_xmp

MAX_SEARCH_BYTES = 64 * 1024 * 1024
_STEP_BYTES = 1024 * 1024
# A graphic control extension and the image (or further extension) it controls.
_CONTROL = re.compile(rb"\x21\xf9\x04[\x00-\x1f](..)[\s\S]\x00[\x2c\x21]", re.DOTALL)
_CONTROL_BYTES = 9
_XMP = b"\x21\xff\x0bXMP DataXMP"  # an application extension; the packet stands in it as it is (XMP part 3, 1.1.2)
_MAX_XMP_BYTES = 256 * 1024


def read_gif(source: Source, found: Findings) -> None:
    """Take size, frames and duration. Frames are counted by their control blocks, without walking the pixels."""
    found.width, found.height = struct.unpack("<HH", source.bytes(6, 4))
    found.bit_depth = 8
    frames, hundredths = 0, 0
    stop = min(source.size, MAX_SEARCH_BYTES)
    for at in range(0, stop, _STEP_BYTES):
        piece = source.bytes(at, min(_STEP_BYTES + _CONTROL_BYTES - 1, stop - at))
        for control in _CONTROL.finditer(piece):
            frames += 1
            hundredths += int.from_bytes(control[1], "little")
        if (start := piece.find(_XMP)) >= 0:
            begin = at + start + len(_XMP)
            with Tolerant():
                packet = source.bytes(begin, min(_MAX_XMP_BYTES, source.size - begin))
                read_xmp(packet.partition(b"\x01\xff\xfe")[0], found)
    if frames > 1:
        found.frames = frames
        found.duration_s = hundredths / 100 or None
    end = source.bytes(max(0, source.size - 64), min(64, source.size))
    if not end.rstrip(b"\0").endswith(b";"):
        found.damage.append("the GIF ends before its trailer")
