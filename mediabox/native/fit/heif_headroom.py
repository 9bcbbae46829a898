"""How much brighter than SDR white an Apple gain map makes a picture.

Source: developer.apple.com/documentation/appkit/applying-apple-hdr-effect-to-your-photos
(seen 2026-11): from two numbers of the maker note. Newer files say it outright in the
gain map's own XMP (`HDRGainMapHeadroom`), which agrees with the formula in those we saw.
"""

import re
import struct

from mediabox.native import heif_items
from mediabox.native.boxes import Held, Malformed, Source
from mediabox.native.heif_items import Items
from mediabox.native.tags.apple import SIGNATURE
from mediabox.native.tags.tiff import Tiff

MOST = 64.0  # six stops; a claim beyond it is none
MAX_XMP_BYTES = 64 * 1024
_EXIF, _MAKER_NOTE = 0x8769, 0x927C
_HEADROOM, _GAIN = 0x0021, 0x0030  # Apple's "33" and "48", signed rationals
_SIGNED_RATIONAL = 10
_TABLE_AT = 14  # in the note
_TOLD = re.compile(rb"HDRGainMapHeadroom(?:>|=[\"'])\s*([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*[<\"']")


def headroom_of(source: Source, items: Items, gain_map: int, exif: bytes | None) -> float | None:
    """How many times brighter than SDR white; None when nothing sound says. `exif`: the TIFF block."""
    told = _told(source, items, gain_map)
    if told is None and exif is not None:
        told = _computed(exif)
    return told if told is not None and 1 < told <= MOST else None


def from_maker_note(headroom: float, gain: float) -> float:
    """Apple's formula; 1 is no headroom at all."""
    if headroom < 1:
        stops = -20 * gain + 1.8 if gain <= 0.01 else -0.101 * gain + 1.601
    else:
        stops = -70 * gain + 3.0 if gain <= 0.01 else -0.303 * gain + 2.303
    return float(2 ** max(stops, 0.0))


def _told(source: Source, items: Items, gain_map: int) -> float | None:
    """What the gain map's own XMP says."""
    for number in items.sources(gain_map, b"cdsc"):
        item = items.by_id.get(number)
        if item is not None and item.type == b"mime":
            found = _TOLD.search(heif_items.item_bytes(source, item, limit=MAX_XMP_BYTES))
            if found is not None:
                return float(found[1])
    return None


def _computed(exif: bytes) -> float | None:
    """What the maker note's two numbers come to; both have to be there."""
    try:
        tiff = Tiff(Held(exif))
        shot = tiff.directory(tiff.first).sub(_EXIF)
        note = None if shot is None else shot.raw(_MAKER_NOTE)
        numbers = _numbers(note or b"")
    except (Malformed, struct.error):
        return None
    if _HEADROOM not in numbers or _GAIN not in numbers:
        return None
    return from_maker_note(numbers[_HEADROOM], numbers[_GAIN])


def _numbers(note: bytes) -> dict[int, float]:
    """The signed rationals of Apple's note, whose offsets count from its own start."""
    if not note.startswith(SIGNATURE):
        return {}
    order = "<" if note[12:14] == b"II" else ">"
    (count,) = struct.unpack_from(order + "H", note, _TABLE_AT)
    rows = note[_TABLE_AT + 2 : _TABLE_AT + 2 + 12 * count]
    found: dict[int, float] = {}
    for tag, form, _, at in struct.iter_unpack(order + "HHII", rows[: len(rows) // 12 * 12]):
        if form == _SIGNED_RATIONAL and at + 8 <= len(note):
            above, below = struct.unpack_from(order + "ii", note, at)
            if below:
                found[tag] = above / below
    return found
