"""HDR on a normal screen: neither washed out nor cut off, and grey stays grey."""

import numpy as np
import pytest
from PIL import Image
from scenes import psnr, scene

from mediabox.native import tone
from mediabox.native.colour import BT2020, HLG, P3_D65, PQ
from mediabox.native.heif_items import Nclx


def grey(signal: float, *, transfer: int = PQ) -> int:
    code = np.full((1, 1, 3), round(signal * 65535), dtype=np.uint16)
    shown = tone.to_srgb(code, transfer=transfer, primaries=BT2020)
    assert int(shown.max()) - int(shown.min()) <= 1
    return int(shown[0, 0, 1])


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_brighter_is_never_darker(transfer: int) -> None:
    shown = [grey(step / 60, transfer=transfer) for step in range(61)]

    assert shown == sorted(shown)
    assert shown[0] == 0
    assert shown[-1] == 255


def test_diffuse_white_is_bright_but_leaves_room_for_highlights() -> None:
    assert 215 <= grey(0.5807) <= 245  # 203 cd/m2, ITU-R BT.2408
    assert 215 <= grey(0.75, transfer=HLG) <= 245
    assert grey(0.5807) < grey(0.66) < grey(0.74) <= 255


def test_the_middle_keeps_its_place() -> None:
    """18 % grey of a 203 cd/m2 white, 36.5 cd/m2, is 118 of 255 in sRGB."""
    assert grey(0.4085) == pytest.approx(118, abs=3)


@pytest.mark.parametrize("primaries", [BT2020, P3_D65])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_colours_outside_srgb_keep_their_hue(primaries: int, channel: int) -> None:
    code = np.zeros((1, 1, 3), dtype=np.uint16)
    code[..., channel] = 36_000

    shown = tone.to_srgb(code, transfer=PQ, primaries=primaries)[0, 0].astype(int)

    assert shown.argmax() == channel
    assert shown[channel] > 120


def test_eight_and_sixteen_bits_agree() -> None:
    ramp = np.repeat(np.arange(0, 256, dtype=np.uint8)[None, :, None], 3, axis=2)

    shallow = tone.to_srgb(ramp, transfer=PQ, primaries=BT2020).astype(int)
    deep = tone.to_srgb(ramp.astype(np.uint16) * 257, transfer=PQ, primaries=BT2020).astype(int)

    assert np.abs(shallow - deep).max() <= 3


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_the_table_for_eight_bits_is_near_the_exact_way(transfer: int) -> None:
    picture = scene(320, 240)

    shown, _ = tone.shown(picture, coding=Nclx(BT2020, transfer, 0, is_full_range=True), icc=None)

    exact = tone.to_srgb(np.asarray(picture), transfer=transfer, primaries=BT2020)
    assert psnr(shown, Image.fromarray(exact)) > 40  # colours far outside sRGB; photos: 50 dB


def test_rows_are_all_done_whatever_their_number() -> None:
    pixels = np.full((tone._ROWS * 2 + 3, 5, 3), 30_000, dtype=np.uint16)

    shown = tone.to_srgb(pixels, transfer=HLG, primaries=BT2020)

    assert np.unique(shown[..., 1]).size == 1
