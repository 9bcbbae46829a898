"""AVI and Matroska: whether all of the file is there, and the one date that FFmpeg does not read in all its forms.

What else they tell it reads (`native.movie`). Sources: Microsoft's AVI RIFF File Reference; RFC 8794 (EBML),
RFC 9559 (Matroska).
"""

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags.dates import candidate, moment
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.text import decoded

_HEAD_BYTES = 64 * 1024  # cameras date an AVI in its header list, or right behind
_SEGMENT = b"\x18\x53\x80\x67"
_MAX_HEADS = 8  # EBML's own header and what pads the file, before the segment


def read_avi(source: Source, found: Findings) -> None:
    """Take `IDIT`, local time as asctime or Exif write it; note what is missing. Raises Malformed."""
    told = int.from_bytes(source.bytes(4, 4), "little") + 8
    if told > source.size + 1:
        found.damage.append(f"the AVI claims {told:,} bytes, {source.size:,} are there")
    head = source.bytes(0, min(_HEAD_BYTES, source.size)).partition(b"movi")[0]
    date = head.partition(b"IDIT")[2]
    at = moment(decoded(date[4 : 4 + min(int.from_bytes(date[:4], "little"), 64)]) or "")
    if at is not None:
        found.times.append(candidate(at, TimeSource.EXIF_LOCAL))


def read_matroska(source: Source, found: Findings) -> None:
    """Note what is missing. Raises Malformed when the file is not EBML."""
    at = 0
    for _ in range(_MAX_HEADS):
        if at + 2 > source.size:
            break
        name = source.bytes(at, _width(source, at, longest=4))
        at += len(name)
        width = _width(source, at, longest=8)
        limit = 1 << 7 * width
        told = int.from_bytes(source.bytes(at, width), "big") & limit - 1
        at += width
        if name == _SEGMENT:
            if told != limit - 1 and at + told > source.size:  # all ones: a live recording does not know
                found.damage.append(f"the segment claims {told:,} bytes, {source.size - at:,} are there")
            return
        at += told
    found.damage.append("the Matroska file has no segment")


def _width(source: Source, at: int, *, longest: int) -> int:
    """Bytes of a variable-length number: as many as its first byte has leading zeros, and one."""
    width = 9 - source.bytes(at, 1)[0].bit_length()
    if width > longest:
        raise Malformed("an EBML number that is too long")
    return width
