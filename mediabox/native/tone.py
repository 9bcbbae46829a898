"""Show high dynamic range on a normal screen: PQ or HLG, wide primaries, to 8-bit sRGB.

Diffuse white (203 cd/m2, ITU-R BT.2408) stays bright, everything up to about 90 cd/m2
keeps its place, and what is brighter is rolled off to white at 1,000 cd/m2 instead of
being cut: the EETF of ITU-R BT.2390, section 5.4.1, on the largest component, so hues
stay. Colours outside sRGB are drawn towards grey of the same luminance.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mediabox.native.colour import BT2020, HLG, P3_D65, P3_DCI, PQ, Nclx, display_p3

WHITE_NITS = 203.0
PEAK_NITS = 1000.0
_ROWS = 128  # rows at a time: the float working set stays a few MB
_CUBE_SIDE = 49  # 65 gives 2 dB more for three times the memory
_SHADES = 16_384  # steps of the table from linear light to sRGB; a step is below one code even in the darks

# Linear RGB of those primaries (all D65) to linear sRGB: SMPTE RP 177 from the chromaticities.
_TO_SRGB = {
    BT2020: ((1.660491, -0.587641, -0.072850), (-0.124550, 1.132900, -0.008349), (-0.018151, -0.100579, 1.118730)),
    P3_D65: ((1.224940, -0.224940, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}
_LUMA = np.array((0.2126, 0.7152, 0.0722), dtype=np.float32)
_LUMA_2020 = np.array((0.2627, 0.6780, 0.0593), dtype=np.float32)


def shown(image: Image.Image, *, coding: Nclx | None, icc: bytes | None) -> tuple[Image.Image, bytes | None]:
    """The picture as a screen can show it, and its profile: tone mapped where it is PQ or HLG.

    Wide colour that is only named by number gets a profile, so that it is not taken for sRGB.
    """
    if coding is None:
        return image, icc
    if coding.transfer in (PQ, HLG):
        return image.convert("RGB").filter(_cube(coding.transfer, coding.primaries)), None
    return image, icc or (display_p3() if coding.primaries == P3_D65 else None)


def to_srgb(pixels: NDArray[np.unsignedinteger], *, transfer: int, primaries: int) -> NDArray[np.uint8]:
    """uint8[height, width, 3] sRGB from full-range RGB of 8 or 16 bits coded with PQ or HLG."""
    shown = np.empty(pixels.shape, dtype=np.uint8)
    for row in range(0, pixels.shape[0], _ROWS):
        shown[row : row + _ROWS] = _rows_to_srgb(pixels[row : row + _ROWS], transfer=transfer, primaries=primaries)
    return shown


@cache
def _cube(transfer: int, primaries: int) -> ImageFilter.Color3DLUT:
    """`to_srgb` as a table for 8-bit pictures: an eighth of the CPU, 50 dB from the exact way."""
    steps = np.linspace(0, 65_535, _CUBE_SIDE).round().astype(np.uint16)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")  # red varies fastest
    codes = np.stack((red, green, blue), axis=-1).reshape(-1, _CUBE_SIDE, 3)
    table = to_srgb(codes, transfer=transfer, primaries=primaries).astype(np.float32) / 255
    return ImageFilter.Color3DLUT(_CUBE_SIDE, table.ravel(), target_mode="RGB")


def _rows_to_srgb(pixels: NDArray[np.unsignedinteger], *, transfer: int, primaries: int) -> NDArray[np.uint8]:
    codes = pixels if pixels.dtype == np.uint8 else pixels >> 4
    table = _decoding(transfer, 256 if pixels.dtype == np.uint8 else 4096)
    light: NDArray[np.float32] = table[codes]  # cd/m2; scene light for HLG
    if transfer == HLG:
        luminance = light @ _LUMA_2020
        light *= (PEAK_NITS * np.maximum(luminance, 1e-6) ** 0.2)[..., None]  # OOTF, gamma 1.2 at 1,000 cd/m2: BT.2100
    nits, gains = _roll_off()
    light *= np.interp(light.max(axis=-1), nits, gains).astype(np.float32)[..., None]
    if primaries in (BT2020, P3_D65, P3_DCI):
        matrix = np.array(_TO_SRGB[BT2020 if primaries == BT2020 else P3_D65], dtype=np.float32)
        light = _inside(light @ matrix.T)
    return _srgb_codes()[(np.clip(light, 0.0, 1.0) * (_SHADES - 1) + 0.5).astype(np.uint16)]


def _inside(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Draw colours with a negative component towards their own grey, just far enough."""
    lowest = light.min(axis=-1)
    grey = np.maximum(light @ _LUMA, 0.0)
    kept = np.where(lowest < 0.0, grey / np.maximum(grey - lowest, 1e-6), 1.0).astype(np.float32)
    inside: NDArray[np.float32] = grey[..., None] + (light - grey[..., None]) * kept[..., None]
    return inside


@cache
def _decoding(transfer: int, codes: int) -> NDArray[np.float32]:
    signal = np.arange(codes, dtype=np.float64) / (codes - 1)
    if transfer == PQ:
        return _pq_to_nits(signal).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073  # BT.2100, table 5
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return scene.astype(np.float32)


@cache
def _roll_off() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Luminance in cd/m2 and what it is multiplied with to be linear sRGB, 1 being white."""
    peak, white = _nits_to_pq(PEAK_NITS), _nits_to_pq(WHITE_NITS)
    signal = np.linspace(0.0, 1.0, 512)[1:]  # of 10,000 cd/m2
    relative = np.minimum(signal / peak, 1.0)
    highest = white / peak
    knee = 1.5 * highest - 0.5
    t = np.clip((relative - knee) / (1 - knee), 0.0, 1.0)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * highest
    shown = np.where(relative < knee, relative, spline) * peak
    nits = _pq_to_nits(signal)
    return nits, _pq_to_nits(shown) / nits / WHITE_NITS


@cache
def _srgb_codes() -> NDArray[np.uint8]:
    light = np.arange(_SHADES) / (_SHADES - 1)
    coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return (coded * 255 + 0.5).astype(np.uint8)


_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128  # SMPTE ST 2084
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def _pq_to_nits(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    root = signal ** (1 / _M2)
    nits: NDArray[np.float64] = 10_000 * (np.maximum(root - _C1, 0.0) / (_C2 - _C3 * root)) ** (1 / _M1)
    return nits


def _nits_to_pq(nits: float) -> float:
    power = (nits / 10_000) ** _M1
    return float(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)
