"""A camcorder's MOI beside its MOD or TOD, which has no date of its own (JVC, Panasonic, Canon; ExifTool, MOI.pm)."""

import struct

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags.dates import candidate, moment
from mediabox.native.tags.findings import Findings


def read_moi(source: Source, found: Findings) -> None:
    """Take the capture time, local, and the clip's length. Raises Malformed when the file has not the size it tells."""
    size, year, month, day, hour, minute, ms, duration_ms = struct.unpack(">2xIHBBBBHI", source.bytes(0, 18))
    if size != source.size:
        raise Malformed(f"an MOI of {size:,} bytes")
    at = moment(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{ms // 1000:02}")
    if at is not None:
        found.times.append(candidate(at, TimeSource.EXIF_LOCAL))
    found.duration_s = duration_ms / 1000
