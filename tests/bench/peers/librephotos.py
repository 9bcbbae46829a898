"""What LibrePhotos does to one photo, without Django, its queue and machine learning.

MD5, a throw-away thumbnail to see that the file is valid, three WebP renditions (heights
1080, 500, 250, quality 95) each decoding the original, ExifTool asked once for each tag,
dominant colours (api/thumbnails.py, api/models/file.py, photo.py).

    librephotos.py OUT FILE...
"""

import hashlib
import shutil
import sys
from multiprocessing import Pool
from pathlib import Path

import exiftool
import pyvips
from PIL import Image

TAGS = [
    "File:FileSize",
    "EXIF:FNumber",
    "EXIF:FocalLength",
    "EXIF:ISO",
    "EXIF:ExposureTime",
    "EXIF:Model",
    "EXIF:LensModel",
    "ImageWidth",
    "ImageHeight",
    "EXIF:FocalLengthIn35mmFormat",
    "EXIF:SubjectDistance",
    "EXIF:DigitalZoomRatio",
    "QuickTime:Duration",
    "Rating",
    "EXIF:DateTimeOriginal",
    "QuickTime:CreateDate",
    "Composite:GPSDateTime",
    "Composite:GPSLatitude",
    "Composite:GPSLongitude",
]
HEIGHTS = (1080, 500, 250)
WIDEST = 10_000  # only the height bounds
reader = exiftool.ExifToolHelper(common_args=["-n"], auto_start=True)


def scan(subject: tuple[str, str]) -> None:
    file, out = Path(subject[0]), Path(subject[1])
    md5 = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as content:
        while chunk := content.read(64 * 1024):
            md5.update(chunk)
    stem = str(out / md5.hexdigest())
    shutil.copyfile(file, stem + file.suffix)
    pyvips.Image.thumbnail(str(file), WIDEST, height=200, size="down").avg()
    for height in HEIGHTS:
        rendition = pyvips.Image.thumbnail(str(file), WIDEST, height=height, size="down")
        rendition.write_to_file(f"{stem}_{height}.webp", Q=95)
    for tag in TAGS:
        reader.execute(f"-{tag}", "-j", str(file))
    Image.open(f"{stem}_{HEIGHTS[-1]}.webp").convert("RGB").quantize(4).getpalette()


def main() -> None:
    out, files = sys.argv[1], sys.argv[2:]
    Path(out).mkdir(parents=True, exist_ok=True)
    with Pool(2) as pool:
        print(len(list(pool.imap_unordered(scan, [(file, out) for file in files]))))


if __name__ == "__main__":
    main()
