"""Our decode and renditions against the bare kernels of the standard bundle, paired, in one process.

    python tests/bench/decode.py [FILE ...]

The kernels are the floor the public libraries allow for a 12 MP JPEG: half-size decode,
preview q80, box reduce, WebP thumbnail, 32 x 32 grey. Ours does that and also orientation,
profile, damage, hash with rotations and quality. Without files, pictures are made: real
enough in size and detail for Huffman decoding to weigh what it weighs in a camera's JPEG.
Prints one JSON line: CPU ms per asset (medians) and the median of the paired ratios.
"""

import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.native import pixels
from mediabox.native.tags.reader import Reader

ROUNDS = 5
MADE = 6


def kernels(path: str) -> None:
    """The floor, without hashing and writes."""
    with open(path, "rb") as file:
        image = Image.open(io.BytesIO(file.read()))
    scale = max(n for n in (1, 2, 4, 8) if min(image.size) // n >= 1440 or n == 1)
    image.draft("RGB", (image.size[0] // scale, image.size[1] // scale))
    image.load()
    image.save(io.BytesIO(), "JPEG", quality=80, subsampling=2)
    thumbnail = image.reduce(max(1, min(image.size) // 250))
    thumbnail.save(io.BytesIO(), "WEBP", quality=80, method=2)
    np.asarray(thumbnail.convert("L").resize((32, 32), Image.Resampling.BILINEAR))


def ours(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        pixels.examine(Reader(descriptor), Facts(kind=Kind.PICTURE, media_type="image/jpeg"))
    finally:
        os.close(descriptor)


def cpu_ms(work: Callable[[str], None], path: str) -> float:
    start = time.process_time()
    work(path)
    return (time.process_time() - start) * 1000


def made(folder: Path) -> list[str]:
    """12 MP JPEGs of about 3 MB: smooth shapes under sensor noise, seeded."""
    paths = []
    for seed in range(MADE):
        random = np.random.default_rng(seed)
        coarse = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        picture = np.asarray(Image.fromarray(coarse).resize((4032, 3024), Image.Resampling.BICUBIC), dtype=np.int16)
        picture = picture + random.normal(0, 6, picture.shape).astype(np.int16)
        path = folder / f"{seed}.jpg"
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path, quality=88, subsampling=2)
        paths.append(str(path))
    return paths


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = arguments or made(Path(folder))
        for path in paths:  # first use loads plug-ins and tables
            kernels(path)
            ours(path)
        pairs = [
            (cpu_ms(kernels, path), cpu_ms(ours, path))
            if turn % 2
            else tuple(reversed((cpu_ms(ours, path), cpu_ms(kernels, path))))
            for turn in range(ROUNDS)
            for path in paths
        ]
    print(
        json.dumps(
            {
                "assets": len(paths),
                "kernels_cpu_ms": round(median(pair[0] for pair in pairs), 2),
                "ours_cpu_ms": round(median(pair[1] for pair in pairs), 2),
                "ours_over_kernels": round(median(pair[1] / pair[0] for pair in pairs), 3),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
