"""An Ultra HDR JPEG made smaller with its gain map: libvips reads and writes both pictures.

The gain map is relative, so it stays as it is. Our Exif is put in front of what libvips
wrote; the table of pictures (CIPA DC-007, MPF) counts the second one's place from itself,
and only the first one's length has to follow.
"""

import struct

import pyvips

from mediabox.model.facts import Facts
from mediabox.native.boxes import Held, Source
from mediabox.native.decoded import check_pixels
from mediabox.native.encode.for_jpeg import reduced
from mediabox.native.encode.jpeg_file import QUALITY, segment, segments
from mediabox.native.encode.sink import Sink
from mediabox.native.encode.whole import Whole, stream_of
from mediabox.native.fit.unfit import Unfit
from mediabox.native.window import Window

_KEEP_ICC, _KEEP_GAIN_MAP = 8, 32  # VipsForeignKeep
_APP1, _APP2, _MPF = 0xE1, 0xE2, b"MPF\0"
_ENTRIES = 0xB002  # MPEntry
_SIZE_AT = 4  # in an entry of 16 bytes: attributes, size, offset, two dependants


def decode(source: Source, facts: Facts, *, most_pixels: int | None) -> Whole | None:
    """The picture with its gain map beside it, at most so many pixels; `None` where libvips finds no gain map."""
    stream = stream_of(Window(source))
    try:
        image = pyvips.Image.uhdrload_source(stream)
    except pyvips.Error:
        return None
    check_pixels(image.width, image.height)
    return Whole(reduced(image, most_pixels), facts.orientation, None, stream=stream)


def write(image: pyvips.Image, exif: bytes, sink: Sink) -> None:
    """Encode both pictures into one file. Raises pyvips.Error, Unfit, OSError."""
    written = bytearray(image.uhdrsave_buffer(Q=QUALITY, keep=_KEEP_ICC | _KEEP_GAIN_MAP))
    ours = segment(_APP1, b"Exif\0\0" + exif)
    _lengthen_first(written, len(ours))
    sink.write(bytes(written[:2]) + ours)
    sink.write(memoryview(written)[2:])


def _lengthen_first(written: bytearray, by: int) -> None:
    """Make the table of pictures say that the first one is `by` bytes longer. Raises Unfit without a table."""
    held = Held(bytes(written))
    for marker, at, body in segments(held, 0, len(written)):
        if marker == _APP2 and body.startswith(_MPF):
            size_at = at + 4 + len(_MPF) + _entries_at(body[len(_MPF) :]) + _SIZE_AT
            letter = ">I" if body[len(_MPF) :][:2] == b"MM" else "<I"
            (size,) = struct.unpack_from(letter, written, size_at)
            struct.pack_into(letter, written, size_at, size + by)
            return
    raise Unfit("HDR: the smaller picture lost its gain map")


def _entries_at(table: bytes) -> int:
    endian = ">" if table[:2] == b"MM" else "<"
    (at,) = struct.unpack_from(endian + "I", table, 4)
    (count,) = struct.unpack_from(endian + "H", table, at)
    for row in range(at + 2, at + 2 + 12 * count, 12):
        tag, _, _, value = struct.unpack_from(endian + "HHII", table, row)
        if tag == _ENTRIES:
            return int(value)
    raise Unfit("HDR: the smaller picture's table of pictures is broken")
