"""Tell an Apple gain map in the words of ISO 21496-1 as well, with the very pixels that are there.

Google's readers look no further for Apple's own gain map once a packet of theirs says
Motion Photo (PetrVys/MotionPhoto2 #2), so that the picture would be shown flat. Since iOS 18
Apple writes one and the same map both as its auxiliary picture and as input of a `tmap`
item (seen in its files); pictures from before get the `tmap` from us. Apple's curve is
HDR = SDR * (1 + (H - 1) * linear(map)), linear by Rec. 709
(developer.apple.com/documentation/appkit/applying-apple-hdr-effect-to-your-photos);
ISO's is log2(HDR / SDR) = map ** (1 / gamma) * log2(H), for the gamma that comes closest.
"""

import math
import struct
from typing import NamedTuple

from mediabox.native import heif_items
from mediabox.native.boxes import Held, Malformed, Source
from mediabox.native.fit.gain_map import linear
from mediabox.native.fit.heif_catalogue import Catalogue
from mediabox.native.fit.heif_edits import box, full_box
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_items import Item, Items
from mediabox.native.tags.icc import describe_profile
from mediabox.native.tags.reader import SubReader

BRAND = b"tmap"
MAX_XMP_BYTES = 64 * 1024
MOST_STOPS_OFF = 0.1  # what nobody sees; the documented headrooms, up to eight, stay below 0.09
_STEPS = 64  # the curves are compared at
_LINEAR = tuple(linear(step / _STEPS) for step in range(_STEPS + 1))
_PRIMARIES = {"sRGB": 1, "Display P3": 12}  # by name of the profile; ISO/IEC 23091-2, table 2
_PQ, _MATRIX, _FULL_RANGE = 16, 6, 0x80  # what the bright version is to be coded as
_OWN_COLOUR = 0x40  # flags: one channel, in the base's colour space
_UNIT = 1_000_000  # denominator of all numbers, as Apple writes them
_OFFSET = 10  # 1e-5, as Apple writes it, of linear light: keeps black from having no logarithm


class Curve(NamedTuple):
    """ISO's curve that is next to Apple's. `stops`: how much brighter at most; `off`: the largest difference."""

    stops: float
    gamma: float
    off: float


def words_of(source: Source, items: Items, gain_map: int) -> bytes:
    """The gain map's own XMP; b"" for none."""
    described = (items.by_id.get(number) for number in items.sources(gain_map, b"cdsc"))
    found = (item for item in described if item is not None and item.type == b"mime")
    return next((heif_items.item_bytes(source, item, limit=MAX_XMP_BYTES) for item in found), b"")


def add_tone_map(items: Items, catalogue: Catalogue, gain_map: int, headroom: float) -> None:
    """Add the `tmap` item, its picture's properties and the group that offers it instead of the primary.

    `headroom`: how many times brighter than SDR white the picture gets. Raises Unfit.
    """
    primary = items.by_id[items.primary]
    curve = nearest(headroom)
    if curve.off > MOST_STOPS_OFF:
        raise Unfit(f"HDR: a gain map of {curve.stops:.1f} stops cannot be told in ISO 21496-1")
    width, height = _shown_size(primary)
    tone_map = catalogue.add(b"tmap", metadata(curve), is_hidden=False)
    catalogue.describe(
        tone_map,
        full_box(b"ispe", struct.pack(">II", width, height)),
        full_box(b"pixi", b"\3\x0a\x0a\x0a"),
        box(b"colr", b"nclx", struct.pack(">HHHB", _primaries(primary), _PQ, _MATRIX, _FULL_RANGE)),
    )
    catalogue.refer(b"dimg", tone_map, primary.id, gain_map)
    catalogue.group(b"altr", tone_map, primary.id)


def nearest(headroom: float) -> Curve:
    """ISO's curve for Apple's of this headroom, the largest difference as small as it gets."""
    stops = math.log2(headroom)
    wanted = [math.log2(1 + (headroom - 1) * light) for light in _LINEAR]

    def off(power: float) -> float:
        return max(abs(math.pow(step / _STEPS, power) * stops - each) for step, each in enumerate(wanted))

    low, high = 0.5, 3.0  # the difference has one valley between
    while high - low > 1e-4:
        third = (high - low) / 3
        low, high = (low, high - third) if off(low + third) < off(high - third) else (low + third, high)
    return Curve(stops, 1 / low, off(low))


def metadata(curve: Curve) -> bytes:
    """The content of a `tmap` item: version, then ISO 21496-1, C.2, one channel."""
    stops, gamma = round(curve.stops * _UNIT), round(curve.gamma * _UNIT)
    return struct.pack(
        ">BHHBIIIIiIiIIIiIiI",
        *(0, 0, 0, _OWN_COLOUR),
        *(0, _UNIT, stops, _UNIT),  # headroom of the picture as it is, of the bright one
        *(0, _UNIT, stops, _UNIT, gamma, _UNIT),  # least and most gain, gamma
        *(_OFFSET, _UNIT, _OFFSET, _UNIT),
    )


def _shown_size(primary: Item) -> tuple[int, int]:
    """Of the primary as it is put in: turned. Raises Unfit for a cropped one."""
    if primary.property(b"clap") is not None:
        raise Unfit("HDR: the picture is cropped by its own properties")
    width, height = heif_items.size_of(primary)
    return (height, width) if heif_items.orientation_of(primary) >= 5 else (width, height)


def _primaries(primary: Item) -> int:
    """Colour primaries of the picture by number. Raises Unfit when they cannot be told."""
    nclx, profile = heif_items.nclx_of(primary), heif_items.icc_of(primary)
    if profile is None and nclx is not None:
        return nclx.primaries
    try:
        name = describe_profile(SubReader(Held(profile or b""), 0, len(profile or b""))) or ""
    except (Malformed, struct.error):
        name = ""
    found = next((number for start, number in _PRIMARIES.items() if name.startswith(start)), None)
    if found is None:
        raise Unfit(f"HDR: the gain map's colour space is not known: {name[:40] or 'no profile'}")
    return found
