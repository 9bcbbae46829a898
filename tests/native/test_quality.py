"""The figures order pictures the way a person would."""

import time

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter
from scenes import scene

from mediabox.native.analysers.quality import quality


def detailed(seed: int = 5) -> Image.Image:
    blocks = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (63, 84), dtype=np.uint8))
    return blocks.resize((336, 252), Image.Resampling.BICUBIC)


def test_a_blurred_copy_is_less_sharp() -> None:
    sharp = detailed()

    assert quality(sharp).sharpness > 3 * quality(sharp.filter(ImageFilter.GaussianBlur(3))).sharpness


@pytest.mark.parametrize("sigma", [2, 5, 10])
def test_noise_is_measured_in_shares_of_the_range(sigma: int) -> None:
    random = np.random.default_rng(1)
    noisy = Image.fromarray((128 + random.normal(0, sigma, (252, 336))).clip(0, 255).astype(np.uint8))

    assert quality(noisy).noise == pytest.approx(sigma / 255, rel=0.35)


def test_noise_tells_a_clean_copy_from_a_noisy_one_beside_detail() -> None:
    clean = np.asarray(scene(336, 252).convert("L").filter(ImageFilter.GaussianBlur(2)), dtype=np.float32)
    noisy = clean + np.random.default_rng(1).normal(0, 5, clean.shape)

    assert (
        quality(Image.fromarray(noisy.clip(0, 255).astype(np.uint8))).noise
        > 3 * quality(Image.fromarray(clean.astype(np.uint8))).noise
    )


def test_exposure_is_the_mean_luma() -> None:
    assert quality(Image.new("L", (100, 80), 51)).exposure == pytest.approx(0.2, abs=0.001)
    assert quality(ImageEnhance.Brightness(scene(336, 252)).enhance(1.3)).exposure > quality(scene(336, 252)).exposure


def test_clipped_is_the_share_at_either_end() -> None:
    image = Image.new("L", (100, 100), 128)
    image.paste(0, (0, 0, 100, 10))
    image.paste(255, (0, 90, 100, 100))

    assert quality(image).clipped == pytest.approx(0.2)


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (3, 3), (9, 500)])
def test_the_smallest_pictures_have_figures_too(size: tuple[int, int]) -> None:
    assert quality(Image.new("RGB", size, (9, 200, 30))).sharpness >= 0


def test_costs_about_a_millisecond() -> None:
    image = scene(336, 252)
    quality(image)

    start = time.process_time()
    for _ in range(20):
        quality(image)

    assert (time.process_time() - start) / 20 < 0.004  # measured 0.6 ms; a slow board may take four times that
