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
from mediabox.native.encode.jpeg_file import QUALITY
from mediabox.native.encode.sink import FileSink
from mediabox.native.encode.whole import Whole, stream_of
from mediabox.native.fit.jpeg_layout import read_still
from mediabox.native.fit.unfit import Unfit
from mediabox.native.jpeg_segments import APP1, EXIF, written
from mediabox.native.window import Window

_KEEP_ICC, _KEEP_GAIN_MAP = 8, 32  # VipsForeignKeep
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


def write(image: pyvips.Image, exif: bytes, sink: FileSink) -> None:
    """Encode both pictures into one file. Raises pyvips.Error, Unfit, OSError."""
    encoded = bytearray(image.uhdrsave_buffer(Q=QUALITY, keep=_KEEP_ICC | _KEEP_GAIN_MAP))
    ours = written(APP1, EXIF + exif)
    _lengthen_first(encoded, len(ours))
    sink.write(bytes(encoded[:2]) + ours)
    sink.write(memoryview(encoded)[2:])


def _lengthen_first(encoded: bytearray, by: int) -> None:
    """Make the table of pictures say that the first one is `by` bytes longer. Raises Unfit without a table."""
    pictures = read_still(Held(bytes(encoded))).pictures
    if pictures is None or not pictures.pictures:
        raise Unfit("HDR: the smaller picture lost its gain map")
    first = pictures.pictures[0]
    struct.pack_into(pictures.endian + "I", encoded, pictures.table_at + _SIZE_AT, first.size + by)
