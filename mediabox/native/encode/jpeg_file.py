"""Write a JPEG file: the encoder's picture, or one that is there already, behind an Exif block of ours.

Exif goes first, as its standard wants it (CIPA DC-008, 4.7.2); the colour profile stays
where the encoder put it.
"""

import pyvips
from pyvips import GValue

from mediabox.native.boxes import Source, exactly
from mediabox.native.decoded import Unreadable
from mediabox.native.encode.sink import FileSink
from mediabox.native.jpeg_segments import (
    APP0,
    APP1,
    APP2,
    APP13,
    COMMENT,
    EXIF,
    ICC,
    SCAN,
    START_MARKER,
    segments,
    written,
)

QUALITY = 93  # 45 dB and more on photographs: nobody tells it from the source, at 60 % of the bytes of 97
_KEEP_ICC = 8  # VipsForeignKeep
_STEP = 1 << 20
_LEFT_OUT = frozenset((APP0, APP1, APP13, COMMENT))  # JFIF, Exif and XMP, Photoshop


def write_picture(image: pyvips.Image, icc: bytes | None, exif: bytes, sink: FileSink) -> None:
    """Encode, 4:4:4, line by line. Raises pyvips.Error, OSError."""
    splice = _Splice(sink, written(APP1, EXIF + exif))
    target = pyvips.TargetCustom()
    target.on_write(splice.write)
    image = image.copy()
    image.remove("icc-profile-data")  # the source's, which `icc` is only if it fits
    if icc is not None and fits(icc, image.bands):
        image.set_type(GValue.blob_type, "icc-profile-data", icc)
    image.jpegsave_target(target, Q=QUALITY, subsample_mode="off", keep=_KEEP_ICC)
    sink.raise_failure()


def write_inside(source: Source, exif: bytes, sink: FileSink) -> None:
    """A JPEG's own picture data and profile, bit for bit, behind our Exif. Raises Unreadable, OSError."""
    sink.write(START_MARKER + written(APP1, EXIF + exif))
    at = source.size
    for segment in segments(source):
        if segment.marker == SCAN:
            at = segment.at
        elif segment.marker not in _LEFT_OUT and (segment.marker != APP2 or segment.head.startswith(ICC)):
            sink.write(exactly(source, segment.at, segment.end - segment.at, limit=_STEP))
    if at == source.size:
        raise Unreadable("the JPEG inside ends before its picture")
    for start in range(at, source.size, _STEP):
        sink.write(source.bytes(start, min(_STEP, source.size - start)))


def fits(icc: bytes, bands: int) -> bool:
    """Whether a profile is for pixels of that kind (ICC.1, header bytes 16 to 19)."""
    return icc[16:20] == {1: b"GRAY", 3: b"RGB "}.get(bands)


class _Splice:
    """Passes on what the encoder writes, with a segment put in right behind the start marker."""

    def __init__(self, sink: FileSink, inserted: bytes) -> None:
        self._sink = sink
        self._inserted = inserted
        self._head = b""

    def write(self, piece: bytes) -> int:
        length = len(piece)
        if self._inserted:
            self._head += piece
            if len(self._head) < len(START_MARKER):
                return length
            piece, self._head = START_MARKER + self._inserted + self._head[len(START_MARKER) :], b""
            self._inserted = b""
        try:
            self._sink.write(piece)
        except OSError:  # kept by the sink; libvips takes a number
            return -1
        return length
