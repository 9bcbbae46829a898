"""A still as JPEG: every pixel of the source unless fewer are wanted, its colour, its tags.

Quality 93, 4:4:4. The pixels stay as they are stored and the orientation tag says how to
turn them, as in the source and in our previews; where a decoder has turned them already
the tag says so. A JPEG that lies in the source (raw files, JPEG XL) is taken over bit for bit.
"""

from typing import NamedTuple

from mediabox.model.facts import Facts, Hdr
from mediabox.model.recipe import Converted
from mediabox.native.boxes import Source
from mediabox.native.decoded import Unreadable, displayed
from mediabox.native.encode import exif, exif_source, jpeg_file, raw_preview, still_check, ultra_hdr, whole
from mediabox.native.encode.shot_at import ShotAt
from mediabox.native.encode.sink import FileSink
from mediabox.native.encode.whole import Inside
from mediabox.native.fit.unfit import Unfit
from mediabox.native.tags import jpeg

_GAIN_MAPS = frozenset((Hdr.ULTRA_HDR, Hdr.APPLE_GAIN_MAP, Hdr.ISO_GAIN_MAP))


class EncodedStill(NamedTuple):
    """What was written. Sizes in pixels as stored; `orientation` is in the tag."""

    width: int
    height: int
    orientation: int
    notes: tuple[str, ...] = ()
    has_gain_map: bool = False


def convert(source: Source, sink: FileSink, facts: Facts, shot_at: ShotAt, *, most_pixels: int | None) -> Converted:
    """Encode the primary picture. Raises Unfit, Unreadable, OSError and what the decoders raise."""
    if facts.damage:  # a grey half would be taken for the picture
        raise Unfit(f"the original is damaged: {facts.damage}")
    work = _Work(source, sink, facts, shot_at, most_pixels)
    written = work.ultra_hdr() or work.ordinary()
    still_check.check(sink, shot_at, width=written.width, height=written.height, orientation=written.orientation)
    width, height = displayed(written.width, written.height, written.orientation)
    lost = ("HDR gain map left out",) if facts.hdr in _GAIN_MAPS and not written.has_gain_map else ()
    return Converted(size_bytes=sink.size, width=width, height=height, note=", ".join(written.notes + lost))


class _Work:
    """One source on its way into one sink."""

    def __init__(self, source: Source, sink: FileSink, facts: Facts, shot_at: ShotAt, most_pixels: int | None) -> None:
        self._source = source
        self._sink = sink
        self._facts = facts
        self._shot_at = shot_at
        self._most_pixels = most_pixels
        self._tables = exif_source.tables(source, facts)

    def ultra_hdr(self) -> EncodedStill | None:
        """An Ultra HDR JPEG stays one; `None` for all else, also for those whose gain map libvips cannot read."""
        if self._facts.hdr is not Hdr.ULTRA_HDR or self._facts.media_type != "image/jpeg":
            return None
        found = ultra_hdr.decode(self._source, self._facts, most_pixels=self._most_pixels)
        if found is None:
            return None
        tags = self._tags(found.image.width, found.image.height, found.orientation)
        ultra_hdr.write(found.image, tags, self._sink)
        return EncodedStill(found.image.width, found.image.height, found.orientation, has_gain_map=True)

    def ordinary(self) -> EncodedStill:
        """Raw files and JPEG XL may hold a JPEG that is taken over; everything else is encoded."""
        facts = self._facts
        if whole.can_decode(facts.media_type):
            found = whole.decode(self._source, facts, most_pixels=self._most_pixels)
        else:
            found = raw_preview.find(self._source, facts)
        if isinstance(found, Inside):
            size = jpeg.walk(found.part).size
            if size is None:
                raise Unreadable("the JPEG inside has no picture")
            width, height = size
            if self._most_pixels is None or width * height <= self._most_pixels:
                return self._taken_over(found, width, height)
            found = whole.in_jpeg(found, most_pixels=self._most_pixels)
        image = found.image
        tags = self._tags(image.width, image.height, found.orientation)
        jpeg_file.write_picture(image, found.icc, tags, self._sink)
        return EncodedStill(image.width, image.height, found.orientation, found.notes)

    def _taken_over(self, inside: Inside, width: int, height: int) -> EncodedStill:
        tags = self._tags(width, height, inside.orientation)
        jpeg_file.write_inside(inside.part, tags, self._sink)
        return EncodedStill(width, height, inside.orientation, inside.notes)

    def _tags(self, width: int, height: int, orientation: int) -> bytes:
        return exif.block(self._tables, self._facts, self._shot_at, size=(width, height), orientation=orientation)
