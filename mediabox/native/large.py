"""Stills of more than `LARGE_PIXELS`, shrunk line by line by libvips; and the second opinion on what Pillow refuses.

libvips is told to use one thread, to keep nothing, and to leave its less tested loaders
alone, before it is imported; `preload` does that.
"""

import re

import msgspec
import pyvips
from PIL import Image

from mediabox.model.facts import Facts
from mediabox.native import modes
from mediabox.native.boxes import Source
from mediabox.native.decoded import Decoded, NoPicture, Unreadable, check_pixels, displayed, reduction
from mediabox.native.window import Window

LOADERS = {"image/png": "pngload_source", "image/webp": "webpload_source", "image/tiff": "tiffload_source"}


# libtiff's and libvips' words for a way of coding they were built without: nothing is wrong with the file.
_UNSUPPORTED = re.compile(r"(?i)not (?:configured|implemented|supported)|unsupported|samples out of range")


def decode(source: Source, facts: Facts) -> Decoded:
    """The picture, box-shrunk to a short side of at least `SHORT_SIDE`; of a cut file what is there.

    Raises Unreadable, NoPicture.
    """
    pyvips.vips_lib.vips_error_clear()  # libtiff's warnings about the file before stay in it
    try:
        return _decoded(source, facts, fail_on="error")
    except pyvips.Error as err:
        fault = f"{err.message} {err.detail}".strip()
    if _UNSUPPORTED.search(fault):
        raise NoPicture(f"{facts.media_type}: {fault}")
    try:
        part = _decoded(source, facts, fail_on="none")
    except pyvips.Error:
        raise Unreadable(f"{facts.media_type}: {fault}") from None
    return msgspec.structs.replace(part, damage=f"only a part of the picture can be read ({fault})")


def _decoded(source: Source, facts: Facts, *, fail_on: str) -> Decoded:
    window = Window(source)
    stream = pyvips.SourceCustom()
    stream.on_read(window.read)
    stream.on_seek(window.seek)
    image = pyvips.Operation.call(LOADERS[facts.media_type], stream, access="sequential", fail_on=fail_on)
    check_pixels(image.width, image.height)
    width, height = displayed(image.width, image.height, facts.orientation)
    return Decoded(
        image=modes.plain(_pillow(image)),
        orientation=facts.orientation,
        icc=image.get("icc-profile-data") if image.get_typeof("icc-profile-data") else None,
        width=width,
        height=height,
        bit_depth=facts.bit_depth,
        frames=facts.frames,
    )


def _pillow(image: pyvips.Image) -> Image.Image:
    by = reduction(image.width, image.height)
    if image.hasalpha():
        image = image.flatten(background=[65_535 if image.format == "ushort" else 255])
    shrunk = image.shrink(by, by)
    if image.interpretation in ("cmyk", "lab"):
        shrunk = shrunk.colourspace("srgb")
    elif image.format == "ushort":
        shrunk = shrunk >> 8
    elif image.format != "uchar":  # measurements rather than a picture: from its darkest to its brightest
        shrunk = shrunk.copy_memory().scaleimage()
    shrunk = shrunk.cast("uchar")
    if shrunk.bands not in (1, 3):
        shrunk = shrunk.extract_band(0, n=3 if shrunk.bands > 3 else 1)
    mode = "L" if shrunk.bands == 1 else "RGB"
    return Image.frombuffer(mode, (shrunk.width, shrunk.height), shrunk.write_to_memory(), "raw", mode, 0, 1)
