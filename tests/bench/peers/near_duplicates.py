"""Find pictures that look alike with the public libraries for it.

    near_duplicates.py czkawka|imagehash|libphash|difpy FOLDER WITHIN_BITS

Prints `{"pairs": [[name, name], ...]}`. czkawka: the Rust engine behind the application,
through its bindings; imagehash: pHash and a BK-tree, the usual Python way; libphash: C;
difpy: pixel differences.
"""

import itertools
import json
import sys
from multiprocessing import Pool
from pathlib import Path

Pairs = set[tuple[str, str]]


def pair(first: object, second: object) -> tuple[str, str]:
    one, other = sorted((Path(str(first)).name, Path(str(second)).name))
    return one, other


def czkawka(folder: Path, within: int) -> Pairs:
    from czkawka import ImageSimilarity

    search = ImageSimilarity()
    search.set_directories([folder])
    search.set_similarity(within)
    return {pair(*two) for group in search.find_similar() for two in itertools.combinations(group, 2)}


def phash(file: str) -> tuple[int, str]:
    import imagehash as library
    from PIL import Image, ImageOps

    return int(str(library.phash(ImageOps.exif_transpose(Image.open(file)))), 16), file


def imagehash(folder: Path, within: int) -> Pairs:
    import pybktree

    with Pool(2) as pool:
        hashed = pool.map(phash, sorted(str(file) for file in folder.iterdir()))
    files: dict[int, list[str]] = {}
    for value, file in hashed:
        files.setdefault(value, []).append(file)
    tree = pybktree.BKTree(lambda one, other: (one ^ other).bit_count(), files)
    return {
        pair(file, other)
        for value, file in hashed
        for _, found in tree.find(value, within)
        for other in files[found]
        if other != file
    }


def libphash(folder: Path, within: int) -> Pairs:
    import libphash as library

    results = library.hash_files(sorted(str(file) for file in folder.iterdir()), threads=2)
    hashed = [(int(next(iter(result.hashes.values()))), result.source) for result in results]
    return {
        pair(file, other)
        for (value, file), (second, other) in itertools.combinations(hashed, 2)
        if (value ^ second).bit_count() <= within
    }


def difpy(folder: Path, within: int) -> Pairs:
    import difPy as library  # noqa: N813

    del within
    built = library.build(str(folder), show_progress=False, processes=2)
    found = library.search(
        built, similarity="similar", rotate=False, same_dim=False, show_progress=False, processes=2
    ).result
    return {pair(file, match[0]) for file, matches in found.items() for match in matches}


def main() -> None:
    method, folder, within = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    search = {"czkawka": czkawka, "imagehash": imagehash, "libphash": libphash, "difpy": difpy}[method]
    print(json.dumps({"pairs": sorted(search(folder, within))}))


if __name__ == "__main__":
    main()
