"""JPEG XL. A losslessly wrapped JPEG is unwrapped and goes the way of JPEGs, scaled while decoding."""

import numpy as np
from PIL import Image
from pillow_jxl import Decoder

from mediabox.model.facts import Facts, Hdr
from mediabox.native import jpeg, modes, tone
from mediabox.native.boxes import Held
from mediabox.native.decoded import Decoded, check_pixels, reduction
from mediabox.native.faults import refused
from mediabox.native.tags.reader import Reader
from mediabox.native.window import JPEG_END, Window

_NO_THREADS = 0  # the child has one for each core already


def decode(reader: Reader, facts: Facts) -> Decoded:
    """The first picture, upright as the codestream says. Raises Unreadable."""
    if facts.width is not None and facts.height is not None:
        check_pixels(facts.width, facts.height)  # before the decoder: it decodes whole
    with refused("JPEG XL"):
        is_jpeg, header, pixels, icc, _ = Decoder(num_threads=_NO_THREADS)(Window(reader).read())
        if is_jpeg:
            return jpeg.decode(Window(Held(pixels), ending=JPEG_END), orientation=facts.orientation)
        check_pixels(header.width, header.height)
        mode = {"F;16": "F"}.get(header.mode, header.mode)
        image = Image.frombytes(mode, (header.width, header.height), pixels)
    small = modes.plain(image, by=reduction(*image.size))
    transfer = {Hdr.PQ: tone.PQ, Hdr.HLG: tone.HLG}.get(facts.hdr) if facts.hdr else None
    if transfer is not None:
        shown = tone.to_srgb(np.asarray(small.convert("RGB")), transfer=transfer, primaries=tone.BT2020)
        small = Image.fromarray(shown)
    return Decoded(
        image=small,
        orientation=1,
        icc=None if transfer is not None else icc or None,
        width=header.width,
        height=header.height,
        bit_depth=facts.bit_depth,
    )
