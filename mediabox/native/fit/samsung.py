"""Samsung's own word of the clip in a HEIC: the box `sefd`, last in the file, behind `mpvd`.

Seen in a Galaxy's files (One UI 6) and as PetrVys/MotionPhoto2 writes it for Samsung's gallery and
Google Photos; the layout as ExifTool's Samsung.pm reads it. Blocks of data, each with its number
and name, then a table (`SEFH` ... `SEFT`) that tells how far in front of itself each one begins.
`MotionPhoto_Data` holds `mpv2` and, big-endian, where in the file the clip lies and how long it is.
"""

import struct
from collections.abc import Sequence

from mediabox.model.recipe import Insert, Part, Span
from mediabox.native.boxes import Source
from mediabox.native.fit.heif_edits import box
from mediabox.native.fit.heif_frame import Piece, joined, length_of
from mediabox.native.fit.unfit import Unfit
from mediabox.native.tags.motion import SAMSUNG_POINTER, SAMSUNG_VIDEO, samsung_pointer

_FORMAT, _VERSION = 107, 0x0A31  # of the table; the number of `MotionPhoto_Version`
_HIGHEST = (1 << 32) - 1


def trailer(clip_at: int, clip_bytes: int) -> bytes:
    """The whole box, for a clip at byte `clip_at` of the file. Raises Unfit beyond 4 GiB."""
    if clip_at + clip_bytes > _HIGHEST:
        raise Unfit(f"a clip that ends at byte {clip_at + clip_bytes:,} is out of reach for Samsung's readers")
    blocks = (
        _block(SAMSUNG_VIDEO, b"MotionPhoto_Data", SAMSUNG_POINTER + struct.pack(">II", clip_at, clip_bytes)),
        _block(_VERSION, b"MotionPhoto_Version", b"mpv3"),
    )
    table = struct.pack("<4sII", b"SEFH", _FORMAT, len(blocks))
    for number, block in enumerate(blocks):
        table += block[:4] + struct.pack("<II", sum(map(len, blocks[number:])), len(block))
    return box(b"sefd", *blocks, table, struct.pack("<I4s", len(table), b"SEFT"))


def repointed(first: Source, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces of a grown file, whose last ones are the original's own clip: Samsung's word follows it."""
    whole, told = joined(pieces), samsung_pointer(first)
    if told is None:
        return whole
    last, word = whole[-1], told.at
    if not isinstance(last, Span) or last.offset > word:
        raise Unfit("Samsung's word of the clip is not behind the picture")
    moved_to = told.offset + length_of(whole) - first.size
    if moved_to > _HIGHEST:
        raise Unfit(f"byte {moved_to:,}, where the clip would begin, is out of reach for Samsung's readers")
    before = Span(part=Part.FIRST, offset=last.offset, length=word - last.offset)
    behind = Span(part=Part.FIRST, offset=word + 4, length=first.size - word - 4)
    return (*whole[:-1], before, Insert(content=struct.pack(">I", moved_to)), behind)


def _block(number: int, name: bytes, content: bytes) -> bytes:
    return struct.pack("<HHI", 0, number, len(name)) + name + content


TRAILER_BYTES = len(trailer(0, 0))
