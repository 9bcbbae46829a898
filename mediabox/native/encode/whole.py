"""A still at its full size, as libvips draws it: strip by strip where the format allows.

The pictures made for people to look at (`picture`) are scaled while decoding; here every
pixel counts. JPEG, PNG and TIFF are never whole in memory, WebP, GIF, BMP, AVIF, HEIC and
JPEG XL are, for their decoders work so: 3 bytes a pixel, 6 of HDR, 360 MB for the 120
megapixels that are the limit.
"""

from typing import NamedTuple

import numpy as np
import pillow_heif
import pyvips
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image
from pillow_jxl import Decoder

from mediabox.model.facts import Facts
from mediabox.native import colour, heif_items, modes
from mediabox.native.boxes import Held, Source
from mediabox.native.colour import HLG, PQ, Nclx
from mediabox.native.decoded import MAX_PIXELS, MAX_SCALED_PIXELS, Unreadable, check_pixels, displayed
from mediabox.native.encode import for_jpeg
from mediabox.native.faults import refused
from mediabox.native.libheif import left_to_turn
from mediabox.native.profiles import HEIF_TYPES
from mediabox.native.window import Window

_LOADERS = {
    "image/jpeg": "jpegload_source",
    "image/png": "pngload_source",
    "image/apng": "pngload_source",
    "image/webp": "webpload_source",
    "image/gif": "gifload_source",
    "image/tiff": "tiffload_source",
    "image/avif": "heifload_source",
}
_IN_STRIPS = frozenset(("image/jpeg", "image/png", "image/tiff"))
_NO_THREADS = 0  # the child's lanes are the threads
_CODING_UNIT = 8  # px; `ispe` may say a little less than what is coded
_DEEP_BANDS = {"RGB;16": 3, "RGBA;16": 4, "RGBa;16": 4}


class Whole(NamedTuple):
    """Pixels as stored. `orientation` (EXIF) is still to be applied; `icc` describes them, `None` means sRGB.

    libvips reads as it draws, and pyvips does not keep alive what it reads through: `stream` does.
    """

    image: pyvips.Image  # uchar, 1 or 3 bands
    orientation: int
    icc: bytes | None
    notes: tuple[str, ...] = ()
    stream: pyvips.Source | None = None


class Inside(NamedTuple):
    """A JPEG that lies in the source as it is: in a raw file, in a JPEG XL."""

    part: Source
    orientation: int
    notes: tuple[str, ...] = ()


def can_decode(media_type: str) -> bool:
    """Whether all pixels of such a file can be had; of raw files only a preview can."""
    return media_type in _LOADERS or media_type in HEIF_TYPES or media_type in ("image/jxl", "image/bmp")


def decode(source: Source, facts: Facts, *, most_pixels: int | None) -> Whole | Inside:
    """The picture, not larger than `most_pixels`. Raises Unreadable and what the decoders raise."""
    match facts.media_type:
        case "image/jxl":
            return _jxl(source, facts, most_pixels)
        case "image/bmp":
            with refused("image/bmp"):
                image = BmpImagePlugin.BmpImageFile(Window(source).file)
                check_pixels(*image.size)
                return _finished(_of_pillow(modes.plain(image)), facts.orientation, None, None, most_pixels)
        case kind if kind in HEIF_TYPES:
            return _heic(source, facts, most_pixels)
        case kind if kind in _LOADERS:
            return _loaded(source, facts, most_pixels)
        case kind:
            raise Unreadable(f"{kind}: no decoder for all of its pixels")


def in_jpeg(inside: Inside, *, most_pixels: int | None) -> Whole:
    """An embedded JPEG decoded."""
    stream = stream_of(Window(inside.part))
    image = _open("image/jpeg", stream)
    whole = _finished(image, inside.orientation, None, _icc(image), most_pixels)
    return whole._replace(notes=inside.notes, stream=stream)


def _loaded(source: Source, facts: Facts, most_pixels: int | None) -> Whole:
    stream = stream_of(Window(source))
    image = _open(facts.media_type, stream)
    icc = _icc(image)
    is_upright = facts.media_type == "image/avif"  # libheif has turned it
    coding = heif_items.primary_nclx(source) if is_upright else colour.coding_of(facts.hdr, icc)
    whole = _finished(image, 1 if is_upright else facts.orientation, coding, icc, most_pixels)
    many = (f"the first of {facts.frames} pictures",) if (facts.frames or 1) > 1 and facts.hdr is None else ()
    return whole._replace(notes=whole.notes + many, stream=stream)


def stream_of(window: Window) -> pyvips.Source:
    """The window as libvips reads it; to be kept as long as any picture that is drawn from it."""
    stream = pyvips.SourceCustom()
    stream.on_read(window.read)
    stream.on_seek(window.seek)
    return stream


def _open(media_type: str, stream: pyvips.Source) -> pyvips.Image:
    access = "sequential" if media_type in _IN_STRIPS else "random"
    image = pyvips.Operation.call(_LOADERS[media_type], stream, access=access, fail_on="error")
    check_pixels(image.width, image.height, limit=MAX_SCALED_PIXELS if media_type == "image/jpeg" else MAX_PIXELS)
    return image


def _icc(image: pyvips.Image) -> bytes | None:
    return image.get("icc-profile-data") if image.get_typeof("icc-profile-data") else None


def _heic(source: Source, facts: Facts, most_pixels: int | None) -> Whole:
    """By libheif, turned as boxes say. Raises Unreadable when what it finds is not the picture the file tells of.

    Of a file that contradicts itself it gives the thumbnail without a word.
    """
    with refused("HEIC"):
        heif = pillow_heif.open_heif(Window(source), convert_hdr_to_8bit=False)
        check_pixels(*heif.size)
        orientation = left_to_turn(source, facts.orientation)
        shown = displayed(heif.size[0], heif.size[1], orientation)
        told = facts.width or shown[0], facts.height or shown[1]
        if max(abs(one - other) for one, other in zip(shown, told, strict=True)) > _CODING_UNIT:
            raise Unreadable(f"HEIC: {heif.size[0]} x {heif.size[1]} pixels of {told[0]} x {told[1]} can be had")
        colours = heif.info.get("nclx_profile") or {}
        is_hdr = colours.get("transfer_characteristics") in (PQ, HLG)
        if not is_hdr and heif.mode in _DEEP_BANDS:
            heif = pillow_heif.open_heif(Window(source), convert_hdr_to_8bit=True)
        image = _of_heif(heif)
    coding = None
    if colours:
        coding = Nclx(colours["color_primaries"], colours["transfer_characteristics"], 0, is_full_range=True)
    return _finished(image, orientation, coding, heif.info.get("icc_profile"), most_pixels)


def _of_heif(heif: pillow_heif.HeifFile) -> pyvips.Image:
    width, height = heif.size
    is_deep = heif.mode in _DEEP_BANDS
    bands = _DEEP_BANDS.get(heif.mode, len(heif.mode))
    flat: NDArray[np.unsignedinteger] = np.frombuffer(heif.data, dtype=np.uint16 if is_deep else np.uint8)
    rows = flat.reshape(height, heif.stride // flat.itemsize)[:, : width * bands]
    return pyvips.Image.new_from_memory(
        np.ascontiguousarray(rows).data, width, height, bands, "ushort" if is_deep else "uchar"
    )


def _jxl(source: Source, facts: Facts, most_pixels: int | None) -> Whole | Inside:
    if facts.width is not None and facts.height is not None:
        check_pixels(facts.width, facts.height)  # before the decoder: it decodes whole
    with refused("JPEG XL"):
        is_jpeg, header, pixels, icc, _ = Decoder(num_threads=_NO_THREADS)(Window(source).read())
        if is_jpeg:
            return Inside(Held(bytes(pixels)), facts.orientation)
        check_pixels(header.width, header.height)
        if header.mode in ("RGB;16", "RGBA;16"):
            bands = _DEEP_BANDS[header.mode]
            image = pyvips.Image.new_from_memory(pixels, header.width, header.height, bands, "ushort")
        else:
            mode = {"F;16": "F"}.get(header.mode, header.mode)
            image = _of_pillow(modes.plain(Image.frombytes(mode, (header.width, header.height), pixels)))
    return _finished(image, 1, colour.coding_of(facts.hdr, icc or None), icc or None, most_pixels)


def _of_pillow(image: Image.Image) -> pyvips.Image:
    return pyvips.Image.new_from_memory(image.tobytes(), image.width, image.height, len(image.getbands()), "uchar")


def _finished(
    image: pyvips.Image, orientation: int, coding: Nclx | None, icc: bytes | None, most_pixels: int | None
) -> Whole:
    plain = for_jpeg.plain(image, coding=coding, icc=icc, most_pixels=most_pixels)
    return Whole(plain.image, orientation, plain.icc, plain.notes)
