"""An Apple gain map as one that everybody reads: Ultra HDR 1.1, with ISO 21496-1's block beside the XMP.

Apple's is linear: HDR = SDR * (1 + (headroom - 1) * g), g being the map through the inverse
of Rec. 709's curve. Ultra HDR's is logarithmic: HDR = SDR * 2 ** (m * log2(headroom)). Both
say one thing for each of the 256 values a map has, so the map goes through a table; the
picture itself is not touched. With no offsets and a gamma of 1 the two agree to half a step
of the map, 1/510 of the headroom in stops, and what JPEG does to the map.

Sources: developer.apple.com, "Applying Apple HDR effect to your photos"; developer.android.com,
Ultra HDR Image Format 1.1; ISO 21496-1:2025, annex C.2, as libultrahdr 1.4 writes it.
"""

import io
import math
import struct
from typing import Final

from mediabox.native.decoded import Unreadable, check_pixels
from mediabox.native.fit.unfit import Unfit
from mediabox.native.jpeg_segments import APP1, APP2, ISO_GAIN_MAP, XMP, written

MAX_PIXELS: Final = 64_000_000
LARGEST_BYTES: Final = 16 << 20
ISO_VERSION: Final = bytes(4)  # least and writer's version, 0: all that the first picture has to say
_QUALITY: Final = 90  # a map is smooth; above, its file grows faster than its error shrinks
_JFIF_BYTES: Final = 20  # SOI and the APP0 that libjpeg writes first
_DENOMINATOR: Final = 1 << 20  # for numbers between 0 and 6: a millionth of a stop
_BASE_COLOUR_SPACE: Final = 0x40  # the gain applies in the first picture's own colours
_COMMON_DENOMINATOR: Final = 0x08


def as_ultra_hdr(apple: bytes, headroom: float) -> bytes:
    """Apple's map, a JPEG, as Ultra HDR's. `headroom` is linear, above 1. Raises Unfit when it cannot be decoded."""
    stops = math.log2(headroom)
    plain = _mapped(apple, table(headroom))
    said = written(APP1, XMP + _xmp(stops)) + written(APP2, ISO_GAIN_MAP + _iso(stops))
    return plain[:_JFIF_BYTES] + said + plain[_JFIF_BYTES:]


def table(headroom: float) -> list[int]:
    """For each value of Apple's map the value of Ultra HDR's that means the same gain."""
    gains = (1 + (headroom - 1) * linear(value / 255) for value in range(256))
    return [round(255 * math.log(gain, headroom)) for gain in gains]


def linear(coded: float) -> float:
    """The inverse of ITU-R BT.709's transfer function (section 1.2)."""
    return coded / 4.5 if coded < 0.081 else ((coded + 0.099) / 1.099) ** (1 / 0.45)


def _mapped(apple: bytes, values: list[int]) -> bytes:
    from PIL import Image  # lazily: tags and recipes are also made where there is no decoder

    from mediabox.native.faults import refused

    try:
        with refused("HDR: the gain map cannot be decoded"):
            coded = Image.open(io.BytesIO(apple), formats=("JPEG",))
            check_pixels(*coded.size, limit=MAX_PIXELS)
            coded.draft("L", coded.size)
            image = (coded if coded.mode == "L" else coded.convert("L")).point(values)
    except Unreadable as err:
        raise Unfit(str(err)) from err
    held = io.BytesIO()
    image.save(held, "JPEG", quality=_QUALITY)
    return held.getvalue()


def _xmp(stops: float) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'
        f' hdrgm:GainMapMin="0" hdrgm:GainMapMax="{stops:.6f}" hdrgm:Gamma="1" hdrgm:OffsetSDR="0" hdrgm:OffsetHDR="0"'
        f' hdrgm:HDRCapacityMin="0" hdrgm:HDRCapacityMax="{stops:.6f}" hdrgm:BaseRenditionIsHDR="False"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode("ascii")


def _iso(stops: float) -> bytes:
    """One channel, fractions over one denominator: headroom of both renditions, least and most gain, gamma, offsets."""
    most = round(stops * _DENOMINATOR)
    flags = _BASE_COLOUR_SPACE | _COMMON_DENOMINATOR
    return ISO_VERSION + struct.pack(">BIIIiiIii", flags, _DENOMINATOR, 0, most, 0, most, _DENOMINATOR, 0, 0)
