"""Decode a still once, at the scale that renditions, hash and quality are made from.

`decode` is the way in for every still. Each kind takes its cheapest honest way: JPEG
scaled in the decoder, HEIC tile by tile (`heif`), camera raw files by the preview
inside (`raw`), very large pictures line by line (`large`), the rest by Pillow.
"""

import sys

import numpy as np
from PIL import Image, ImageFile

from mediabox.model.facts import Facts, Hdr
from mediabox.native import heif_items, jpeg, modes, tone
from mediabox.native.boxes import Malformed
from mediabox.native.decoded import (
    LARGE_PIXELS,
    MAX_SCALED_PIXELS,
    Decoded,
    NeedsProfile,
    Unreadable,
    check_pixels,
    displayed,
    reduction,
)
from mediabox.native.faults import BAD_BYTES, refused
from mediabox.native.profiles import HEIF_TYPES, Profile
from mediabox.native.tags.reader import Reader
from mediabox.native.window import JPEG_END, Window

Image.MAX_IMAGE_PIXELS = MAX_SCALED_PIXELS  # Pillow's own guard, past ours: `check_pixels` gives the verdict

_PILLOW_FORMATS = {  # the one plug-in each type may wake, so that no other parser sees the bytes
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
    "image/avif": "AVIF",
}
_LINE_BY_LINE = frozenset(("image/png", "image/webp", "image/tiff"))
_TURNED_ON_LOAD = frozenset(("image/tiff",))  # Pillow applies a TIFF's orientation itself


def decode(reader: Reader, facts: Facts) -> Decoded:
    """The picture in a file whose headers said `facts` (`media_type`, `orientation`, `frames`, `hdr` are used).

    Raises Unreadable with the reason when there are no pixels to be had, NeedsProfile when
    another child can decode it, OSError when the disk fails, MemoryError when the box is too small.
    """
    if facts.media_type == "image/jpeg":
        return jpeg.decode(Window(reader, ending=JPEG_END), orientation=facts.orientation)
    if facts.media_type in HEIF_TYPES:
        return _heif(reader)
    if facts.media_type == "image/jxl":
        from mediabox.native import jxl  # noqa: PLC0415 - memory: only a child that met one

        return jxl.decode(reader, facts)
    if facts.media_type in _PILLOW_FORMATS:
        return _still(reader, facts)
    from mediabox.native import raw  # noqa: PLC0415 - memory: only a child that met one

    return raw.decode(reader, facts)


def _heif(reader: Reader) -> Decoded:
    if "av" not in sys.modules:
        raise NeedsProfile("HEIC needs FFmpeg", profile=Profile.MOVIE)
    from mediabox.native import heif  # noqa: PLC0415 - FFmpeg and libheif: only where the profile loaded them

    return heif.decode(reader)


def _still(reader: Reader, facts: Facts) -> Decoded:
    kind = _PILLOW_FORMATS[facts.media_type]
    with refused(kind):
        image = Image.open(Window(reader), formats=(kind,))  # type: ignore[arg-type] - reads and seeks; that is all it uses
    width, height = image.size
    check_pixels(width, height)
    if width * height > LARGE_PIXELS and facts.media_type in _LINE_BY_LINE:
        return _large(reader, facts)
    frames = facts.frames or _frames(image)
    damage = _load(image, kind)
    orientation = _orientation(image, facts)
    shown_width, shown_height = displayed(*image.size, orientation)
    icc = image.info.get("icc_profile") if image.mode != "CMYK" else None
    small = modes.plain(image, by=reduction(*image.size))
    transfer, primaries = _coding(reader, facts)
    if transfer is not None:
        small = Image.fromarray(tone.to_srgb(np.asarray(small.convert("RGB")), transfer=transfer, primaries=primaries))
    return Decoded(
        image=small,
        orientation=orientation,
        icc=icc if transfer is None else None,
        width=shown_width,
        height=shown_height,
        bit_depth=facts.bit_depth,
        frames=frames,
        damage=damage,
    )


def _large(reader: Reader, facts: Facts) -> Decoded:
    if "pyvips" not in sys.modules:
        raise NeedsProfile("more pixels than this child may hold", profile=Profile.LARGE)
    from mediabox.native import large  # noqa: PLC0415 - libvips: only where the profile loaded it

    return large.decode(reader, facts)


def _load(image: ImageFile.ImageFile, kind: str) -> str | None:
    """Decode; when that stops half-way, keep the rows that are there and return what happened."""
    try:
        image.load()
    except OSError as err:
        if err.errno is not None:
            raise
        fault = str(err)
    except BAD_BYTES as err:
        fault = str(err)
    else:
        return None
    image.tile = []  # nothing more to decode: what is in the buffer is the picture
    try:
        if image.getbbox(alpha_only=False) is not None:
            return f"only a part of the picture can be read ({fault})"
    except (OSError, *BAD_BYTES):
        raise Unreadable(f"{kind}: {fault}") from None
    raise Unreadable(f"{kind}: {fault}")


def _frames(image: ImageFile.ImageFile) -> int:
    with refused("counting frames"):
        count = int(getattr(image, "n_frames", 1))
        if image.tell() != 0:
            image.seek(0)
    return count


def _orientation(image: Image.Image, facts: Facts) -> int:
    if facts.media_type in _TURNED_ON_LOAD:
        return 1
    if facts.media_type == "image/avif":  # Pillow translates irot and imir into the tag
        found = image.getexif().get(0x0112, 1)
        return found if found in range(1, 9) else 1
    return facts.orientation


def _coding(reader: Reader, facts: Facts) -> tuple[int | None, int]:
    """Transfer and primaries when they need tone mapping; (`None`, ...) for everything a screen shows as it is."""
    if facts.media_type == "image/avif":
        try:
            items = heif_items.read_items(reader)
        except Malformed:
            return None, tone.SRGB_PRIMARIES
        master = items.by_id.get(items.primary)
        colour = heif_items.nclx_of(master) if master else None
        if colour and colour.transfer in (tone.PQ, tone.HLG):
            return colour.transfer, colour.primaries
        return None, tone.SRGB_PRIMARIES
    match facts.hdr:
        case Hdr.PQ:
            return tone.PQ, tone.BT2020
        case Hdr.HLG:
            return tone.HLG, tone.BT2020
        case _:
            return None, tone.SRGB_PRIMARIES
