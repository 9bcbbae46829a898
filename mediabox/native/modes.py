"""Bring any Pillow mode to what renditions are made from: L or RGB, 8 bit, no alpha, scaled down by whole boxes."""

import numpy as np
from PIL import Image

_DEEP = frozenset(("I", "F", "I;16", "I;16B", "I;16L", "I;16N"))


def plain(image: Image.Image, *, by: int = 1) -> Image.Image:
    """`image` reduced `by` times on each side, as L or RGB; transparent parts become white."""
    image = _eight_bit(image)
    if by > 1:
        image = image.reduce(by)  # premultiplies, so hidden colours do not bleed
    if image.mode != "RGBA":
        return image
    paper = Image.new("RGB", image.size, (255, 255, 255))
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP:
        return _grey(image)
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    match image.mode:
        case "L" | "RGB":
            return image
        case "1":
            return image.convert("L")
        case _:
            return image.convert("RGB")


def _grey(image: Image.Image) -> Image.Image:
    """16 bit by its range; wider integers and floats from darkest to brightest: they have no range of their own."""
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((values >> 8).astype(np.uint8))
    floats = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(floats.min()), float(floats.max())
    if image.mode == "I" and low >= 0 and high <= 65_535:
        low, high = 0.0, 65_535.0
    scaled = (floats - low) * (255.0 / (high - low)) if high > low else np.zeros_like(floats)
    return Image.fromarray(scaled.astype(np.uint8))
