"""The two smaller copies of every asset, made from one decoded picture.

The preview keeps the pixels as decoded and carries orientation as its only EXIF tag and
the ICC profile as it is: turning 3 MP or converting its colours would cost more than
everything else here. The thumbnail is upright, because not every page honours the tag.
"""

import io
import struct

from PIL import Image

from mediabox.model.facts import Facts
from mediabox.native.boxes import Source
from mediabox.native.decoded import Decoded
from mediabox.native.jpeg_segments import segments

THUMBNAIL_SHORT_SIDE = 250  # px at least, before whole-box reduction stops; below 500
_LONGEST_PREVIEW = 32_767  # px; JPEG ends at 65,535, browsers' canvases here
_LONGEST_THUMBNAIL = 4_000  # px; WebP ends at 16,383, a strip of that length is no thumbnail
_SHOWN_BY_BROWSERS = frozenset(("image/jpeg", "image/png", "image/webp"))  # all of them, by their header
_HUFFMAN_FRAMES = frozenset((0xC0, 0xC1, 0xC2))  # baseline, extended, progressive (ITU-T T.81, table B.1)
_BLOCK_BYTES = 4096  # what file systems hand out
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


def original_serves(decoded: Decoded, facts: Facts, source: Source, *, preview: bytes) -> bool:
    """Whether pages may show the file itself, and its preview would save nothing.

    So for a whole still of the preview's own pixels and colours that takes no more of a disk. One that is to be turned
    is left out: browsers heed the tag in a JPEG (CSS Images 3, `image-orientation: from-image`), not in all kinds. And
    one that says where it was taken: a preview never does.
    """
    is_still = facts.media_type in _SHOWN_BY_BROWSERS and (facts.frames or 1) == 1 and facts.damage is None
    is_same = decoded.is_plain and facts.hdr is None and decoded.image.size == (decoded.width, decoded.height)
    is_upright = facts.orientation == decoded.orientation == 1
    is_fit = is_still and is_same and is_upright and facts.place is None
    return is_fit and _blocks(source.size) <= _blocks(len(preview)) and _is_read_by_browsers(source, facts.media_type)


def _is_read_by_browsers(source: Source, media_type: str) -> bool:
    """Of JPEGs those in Huffman codes: arithmetic ones, and lossless ones, are ours alone to decode."""
    return media_type != "image/jpeg" or any(each.marker in _HUFFMAN_FRAMES for each in segments(source))


def _blocks(size_bytes: int) -> int:
    return -(-size_bytes // _BLOCK_BYTES)


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
