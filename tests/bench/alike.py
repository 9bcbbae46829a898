"""Find pictures that look alike in a folder with our own hash and index, and nothing else of the house.

    alike.py FOLDER WITHIN_BITS        prints `{"pairs": [[name, name], ...]}`, as `peers/near_duplicates.py` does

Inside the main job the hash comes from the thumbnail and costs half a millisecond; here
it pays for its own decode, at an eighth of the size and in grey.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageOps

from mediabox.core.alike import HashIndex
from mediabox.native.analysers.perceptual_hash import perceptual_hashes


def hashes(file: Path) -> tuple[int, ...]:
    with Image.open(file) as picture:
        picture.draft("L", (256, 256))
        small = picture.convert("L").reduce(max(1, min(picture.size) // 128))
        return perceptual_hashes(ImageOps.exif_transpose(small))


def main() -> None:
    files, within = sorted(Path(sys.argv[1]).iterdir()), int(sys.argv[2])
    with ThreadPoolExecutor(2) as pool:
        hashed = list(pool.map(hashes, files))
    index = HashIndex()
    pairs = set()
    for identifier, turns in enumerate(hashed):
        for other, _, _ in index.near(turns, within_bits=within):
            pairs.add(tuple(sorted((files[identifier].name, files[other].name))))
        if turns:
            index.add(identifier, turns[0])
    print(json.dumps({"pairs": sorted(pairs)}))


if __name__ == "__main__":
    main()
