"""A GIF's size, and how many frames it shows for how long (GIF89a specification, sections 18, 20, 23)."""

import re
import struct

from mediabox.native.boxes import Source
from mediabox.native.tags.findings import Findings

MAX_SEARCH_BYTES = 64 * 1024 * 1024
_STEP_BYTES = 1024 * 1024
# A graphic control extension and the image (or further extension) it controls.
_CONTROL = re.compile(rb"\x21\xf9\x04[\x00-\x1f](..)[\s\S]\x00[\x2c\x21]", re.DOTALL)
_CONTROL_BYTES = 9


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
    if frames > 1:
        found.frames = frames
        found.duration_s = hundredths / 100 or None
    end = source.bytes(max(0, source.size - 64), min(64, source.size))
    if not end.rstrip(b"\0").endswith(b";"):
        found.damage.append("the GIF ends before its trailer")
