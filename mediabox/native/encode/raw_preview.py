"""The largest picture a camera put inside its raw file, to be taken over bit for bit."""

from mediabox.model.facts import Facts
from mediabox.native import raw
from mediabox.native.boxes import Source
from mediabox.native.decoded import NoPicture
from mediabox.native.encode.whole import Inside
from mediabox.native.tags import jpeg
from mediabox.native.tags.reader import SubReader

_LOSSLESS = 0xC3
_SMALLEST_BYTES = 512
_START = b"\xff\xd8\xff"
_FULL = 0.9  # of the raw picture's pixels: cameras cut a few lines off


def find(source: Source, facts: Facts) -> Inside:
    """Raises NoPicture when there is none that a JPEG decoder reads."""
    found = [(size, place) for place in raw.previews(source) if (size := _size(SubReader(source, *place))) is not None]
    if not found:
        raise NoPicture(f"{facts.media_type}: no preview inside")
    (width, height), place = max(found)
    return Inside(SubReader(source, *place), facts.orientation, _notes(width, height, facts))


def _size(part: SubReader) -> tuple[int, int] | None:
    """Width and height, unless it is no JPEG or the sensor's own data (lossless, or more than 8 bits)."""
    if part.size < _SMALLEST_BYTES or part.bytes(0, 3) != _START:
        return None
    segments = jpeg.walk(part)
    return segments.size if segments.frame[:1] == b"\x08" else None


def _notes(width: int, height: int, facts: Facts) -> tuple[str, ...]:
    whole = (facts.width or 0) * (facts.height or 0)
    if width * height >= _FULL * whole:
        return ("the camera's own picture of the raw file",)
    return (f"the camera's own picture of the raw file, {width} x {height} of {facts.width} x {facts.height}",)
