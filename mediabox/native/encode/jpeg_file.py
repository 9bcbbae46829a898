"""Write a JPEG file: the encoder's picture, or one that is there already, behind an Exif block of ours.

Exif goes first, as its standard wants it (CIPA DC-008, 4.7.2); the colour profile stays
where the encoder put it.
"""

import struct
from collections.abc import Iterator

import pyvips
from pyvips import GValue

from mediabox.native.boxes import Source, exactly
from mediabox.native.decoded import Unreadable
from mediabox.native.encode.sink import Sink

QUALITY = 93  # 45 dB and more on photographs: nobody tells it from the source, at 60 % of the bytes of 97
_KEEP_ICC = 8  # VipsForeignKeep
_START, _SCAN, _STEP = b"\xff\xd8", 0xDA, 1 << 20
_LEFT_OUT = frozenset((0xE0, 0xE1, 0xED, 0xFE))  # JFIF, Exif and XMP, Photoshop, comment
_APP2, _ICC = 0xE2, b"ICC_PROFILE\0"
_MAX_SEGMENTS = 1_000


def write_picture(image: pyvips.Image, icc: bytes | None, exif: bytes, sink: Sink) -> None:
    """Encode, 4:4:4, line by line. Raises pyvips.Error, OSError."""
    splice = _Splice(sink, segment(0xE1, b"Exif\0\0" + exif))
    target = pyvips.TargetCustom()
    target.on_write(splice.write)
    image = image.copy()
    image.remove("icc-profile-data")  # the source's, which `icc` is only if it fits
    if icc is not None and fits(icc, image.bands):
        image.set_type(GValue.blob_type, "icc-profile-data", icc)
    image.jpegsave_target(target, Q=QUALITY, subsample_mode="off", keep=_KEEP_ICC)
    sink.raise_failure()


def write_inside(source: Source, start: int, length: int, exif: bytes, sink: Sink) -> None:
    """A JPEG's own picture data and profile, bit for bit, behind our Exif. Raises Unreadable, OSError."""
    sink.write(_START + segment(0xE1, b"Exif\0\0" + exif))
    at = start
    for marker, found_at, body in segments(source, start, length):
        if marker == _SCAN:
            at = found_at
        elif marker not in _LEFT_OUT and (marker != _APP2 or body.startswith(_ICC)):
            sink.write(segment(marker, body))
    end = start + length
    while at < end:
        piece = source.bytes(at, min(_STEP, end - at))
        sink.write(piece)
        at += len(piece)


def segments(source: Source, start: int, length: int) -> Iterator[tuple[int, int, bytes]]:
    """Marker, offset and body of each segment up to the scan. Raises Unreadable when they make no sense."""
    at, end = start + 2, start + length
    for _ in range(_MAX_SEGMENTS):
        if at + 4 > end:
            break
        lead, marker, size = struct.unpack(">BBH", exactly(source, at, 4, limit=4))
        if lead != 0xFF or size < 2:
            break
        if marker == _SCAN:
            yield marker, at, b""
            return
        yield marker, at, exactly(source, at + 4, size - 2, limit=65_533)
        at += 2 + size
    raise Unreadable("the JPEG inside ends before its picture")


def fits(icc: bytes, bands: int) -> bool:
    """Whether a profile is for pixels of that kind (ICC.1, header bytes 16 to 19)."""
    return icc[16:20] == {1: b"GRAY", 3: b"RGB "}.get(bands)


def segment(marker: int, body: bytes) -> bytes:
    """A marker segment; `body` is at most 65,533 bytes."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


class _Splice:
    """Passes on what the encoder writes, with a segment put in right behind the start marker."""

    def __init__(self, sink: Sink, inserted: bytes) -> None:
        self._sink = sink
        self._inserted = inserted
        self._head = b""

    def write(self, piece: bytes) -> int:
        length = len(piece)
        if self._inserted:
            self._head += piece
            if len(self._head) < len(_START):
                return length
            piece, self._head = _START + self._inserted + self._head[len(_START) :], b""
            self._inserted = b""
        try:
            self._sink.write(piece)
        except OSError:  # kept by the sink; libvips takes a number
            return -1
        return length
