"""JPEG XL. A losslessly wrapped JPEG is unwrapped and goes the way of JPEGs, scaled while decoding."""

from PIL import Image
from pillow_jxl import Decoder

from mediabox.model.facts import Facts
from mediabox.native import colour, jpeg, modes, tone
from mediabox.native.boxes import Held, Source
from mediabox.native.decoded import Decoded, check_pixels, reduction
from mediabox.native.faults import refused
from mediabox.native.window import JPEG_END, Window

_NO_THREADS = 0  # the child has one for each core already


def decode(source: Source, facts: Facts) -> Decoded:
    """The first picture, upright as the codestream says. Raises Unreadable."""
    if facts.width is not None and facts.height is not None:
        check_pixels(facts.width, facts.height)  # before the decoder: it decodes whole
    with refused("JPEG XL"):
        is_jpeg, header, pixels, icc, _ = Decoder(num_threads=_NO_THREADS)(Window(source).read())
        if is_jpeg:
            return jpeg.decode(Window(Held(pixels), ending=JPEG_END), orientation=facts.orientation)
        check_pixels(header.width, header.height)
        mode = {"F;16": "F"}.get(header.mode, header.mode)
        image = Image.frombytes(mode, (header.width, header.height), pixels)
    small = modes.plain(image, by=reduction(*image.size))
    small, icc = tone.shown(small, coding=colour.coding_of(facts.hdr, icc or None), icc=icc or None)
    return Decoded(
        image=small,
        orientation=1,
        icc=icc,
        width=header.width,
        height=header.height,
        bit_depth=facts.bit_depth,
    )
