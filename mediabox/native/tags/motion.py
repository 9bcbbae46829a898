"""The video inside a still: Google's motion photo, Samsung's trailer, the `mpvd` box.

Google: developer.android.com/media/platform/motion-photo-format (1.0) and the older
MicroVideo. Samsung: layout seen in its files and in ExifTool's Samsung.pm. What is
told is believed only when a movie begins there.
"""

import struct
from typing import NamedTuple

from mediabox.model.facts import Motion
from mediabox.native.boxes import Box, Malformed, Source
from mediabox.native.xmp.names import qualified
from mediabox.native.xmp.packet import Packet

_SEMANTIC, _MIME, _LENGTH = (qualified(f"Item:{word}") for word in ("Semantic", "Mime", "Length"))

_SAMSUNG_END, _SAMSUNG_HEAD = b"SEFT", b"SEFH"
SAMSUNG_VIDEO = 0x0A30  # `MotionPhoto_Data`
SAMSUNG_POINTER = b"mpv2"  # instead of the video itself: where it lies, in a HEIC
MAX_SAMSUNG_TABLE_BYTES = 64 * 1024


def google_motion(packet: Packet, source: Source, box: Box | None = None) -> Motion | None:
    """The video a packet tells of, if it is there: in `box` (HEIC's `mpvd`), else as the file's last bytes."""
    shown_at = _timestamp(packet)
    if box is not None:
        return box_motion(box, source, maker="google", timestamp_us=shown_at)
    size = _told_bytes(packet)
    return None if size is None else _proven(source, source.size - size, size, maker="google", timestamp_us=shown_at)


def box_motion(box: Box, source: Source, *, maker: str, timestamp_us: int | None = None) -> Motion | None:
    """The video that is the payload of a box."""
    return _proven(source, box.payload, box.length, maker=maker, timestamp_us=timestamp_us)


class Pointer(NamedTuple):
    """What a Galaxy's HEIC says of its clip: where it begins in the file, how long it is; `at`: where that stands."""

    at: int
    offset: int
    size: int


def samsung_motion(source: Source, packet: Packet | None) -> Motion | None:
    """The video in Samsung's trailer."""
    found = _samsung_video(source)
    if found is None:
        return None
    return _proven(source, *found, maker="samsung", timestamp_us=None if packet is None else _timestamp(packet))


def samsung_pointer(source: Source) -> Pointer | None:
    """What Samsung's trailer points to, if it points to a video instead of holding it."""
    at, size = _samsung_video(source) or (0, 0)
    if size != 12 or source.bytes(at, 4) != SAMSUNG_POINTER:
        return None
    return Pointer(at + 4, *struct.unpack(">II", source.bytes(at + 4, 8)))


def _samsung_video(source: Source) -> tuple[int, int] | None:
    """Place and length of `MotionPhoto_Data` in what ends the file: data, directory, its length, `SEFT`."""
    end = source.size
    if end < 24 or source.bytes(end - 4, 4) != _SAMSUNG_END:
        return None
    (length,) = struct.unpack("<I", source.bytes(end - 8, 4))
    start = end - 8 - length
    if not 12 <= length <= MAX_SAMSUNG_TABLE_BYTES or start < 0:
        return None
    table = source.bytes(start, length)
    if table[:4] != _SAMSUNG_HEAD:
        return None
    (count,) = struct.unpack_from("<I", table, 8)
    rows = table[12 : 12 + 12 * count]
    for kind, back, size in struct.iter_unpack("<2xHII", rows[: len(rows) // 12 * 12]):
        if kind == SAMSUNG_VIDEO and 8 <= size <= back <= start:
            (name_length,) = struct.unpack("<I", source.bytes(start - back + 4, 4))
            skip = 8 + name_length
            return start - back + skip, size - skip
    return None


def _proven(source: Source, offset: int, size: int, *, maker: str, timestamp_us: int | None) -> Motion | None:
    """The motion, if a movie of that size can be there and begins there."""
    if size < 16 or offset < 0 or offset + size > source.size:
        return None
    try:
        is_movie = source.bytes(offset + 4, 4) == b"ftyp"
    except Malformed:
        return None
    if not is_movie:
        return None
    return Motion(maker=maker, offset_bytes=offset, size_bytes=size, timestamp_us=timestamp_us)


def _told_bytes(packet: Packet) -> int | None:
    """How many bytes before the end of the file the video begins."""
    parts = list(packet.structures("Container:Directory"))
    for index, part in enumerate(parts):
        if part.get(_SEMANTIC) == "MotionPhoto" or part.get(_MIME, "").startswith("video/"):
            lengths = [each.get(_LENGTH, "0") for each in parts[index:]]
            return sum(int(length) for length in lengths if length.isascii() and length.isdigit() and len(length) < 16)
    return packet.number("GCamera:MicroVideoOffset")


def _timestamp(packet: Packet) -> int | None:
    """Microseconds into the clip; -1 (unknown) is None."""
    for name in ("MotionPhotoPresentationTimestampUs", "MicroVideoPresentationTimestampUs"):
        found = packet.number(f"GCamera:{name}")
        if found is not None:
            return found if found >= 0 else None
    return None
