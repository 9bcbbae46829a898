"""Bring any picture of libvips to what a JPEG holds and every viewer shows: 8 bit, grey or RGB, no alpha."""

from typing import NamedTuple

import numpy as np
import pyvips
from numpy.typing import NDArray

from mediabox.native import tone
from mediabox.native.colour import HLG, P3_D65, PQ, Nclx, display_p3

_HDR_NAMES = {PQ: "PQ", HLG: "HLG"}
_FOREIGN = frozenset(("cmyk", "lab", "labs", "scrgb", "xyz"))  # libvips' names; no JPEG viewer shows these


class Plain(NamedTuple):
    """The pixels and what describes them; `icc` `None` means sRGB. `notes`: what was lost."""

    image: pyvips.Image  # uchar, 1 or 3 bands
    icc: bytes | None
    notes: tuple[str, ...] = ()


def plain(image: pyvips.Image, *, coding: Nclx | None, icc: bytes | None, most_pixels: int | None) -> Plain:
    """At most `most_pixels` of it; tone mapped where it is PQ or HLG, its profile kept where it is not."""
    image = reduced(_opaque(image), most_pixels)
    if coding is not None and coding.transfer in _HDR_NAMES:
        return Plain(_tone_mapped(image, coding), None, (f"tone-mapped from {_HDR_NAMES[coding.transfer]}",))
    if image.interpretation in _FOREIGN:
        image, icc = _as_srgb(image, icc), None
    named = display_p3() if coding is not None and coding.primaries == P3_D65 else None
    return Plain(_eight_bit(image), icc or named)


def reduced(image: pyvips.Image, most_pixels: int | None) -> pyvips.Image:
    """At most so many pixels, by Lanczos' filter; never enlarged."""
    pixels = image.width * image.height
    if most_pixels is None or pixels <= most_pixels:
        return image
    scale = (most_pixels / pixels) ** 0.5
    across, down = (int(side * scale) / side for side in (image.width, image.height))
    return image.resize(across, vscale=down)


def _opaque(image: pyvips.Image) -> pyvips.Image:
    """Transparent parts become white, as in previews."""
    if image.hasalpha():
        return image.flatten(background=[65_535 if image.format == "ushort" else 255])
    return image


def _as_srgb(image: pyvips.Image, icc: bytes | None) -> pyvips.Image:
    """Inks and other spaces no JPEG viewer shows, by their own profile when there is one."""
    if icc is not None and image.interpretation == "cmyk":
        try:
            return image.icc_transform("srgb", embedded=True)
        except pyvips.Error:  # not a CMYK profile, or not a profile
            return image.colourspace("srgb")
    if image.interpretation == "cmyk" and image.format == "uchar":  # plain subtraction, as in previews
        return ((255 - image.extract_band(0, n=3)) * (255 - image.extract_band(3)) / 255).rint().cast("uchar")
    return image.colourspace("srgb")


def _eight_bit(image: pyvips.Image) -> pyvips.Image:
    if image.format == "ushort":
        image = image >> 8
    elif image.format != "uchar":
        image = image.copy_memory()  # it is gone through twice
        low, high = image.min(), image.max()  # floats and wide integers have no range of their own
        image = (image - low) * (255.0 / (high - low) if high > low else 0.0)
    image = image.cast("uchar")
    if image.bands not in (1, 3):
        image = image.extract_band(0, n=3 if image.bands > 3 else 1)
    return image.copy(interpretation="srgb" if image.bands == 3 else "b-w")


def _tone_mapped(image: pyvips.Image, coding: Nclx) -> pyvips.Image:
    pixels: NDArray[np.unsignedinteger] = image.numpy()
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    shown = tone.to_srgb(pixels, transfer=coding.transfer, primaries=coding.primaries)
    return pyvips.Image.new_from_memory(shown.data, shown.shape[1], shown.shape[0], 3, "uchar").copy(
        interpretation="srgb"
    )
