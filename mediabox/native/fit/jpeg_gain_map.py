"""Which picture behind a JPEG is its gain map, and Apple's rewritten where it has to be."""

from typing import Final, NamedTuple

from mediabox.model.facts import Hdr
from mediabox.native.boxes import Source
from mediabox.native.fit import gain_map
from mediabox.native.fit.headroom import headroom
from mediabox.native.fit.jpeg_layout import Picture, Still
from mediabox.native.fit.unfit import Unfit
from mediabox.native.jpeg_segments import APP1, END_MARKER, EXIF, START_MARKER
from mediabox.native.tags.jpeg import gain_map_of, walk
from mediabox.native.tags.reader import SubReader

_LEAST_HEADROOM: Final = 1.001  # below, there is nothing to be lost


class GainMap(NamedTuple):
    """`hdr`: whose it is."""

    picture: Picture
    hdr: Hdr


def find_gain_map(source: Source, still: Still) -> GainMap | None:
    """The picture behind the still that is its gain map; one that everybody reads before Apple's."""
    apple = None
    for picture in still.pictures.behind if still.pictures else ():
        if not still.scan_at < picture.at <= source.size - max(picture.size, 4):
            continue
        if source.bytes(picture.at, 2) == START_MARKER:
            hdr = gain_map_of(walk(SubReader(source, picture.at, picture.size)))
            if hdr is Hdr.ULTRA_HDR:
                return GainMap(picture, hdr)
            if hdr is not None and apple is None:
                apple = GainMap(picture, hdr)
    return apple


def rewritten(source: Source, still: Still, gain: GainMap) -> bytes | None:
    """Apple's gain map as Ultra HDR's; None when there is nothing to rewrite. Raises Unfit, beginning with `HDR: `."""
    if gain.hdr is not Hdr.APPLE_GAIN_MAP:
        return None
    picture = gain.picture
    exif = still.named(APP1, EXIF)
    block = None if exif is None else SubReader(source, exif.body + len(EXIF), exif.end - exif.body - len(EXIF))
    brightest = headroom(block, walk(SubReader(source, picture.at, picture.size)).xmp)
    if brightest is None:
        raise Unfit("HDR: the picture does not say how bright it is meant to get")
    if brightest < _LEAST_HEADROOM:
        return None
    if picture.size > gain_map.LARGEST_BYTES or not stands_alone(source, still, picture):
        raise Unfit("HDR: the gain map cannot be told from the pictures around it")
    return gain_map.as_ultra_hdr(source.bytes(picture.at, picture.size), brightest)


def stands_alone(source: Source, still: Still, picture: Picture) -> bool:
    """Whether taking these bytes out leaves the other pictures whole."""
    others = (other for other in still.pictures.behind if other.row != picture.row) if still.pictures else ()
    is_clear = all(other.at + other.size <= picture.at or picture.at + picture.size <= other.at for other in others)
    return is_clear and source.bytes(picture.at - 2, 2) == END_MARKER
