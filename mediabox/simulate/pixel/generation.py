"""What Google does with the pictures of each generation of Pixel.

Facts (support.google.com/photos/answer/6220791 and the phones' own offers, seen 2026-11): the Pixel of 2016
backs up originals without limit; 2 to 5 back up without limit in Storage saver only (2 and 3 could do
more until 2021 and 2022); later ones have no offer at all. Storage saver reduces stills above 16
megapixels and videos above 1080p. The last Android each got: support.google.com/pixelphone/answer/4457705 and
Google's factory images (developers.google.com/android/images), seen 2026-11.
"""

from __future__ import annotations

from enum import StrEnum

from mediabox.model.asset import Kind

_MOST_PIXELS = 16_000_000
_MOST_LINES = 1080  # of a video's short side


class Model(StrEnum):
    PIXEL = "pixel"
    PIXEL_2 = "pixel_2"
    PIXEL_3 = "pixel_3"
    PIXEL_4 = "pixel_4"
    PIXEL_5 = "pixel_5"
    LATER = "later"

    @property
    def last_android(self) -> int:
        """The newest Android it has got; of later ones, what is usual."""
        return _LAST_ANDROID[self]

    @property
    def quality(self) -> Quality:
        return Quality.ORIGINAL if self in (Model.PIXEL, Model.LATER) else Quality.STORAGE_SAVER

    @property
    def counts_quota(self) -> bool:
        return self is Model.LATER


_LAST_ANDROID = {
    Model.PIXEL: 10,
    Model.PIXEL_2: 11,
    Model.PIXEL_3: 12,
    Model.PIXEL_4: 13,
    Model.PIXEL_5: 14,
    Model.LATER: 16,
}


class Quality(StrEnum):
    ORIGINAL = "original"
    STORAGE_SAVER = "storage_saver"


def is_reduced(quality: Quality, kind: Kind, sides: tuple[int, int] | None) -> bool:
    """Whether Google keeps less than it was sent. `sides`: width and height in pixels, where the headers say them."""
    if quality is Quality.ORIGINAL or sides is None:
        return False
    return min(sides) > _MOST_LINES if kind is Kind.VIDEO else sides[0] * sides[1] > _MOST_PIXELS
