"""One picture, decoded once, at the scale everything is made from; and the verdicts a decoder may give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from PIL import Image

    from mediabox.native.profiles import Profile

SHORT_SIDE = 1440  # px a preview has at least, when the original does: fills a 4K-wide wall or a phone at 2x
MAX_PIXELS = 120_000_000  # of a still; twice the largest camera, half of what a 1 GiB child can hold as RGB
MAX_SCALED_PIXELS = 400_000_000  # of a baseline JPEG, which is scaled while decoding: 200 MP phones
LARGE_PIXELS = 40_000_000  # above: not whole in memory (3 bytes each) but line by line, in the `large` child


class Unreadable(Exception):
    """No picture can be had from these bytes. The message says why, for a person."""


class NoPicture(Unreadable):
    """Nothing is wrong with the file: it holds no picture that we can show."""


class NeedsProfile(Unreadable):
    """Another child can: start the examination again in one of that profile."""

    def __init__(self, message: str, *, profile: Profile) -> None:
        super().__init__(message)
        self.profile = profile


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """Pixels as stored, with what is needed to show them right.

    `image` is PIL, mode L, RGB or YCbCr (full range BT.601, as JPEG has it), no alpha,
    its short side at least `SHORT_SIDE` or the original's. `orientation` (EXIF, 1 to 8)
    is still to be applied. `icc` describes the pixels; `None` means sRGB.
    """

    image: Image.Image
    orientation: int
    icc: bytes | None
    width: int  # of the original, as displayed
    height: int
    bit_depth: int | None = None  # of the original, per channel
    frames: int | None = None  # pictures in the file; more than one: animation or sequence
    is_plain: bool = False  # the file has these colours as they are: no inks, nothing transparent, no tone mapped
    damage: str | None = None  # what part of the pixels could not be had


def displayed(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height once that EXIF orientation is applied."""
    return (height, width) if orientation >= 5 else (width, height)


def reduction(width: int, height: int) -> int:
    """The largest whole number both sides may be divided by with the short side still `SHORT_SIDE` px."""
    return max(1, min(width, height) // SHORT_SIDE)


def check_pixels(width: int, height: int, *, limit: int = MAX_PIXELS) -> None:
    """Raise Unreadable for a picture of no pixels or more than we are willing to decode."""
    if width < 1 or height < 1:
        raise Unreadable(f"the picture says it is {width} x {height} pixels")
    if width * height > limit:
        raise Unreadable(f"{width} x {height} is {width * height / 1e6:.0f} megapixels; the limit is {limit / 1e6:.0f}")
