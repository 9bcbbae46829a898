"""HEIC the careful way: whole, by libheif, for what `heif` would not show exactly.

Alpha, clean apertures, other matrices, overlays, HDR. Takes about twice the CPU and the
whole picture in memory. Rotation and mirroring are applied to the pixels.
"""

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from mediabox.native import heif_items, modes, tone
from mediabox.native.boxes import Malformed, Source
from mediabox.native.colour import HLG, P3_D65, PQ, display_p3
from mediabox.native.decoded import Decoded, check_pixels, displayed, reduction
from mediabox.native.faults import refused
from mediabox.native.window import Window

pillow_heif.options.DECODE_THREADS = 1  # the child has one thread for each core already
pillow_heif.options.THUMBNAILS = False
pillow_heif.options.DEPTH_IMAGES = False
pillow_heif.options.AUX_IMAGES = False

_DEEP_MODES = {"RGB;16": 3, "RGBA;16": 4, "RGBa;16": 4}


def decode(source: Source, *, orientation: int) -> Decoded:
    """The primary picture, turned as boxes say; PQ and HLG as SDR. `orientation` as tags tell it. Raises Unreadable."""
    with refused("HEIC"):
        heif = pillow_heif.open_heif(Window(source), convert_hdr_to_8bit=False)
        width, height = heif.size
        check_pixels(width, height)
        depth = heif.info.get("bit_depth")
        colour = heif.info.get("nclx_profile") or {}
        is_hdr = colour.get("transfer_characteristics") in (PQ, HLG)
        if not is_hdr and heif.mode in _DEEP_MODES:  # 8 bits are enough to show it, and half the memory
            heif = pillow_heif.open_heif(Window(source), convert_hdr_to_8bit=True)
        image = _hdr(heif, colour) if is_hdr else _sdr(heif)
    orientation = left_to_turn(source, orientation)
    width, height = displayed(width, height, orientation)
    return Decoded(
        image=image,
        orientation=orientation,
        icc=None if is_hdr else _icc(heif),
        width=width,
        height=height,
        bit_depth=depth,
    )


def left_to_turn(source: Source, orientation: int) -> int:
    """The EXIF orientation that what libheif drew still lacks: libheif follows the boxes alone."""
    try:
        items = heif_items.read_items(source)
    except Malformed:
        return 1
    master = items.by_id.get(items.primary)
    return 1 if master is None or heif_items.is_turned_by_boxes(master) else orientation


def _icc(heif: pillow_heif.HeifFile) -> bytes | None:
    numbers = heif.info.get("nclx_profile") or {}
    return heif.info.get("icc_profile") or (display_p3() if numbers.get("color_primaries") == P3_D65 else None)


def _sdr(heif: pillow_heif.HeifFile) -> Image.Image:
    image = Image.frombuffer(heif.mode, heif.size, bytes(heif.data), "raw", heif.mode, heif.stride, 1)
    return modes.plain(image, by=reduction(*heif.size))


def _hdr(heif: pillow_heif.HeifFile, colour: dict[str, int]) -> Image.Image:
    width, height = heif.size
    is_deep = heif.mode in _DEEP_MODES
    channels = _DEEP_MODES.get(heif.mode, len(heif.mode))
    flat: NDArray[np.unsignedinteger] = np.frombuffer(heif.data, dtype=np.uint16 if is_deep else np.uint8)
    row = heif.stride // flat.itemsize
    pixels = flat.reshape(-1, row)[:height, : width * channels].reshape(height, width, channels)[..., :3]
    shown = tone.to_srgb(
        _boxes(pixels, reduction(width, height)),
        transfer=colour["transfer_characteristics"],
        primaries=colour["color_primaries"],
    )
    return Image.fromarray(shown)


def _boxes(pixels: NDArray[np.unsignedinteger], by: int) -> NDArray[np.unsignedinteger]:
    """Means of `by` x `by` boxes; the odd rows and columns at the far edges are left out."""
    if by == 1:
        return pixels
    height, width = pixels.shape[0] // by, pixels.shape[1] // by
    total = np.zeros((height, width, pixels.shape[2]), dtype=np.uint32)
    for y in range(by):
        for x in range(by):
            total += pixels[y : height * by : by, x : width * by : by]
    return (total // (by * by)).astype(pixels.dtype)
