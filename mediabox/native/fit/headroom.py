"""How much brighter than white an Apple picture is meant to get.

Apple, "Applying Apple HDR effect to your photos" (developer.apple.com/documentation/appkit,
seen November 2026): from two numbers of the maker note. Gain maps of version 2 (iOS 17 and
later) say it themselves, and that is what Apple's own decoder goes by.
"""

import re
from typing import Final

from mediabox.native.boxes import Source
from mediabox.native.tags.apple import directory_of
from mediabox.native.tags.findings import LIES
from mediabox.native.tags.tiff import Tiff

MOST: Final = 64.0  # six stops; an iPhone's display shows three
_EXIF, _MAKER_NOTE = 0x8769, 0x927C
_HEADROOM, _GAIN = 0x0021, 0x0030  # "33" and "48" in Apple's words
_VERSION = re.compile(rb"HDRGainMapVersion(?:\s*=\s*[\"']|>)\s*(\d{1,9})")
_TOLD = re.compile(rb"HDRGainMapHeadroom(?:\s*=\s*[\"']|>)\s*(\d{1,4}(?:\.\d{1,9})?)")
_TELLS = 0x20000  # the first version that has the headroom


def headroom(exif: Source | None, gain_map_xmp: bytes) -> float | None:
    """Brightest white over SDR white, linear, 1 to `MOST`; None when the picture does not say."""
    told = _told(gain_map_xmp)
    if told is None and exif is not None:
        told = _noted(exif)
    return told if told is not None and 1 <= told <= MOST else None


def _told(gain_map_xmp: bytes) -> float | None:
    version, told = _VERSION.search(gain_map_xmp), _TOLD.search(gain_map_xmp)
    return float(told[1]) if version and told and int(version[1]) >= _TELLS else None


def _noted(exif: Source) -> float | None:
    try:
        tiff = Tiff(exif)
        shot = tiff.directory(tiff.first).sub(_EXIF)
        note = None if shot is None else shot.window(_MAKER_NOTE)
        directory = None if note is None else directory_of(note)
    except LIES:
        return None
    if directory is None:
        return None
    brightness, gain = directory.number(_HEADROOM), directory.number(_GAIN)
    return None if brightness is None or gain is None else from_maker_note(brightness, gain)


def from_maker_note(brightness: float, gain: float) -> float:
    """Apple's own four lines; 1 is no headroom at all."""
    if brightness < 1:
        stops = -20 * gain + 1.8 if gain <= 0.01 else -0.101 * gain + 1.601
    else:
        stops = -70 * gain + 3 if gain <= 0.01 else -0.303 * gain + 2.303
    return float(2 ** max(stops, 0.0))
