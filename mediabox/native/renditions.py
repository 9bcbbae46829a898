"""The two smaller copies every asset gets, made from one decoded picture.

The preview keeps the pixels as decoded and carries orientation as its only EXIF tag and
the ICC profile as it is: turning 3 MP or converting its colours would cost more than
everything else here. The thumbnail is upright, because not every page honours the tag.
"""

import io
import struct

from PIL import Image

from mediabox.native.decoded import Decoded

THUMBNAIL_SHORT_SIDE = 250  # px at least, before whole-box reduction stops; below 500
_LONGEST_PREVIEW = 32_767  # px; JPEG ends at 65,535, browsers' canvases here
_LONGEST_THUMBNAIL = 4_000  # px; WebP ends at 16,383, a strip of that length is no thumbnail
_PROFILE_SPACES = {"L": b"GRAY", "RGB": b"RGB ", "YCbCr": b"RGB "}  # ICC.1 header, bytes 16 to 19

# How PIL shows an EXIF orientation upright (EXIF 2.32, 4.6.4, tag 0x0112).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def preview(decoded: Decoded) -> bytes:
    """JPEG, quality 80, 4:2:0, EXIF orientation and ICC profile kept, short side as decoded (1440 px or more)."""
    image = decoded.image
    over = -(-max(image.size) // _LONGEST_PREVIEW)
    if over > 1:
        image = image.reduce(over)
    exif = _orientation_tag(decoded.orientation) if decoded.orientation != 1 else b""
    return _saved(image, "JPEG", decoded.icc, quality=80, subsampling=2, exif=exif, comment=b"")


def small(decoded: Decoded) -> Image.Image:
    """The picture the thumbnail, the hash and the quality figures are made from: upright, L or RGB."""
    image = decoded.image
    by = max(min(image.size) // THUMBNAIL_SHORT_SIDE, -(-max(image.size) // _LONGEST_THUMBNAIL))
    if by > 1:
        image = image.reduce(by)
    if image.mode == "YCbCr":
        image = image.convert("RGB")
    return image.transpose(_UPRIGHT[decoded.orientation]) if decoded.orientation in _UPRIGHT else image


def thumbnail(upright: Image.Image, *, icc: bytes | None) -> bytes:
    """WebP, quality 80, of the picture `small` gave; the ICC profile kept."""
    return _saved(upright, "WEBP", icc, quality=80, method=2, exif=b"", xmp=b"")


def _saved(image: Image.Image, kind: str, icc: bytes | None, **options: int | bytes) -> bytes:
    """Nothing of the original's tags comes along unless named here: Pillow carries some over by itself."""
    mode = "RGB" if kind == "WEBP" else image.mode
    fits = icc is not None and icc[16:20] == _PROFILE_SPACES.get(mode)
    held = io.BytesIO()
    image.save(held, kind, icc_profile=icc if fits else b"", **options)
    return held.getvalue()


def _orientation_tag(orientation: int) -> bytes:
    """An Exif block of one tag: TIFF header, one IFD, 0x0112 SHORT."""
    return b"Exif\0\0" + struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
