"""JPEG, scaled while it is decoded: 1/2, 1/4 or 1/8, whichever leaves the short side at least `SHORT_SIDE` px.

3/8 and the like are never asked for: libjpeg-turbo has no SIMD for them, and they cost
more than the full size. Reading through the descriptor as the decoder asks measured
as fast as handing it the whole file, without holding it.
"""

import io

from PIL import ImageCms, JpegImagePlugin
from PIL.Image import Image

from mediabox.native.decoded import (
    MAX_PIXELS,
    MAX_SCALED_PIXELS,
    Decoded,
    check_pixels,
    displayed,
    reduction,
)
from mediabox.native.faults import refused
from mediabox.native.window import Window


def decode(file: Window, *, orientation: int) -> Decoded:
    """The picture at the nearest DCT scale. A cut file gives what is there, grey below, and says so in `damage`.

    `file` must have `JPEG_END` as its ending. Raises Unreadable.
    """
    with refused("JPEG"):
        image = JpegImagePlugin.JpegImageFile(file.file)
    width, height = image.size
    is_progressive = bool(image.info.get("progressive"))  # holds every coefficient in memory, whatever the scale
    check_pixels(width, height, limit=MAX_PIXELS if is_progressive else MAX_SCALED_PIXELS)
    scale = next(scale for scale in (8, 4, 2, 1) if scale <= reduction(width, height))
    image.draft(image.mode, (width // scale, height // scale))
    with refused("JPEG"):
        image.load()
    icc = image.info.get("icc_profile")
    shown_width, shown_height = displayed(width, height, orientation)
    return Decoded(
        image=_from_inks(image, icc) if image.mode == "CMYK" else image,
        orientation=orientation,
        icc=None if image.mode == "CMYK" else icc,
        width=shown_width,
        height=shown_height,
        bit_depth=8,
        is_plain=image.mode != "CMYK",
        damage="the file ends before its picture does" if file.ran_out else None,
    )


def _from_inks(image: Image, icc: bytes | None) -> Image:
    """CMYK as sRGB: by its own profile, or by plain subtraction when that is absent or broken."""
    if icc:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError):  # not a CMYK profile, or not a profile
            return image.convert("RGB")
    return image.convert("RGB")
