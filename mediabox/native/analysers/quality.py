"""Figures that let two alike pictures be compared: the sharper, better exposed, cleaner one is kept.

Measured on the luma of the thumbnail: what cannot be seen there does not decide.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mediabox.model.facts import Quality

_DARKEST, _BRIGHTEST = 4, 251  # codes at and beyond which a pixel counts as clipped
_FLAT_SHARE = 4  # the calmest quarter of the rows' blocks tells the noise
_BLOCK = 8


def quality(upright: Image.Image) -> Quality:
    """Under a millisecond for a 336 x 252 picture. A picture smaller than 3 x 3 has neither sharpness nor noise."""
    luma = np.asarray(upright if upright.mode == "L" else upright.convert("L"))
    histogram = np.bincount(luma.ravel(), minlength=256)
    clipped = int(histogram[: _DARKEST + 1].sum() + histogram[_BRIGHTEST:].sum())
    sharpness, noise = _detail(luma) if min(luma.shape) >= 3 else (0.0, 0.0)
    return Quality(
        sharpness=round(sharpness, 2),
        exposure=round(float(histogram @ np.arange(256)) / (255 * luma.size), 4),
        clipped=round(clipped / luma.size, 4),
        noise=round(noise, 5),
    )


def _detail(luma: NDArray[np.uint8]) -> tuple[float, float]:
    """Variance of the Laplacian; standard deviation of the residue after a 1-2-1 blur, in the calmest blocks."""
    values = luma.astype(np.int16)
    rows = values[:-2] + values[2:] - 2 * values[1:-1]  # second derivatives
    columns = values[:, :-2] + values[:, 2:] - 2 * values[:, 1:-1]
    laplacian = rows[:, 1:-1] + columns[1:-1]
    cross = (rows[:, :-2] + rows[:, 2:] - 2 * rows[:, 1:-1]).astype(np.float32)  # Immerkaer's operator, CVIU 64 (1996)
    height, width = cross.shape[0] // _BLOCK * _BLOCK, cross.shape[1] // _BLOCK * _BLOCK
    sharpness = float(np.var(laplacian, dtype=np.float32))
    if not height or not width:
        return sharpness, 0.0
    cross = cross[:height, :width]
    np.abs(cross, out=cross)
    blocks = cross.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).mean(axis=(1, 3)).ravel()
    calm = np.partition(blocks, (blocks.size - 1) // _FLAT_SHARE)[: (blocks.size - 1) // _FLAT_SHARE + 1]
    return sharpness, float(calm.mean()) * _SIGMA


_SIGMA = float(np.sqrt(np.pi / 2)) / 6 / 255  # mean absolute response of the operator to noise, as a share of the range
