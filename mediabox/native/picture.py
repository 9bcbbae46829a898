"""Decode a still once, at the scale that renditions, hash and quality are made from.

`decode` is the way in for every still. Each kind takes its cheapest honest way: JPEG
scaled in the decoder, HEIC tile by tile (`heif`), camera raw files by the preview
inside (`raw`), very large pictures line by line (`large`), the rest by Pillow.
"""

import sys

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from mediabox.model.facts import Facts
from mediabox.native import colour, heif_items, jpeg, modes
from mediabox.native.boxes import Source
from mediabox.native.colour import Nclx
from mediabox.native.decoded import (
    LARGE_PIXELS,
    Decoded,
    NeedsProfile,
    NoPicture,
    Unreadable,
    check_pixels,
    displayed,
    reduction,
)
from mediabox.native.faults import BAD_BYTES, refused
from mediabox.native.profiles import HEIF_TYPES, Profile
from mediabox.native.tone import shown
from mediabox.native.window import JPEG_END, Window

_READERS: dict[str, type[ImageFile.ImageFile]] = {  # no registry, so that no other parser ever sees the bytes
    "image/png": PngImagePlugin.PngImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
    "image/bmp": BmpImagePlugin.BmpImageFile,
    "image/avif": AvifImagePlugin.AvifImageFile,
}
_LINE_BY_LINE = frozenset(("image/png", "image/webp", "image/tiff"))
_TURNED_ON_LOAD = frozenset(("image/tiff",))  # Pillow applies a TIFF's orientation itself


def decode(source: Source, facts: Facts) -> Decoded:
    """The picture in a file whose headers said `facts` (`media_type`, `orientation`, `frames`, `hdr` are used).

    Raises Unreadable with the reason when there are no pixels to be had, NeedsProfile when
    another child can decode it, OSError when the disk fails, MemoryError when the box is too small.
    """
    if facts.media_type == "image/jpeg":
        return jpeg.decode(Window(source, ending=JPEG_END), orientation=facts.orientation)
    if facts.media_type in HEIF_TYPES:
        return _heif(source, facts.orientation)
    if facts.media_type == "image/jxl":
        from mediabox.native import jxl

        return jxl.decode(source, facts)
    if facts.media_type in _READERS:
        return _still(source, facts)
    from mediabox.native import raw

    return raw.decode(source, facts)


def _heif(source: Source, orientation: int) -> Decoded:
    if "av" not in sys.modules:
        raise NeedsProfile("HEIC needs FFmpeg", profile=Profile.MOVIE)
    from mediabox.native import heif

    return heif.decode(source, orientation=orientation)


def _still(source: Source, facts: Facts) -> Decoded:
    """By Pillow; what that calls broken is shown to libvips before anybody calls the file damaged.

    Pillow 13 reads no big-endian BigTIFF, and stops at a whole PNG's ancillary chunks that it finds too large or wrong.
    """
    try:
        decoded = _by_pillow(source, facts)
    except Unreadable as err:
        if facts.media_type in _LINE_BY_LINE:
            return _by_libvips(source, facts)
        if "unsupported" in str(err).lower():  # a way of coding Pillow has no decoder for
            raise NoPicture(str(err)) from None
        raise
    is_doubtful = decoded.damage is not None and facts.media_type in _LINE_BY_LINE
    return _by_libvips(source, facts) if is_doubtful else decoded


def _by_pillow(source: Source, facts: Facts) -> Decoded:
    kind = facts.media_type
    with refused(kind):
        image = _READERS[kind](Window(source).file)
    width, height = image.size
    check_pixels(width, height)
    if width * height > LARGE_PIXELS and facts.media_type in _LINE_BY_LINE:
        return _by_libvips(source, facts)
    frames = facts.frames or _frames(image)
    damage = _load(image, kind)
    orientation = _orientation(image, facts)
    width, height = displayed(*image.size, orientation)
    icc = image.info.get("icc_profile") if image.mode != "CMYK" else None
    coding, is_opaque = _coding(source, facts, icc), not image.has_transparency_data
    small = modes.plain(image, by=reduction(*image.size))
    small, icc = shown(small, coding=coding, icc=icc)
    return Decoded(
        image=small,
        orientation=orientation,
        icc=icc,
        width=width,
        height=height,
        bit_depth=facts.bit_depth,
        frames=frames,
        is_plain=image.mode != "CMYK" and is_opaque and coding is None,
        damage=damage,
    )


def _by_libvips(source: Source, facts: Facts) -> Decoded:
    if "pyvips" not in sys.modules:
        raise NeedsProfile("not for this child to decode", profile=Profile.LARGE)
    from mediabox.native import large

    return large.decode(source, facts)


def _load(image: ImageFile.ImageFile, kind: str) -> str | None:
    """Decode; when that stops half-way, keep the rows that are there and return what happened."""
    try:
        image.load()
    except OSError as err:
        if err.errno is not None:
            raise
        fault = str(err)
    except BAD_BYTES as err:
        fault = str(err)
    else:
        return None
    image.tile = []  # nothing more to decode: what is in the buffer is the picture
    try:
        is_upright = image.im.size == image.size  # a TIFF to be turned is turned last: cut, its size is a lie
        if is_upright and image.getbbox(alpha_only=False) is not None:
            return f"only a part of the picture can be read ({fault})"
    except (OSError, *BAD_BYTES):
        raise Unreadable(f"{kind}: {fault}") from None
    raise Unreadable(f"{kind}: {fault}")


def _frames(image: ImageFile.ImageFile) -> int:
    with refused("counting frames"):
        count = int(getattr(image, "n_frames", 1))
        if image.tell() != 0:
            image.seek(0)
    return count


def _orientation(image: Image.Image, facts: Facts) -> int:
    if facts.media_type in _TURNED_ON_LOAD:
        return 1
    if facts.media_type == "image/avif":  # Pillow translates irot and imir into the tag
        found = image.getexif().get(0x0112, 1)
        return found if found in range(1, 9) else 1
    return facts.orientation


def _coding(source: Source, facts: Facts, icc: bytes | None) -> Nclx | None:
    """How the pixels are coded, by number, where anything says so."""
    if facts.media_type == "image/avif":
        return heif_items.primary_nclx(source)
    return colour.coding_of(facts.hdr, icc)
