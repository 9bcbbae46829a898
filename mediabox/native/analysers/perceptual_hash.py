"""A 64-bit hash that stays nearly the same when a picture is re-encoded, resized, brightened or slightly cropped.

The 8 x 8 lowest frequencies of a 32 x 32 luma (DCT-II), each against their median; the
same recipe as the common `phash`, but the rotations are worked out exactly from the
same coefficients, so that a copy whose orientation tag was stripped is still found.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE = 32
_KEPT = 8
_MIDDLE = (_KEPT * _KEPT - 2) // 2  # of the 63 frequencies that are not the mean
# Below this the strongest frequency, relative to 255, is noise: a wall, a lens cap, a black frame. Such
# pictures would all be each other's duplicates, so they get no hash. A blurred gradient of 4 codes has 0.01.
FLAT = 0.008
_COSINES = np.array(
    [[math.cos(math.pi * k * (2 * n + 1) / (2 * _SIDE)) for n in range(_SIDE)] for k in range(_KEPT)],
    dtype=np.float32,
)
_ODD = np.where(np.arange(_KEPT) % 2, -1.0, 1.0).astype(np.float32)  # mirroring an axis flips its odd frequencies


def perceptual_hashes(upright: Image.Image) -> tuple[int, ...]:
    """Unsigned 64-bit hashes of the picture upright and turned clockwise by 90, 180 and 270 degrees; () when flat."""
    luma = upright if upright.mode == "L" else upright.convert("L")
    small = np.asarray(luma.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR), dtype=np.float32)
    frequencies = _COSINES @ small @ _COSINES.T  # [vertical, horizontal]
    strength = np.abs(frequencies)
    strength[0, 0] = 0.0
    if strength.max() * 4 / (_SIDE * _SIDE) < FLAT * 255:
        return ()
    turned = frequencies.T
    return (
        _bits(frequencies),
        _bits(turned * _ODD),  # 90 clockwise: transpose, then mirror columns
        _bits(frequencies * _ODD * _ODD[:, None]),
        _bits(turned * _ODD[:, None]),  # 270 clockwise: transpose, then mirror rows
    )


def _bits(frequencies: NDArray[np.floating]) -> int:
    flat = frequencies.ravel()
    median = np.partition(flat[1:], _MIDDLE)[_MIDDLE]  # np.median would import numpy.ma
    return int.from_bytes(np.packbits(flat > median).tobytes(), "big")
