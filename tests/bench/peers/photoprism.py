"""What PhotoPrism's indexer does to one photo, without its database and TensorFlow.

SHA-1, one ExifTool process a file, heif-convert first for HEIC, then libvips: fit_1920
and fit_720 from the original, the smaller ones from those, JPEG quality 83, progressive
and optimised (internal/thumb/sizes.go, vips.go, internal/photoprism/convert_*.go).

    photoprism.py WORKERS OUT FILE...       its default is half as many workers as cores
"""

import hashlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyvips

QUALITY = 83
QUALITY_SMALL = 78  # below 150 pixels


def digest(file: Path) -> str:
    sha1 = hashlib.sha1(usedforsecurity=False)
    with file.open("rb") as content:
        while chunk := content.read(32 * 1024):
            sha1.update(chunk)
    return sha1.hexdigest()


def saved(picture: pyvips.Image, target: str, quality: int = QUALITY) -> bytes:
    content = picture.jpegsave_buffer(Q=quality, optimize_coding=True, interlace=True, keep="none")
    Path(target).write_bytes(content)
    return bytes(content)


def fitted(file: str, width: int, height: int) -> pyvips.Image:
    return pyvips.Image.new_from_file(file).autorot().thumbnail_image(width, height=height, size="down")


def tile(source: bytes, side: int, crop: str) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(source, "").thumbnail_image(side, height=side, crop=crop)


def index(file: Path, out: Path) -> None:
    stem = str(out / digest(file))
    shutil.copyfile(file, stem + file.suffix)
    command = ["exiftool", "-n", "-m", "-api", "LargeFileSupport", "-j", str(file)]
    Path(stem + ".json").write_bytes(subprocess.run(command, capture_output=True, check=False).stdout)
    readable = str(file)
    if file.suffix.lower() in {".heic", ".heif"}:
        readable = stem + ".heic.jpg"
        subprocess.run(["heif-convert", "-q", "83", str(file), readable], stdout=subprocess.DEVNULL, check=True)
    large = saved(fitted(readable, 1920, 1200), stem + "_1920.jpg")
    middle = saved(fitted(readable, 720, 720), stem + "_720.jpg")
    saved(pyvips.Image.new_from_buffer(large, "").thumbnail_image(1280, height=1024, size="down"), stem + "_1280.jpg")
    saved(tile(large, 500, "centre"), stem + "_tile_500.jpg")
    for name, side, crop in (
        ("tile_224", 224, "centre"),
        ("left_224", 224, "low"),
        ("right_224", 224, "high"),
        ("tile_100", 100, "centre"),
        ("tile_50", 50, "centre"),
    ):
        saved(tile(middle, side, crop), f"{stem}_{name}.jpg", QUALITY if side >= 150 else QUALITY_SMALL)
    colors = pyvips.Image.new_from_buffer(middle, "").thumbnail_image(3, height=3, size="force")
    colors.pngsave(stem + "_colors.png")


def main() -> None:
    workers, out, files = int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]]
    out.mkdir(parents=True, exist_ok=True)
    pyvips.cache_set_max(0)
    with ThreadPoolExecutor(workers) as pool:
        print(len(list(pool.map(lambda file: index(file, out), files))))


if __name__ == "__main__":
    main()
