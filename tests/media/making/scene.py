"""Invented landscapes: enough shape that two look different, enough texture that coders have work.

Everything is drawn from a seed; nothing is taken from a real photo.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Pixels = npt.NDArray[np.float32]


def sky(width: int, height: int, chance: np.random.Generator) -> Pixels:
    """float32[height, width, 3], 0 to 255, RGB: a gradient from the zenith to the horizon."""
    zenith, horizon = chance.uniform(20, 150, 3), chance.uniform(140, 250, 3)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * chance.uniform(-30, 30)
    return np.asarray(zenith * (1 - down) + horizon * down + across, dtype=np.float32)


def ridge(width: int, chance: np.random.Generator, roughness: float) -> Pixels:
    """float32[width], -1 to 1: a skyline as a sum of waves."""
    along = np.linspace(0, 2 * np.pi, width, dtype=np.float32)
    line = np.zeros(width, dtype=np.float32)
    for octave in range(1, 7):
        line += np.sin(along * octave * chance.uniform(0.4, 1.4) + chance.uniform(0, 6.28)) / octave**roughness
    return np.asarray(line / np.abs(line).max(), dtype=np.float32)


def landscape(width: int, height: int, seed: int) -> Image.Image:
    """An RGB picture of the given size, the same for the same seed and size."""
    chance = np.random.default_rng(seed)
    pixels = sky(width, height, chance)
    rows = np.arange(height, dtype=np.float32)[:, None]
    for layer in range(int(chance.integers(2, 5))):
        base = height * chance.uniform(0.35 + 0.12 * layer, 0.5 + 0.14 * layer)
        line = base + ridge(width, chance, chance.uniform(0.7, 1.6)) * height * chance.uniform(0.05, 0.22)
        color = chance.uniform(10, 200, 3) * (0.9 - 0.15 * layer)
        ground = rows > line[None, :]
        pixels[ground] = color + (rows - line[None, :])[ground][:, None] * chance.uniform(-0.3, 0.3)
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    if chance.random() < 0.7:  # a sun or a moon
        x, y, radius = chance.uniform(0.1, 0.9) * width, chance.uniform(0.08, 0.3) * height, height * 0.07
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 244, int(chance.integers(150, 240))))
    for _ in range(int(chance.integers(3, 14))):  # houses and trees
        x, top = chance.uniform(0, 1) * width, chance.uniform(0.45, 0.8) * height
        wide, high = chance.uniform(0.03, 0.12) * width, chance.uniform(0.06, 0.3) * height
        red, green, blue = (int(part) for part in chance.integers(10, 230, 3))
        if chance.random() < 0.5:
            draw.rectangle((x, top, x + wide, top + high), fill=(red, green, blue))
        else:
            draw.polygon(((x, top + high), (x + wide / 2, top), (x + wide, top + high)), fill=(red, green, blue))
    return grain(picture.filter(ImageFilter.GaussianBlur(width / 640)), seed, 3.0)


def grain(picture: Image.Image, seed: int, strength: float) -> Image.Image:
    """The picture with sensor noise; `strength` is its standard deviation in levels of 255."""
    noise = np.random.default_rng(seed + 1).standard_normal((picture.height, picture.width, 1)) * strength
    return Image.fromarray(np.clip(np.asarray(picture, dtype=np.float32) + noise, 0, 255).astype(np.uint8))


def screen(width: int, height: int) -> Image.Image:
    """Flat areas and hard edges, as a screenshot has them."""
    picture = Image.new("RGB", (width, height), (246, 246, 248))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width, height // 12), fill=(0, 92, 200))
    for line in range(9):
        top = height // 6 + line * height // 12
        draw.rectangle(
            (width // 12, top, width // 12 + (line * 37 % 60 + 30) * width // 100, top + 6), fill=(70, 70, 76)
        )
    draw.rounded_rectangle((width // 3, height * 10 // 12, width * 2 // 3, height * 11 // 12), 8, fill=(52, 168, 83))
    return picture


def pan(width: int, height: int, seed: int, frames: int) -> list[Image.Image]:
    """Frames of a camera moving slowly over one landscape."""
    wide = landscape(width * 3 // 2, height, seed)
    step = (wide.width - width) / max(frames - 1, 1)
    return [wide.crop((round(n * step), 0, round(n * step) + width, height)) for n in range(frames)]
