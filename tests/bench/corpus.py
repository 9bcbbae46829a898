"""Make a repeatable corpus for measuring, from a folder of real photos. Nothing is fetched.

    corpus.py --photos FOLDER --out FOLDER [--jpeg 200] [--near 60] [--exact 20] [--heic 16] [--clips 9]

What is made:

- `jpeg/`   12-megapixel baseline 4:2:0 pictures, as a phone writes them: a random crop of
            a real photo, scaled up, sensor noise on top, camera EXIF with a thumbnail.
            The noise matters: without it the entropy coder, more than half of all the
            work there is, has nothing to do.
- `heic/`   real phone pictures, each made unique without touching a coded pixel (another
            capture date, one trailing `free` box), so decoding costs what it costs.
- `near/`   pictures that look like one of `jpeg/`, in five ways; `exact/` byte copies.
- `clips/`  H.264 and HEVC, 1080p, the bit rate of a phone, a slow pan with noise and sound.
- `truth.json`  which file of `near/` and `exact/` belongs to which original, and which
            photo each picture was cut from.

The same seed and the same library versions give the same pixels. A file that is there
already is kept, so the script can be stopped and run again, or asked for more.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import piexif
import pillow_heif
from PIL import Image, ImageEnhance, ImageOps, ImageStat

pillow_heif.register_heif_opener()

CAMERAS = (
    ("Apple", "iPhone 13 Pro"),
    ("Apple", "iPhone 15 Pro"),
    ("samsung", "SM-S906U"),
    ("Google", "Pixel 7"),
    ("Canon", "Canon EOS R6"),
    ("NIKON CORPORATION", "NIKON Z 6"),
)
LEAST_CONTRAST = 20  # levels; a black frame or a wall is no photo, and nothing to cut
NEAR_KINDS = ("recompressed", "half_size", "cropped", "brighter", "messenger")


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """One picture to be made. `seed` alone decides its pixels and its metadata."""

    photo: Path
    target: Path
    width: int
    height: int
    seed: int


@lru_cache(maxsize=3)
def upright(photo: Path) -> Image.Image:
    """The photo as seen, landscape, RGB."""
    with Image.open(photo) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    return picture.transpose(Image.Transpose.ROTATE_90) if picture.height > picture.width else picture


def contrast(picture: Image.Image) -> float:
    """Standard deviation of the luma, in levels of 255."""
    return float(ImageStat.Stat(picture.convert("L")).stddev[0])


Place = tuple[float, float, float, float]  # left, top, right, bottom, in pixels


def places(picture: Image.Image, shot: Shot, chance: random.Random) -> Iterator[Place]:
    """Random parts of the picture in the shot's proportions; no end."""
    while True:
        width = min(picture.width, picture.height * shot.width / shot.height) * chance.uniform(0.45, 0.95)
        height = width * shot.height / shot.width
        left, top = chance.uniform(0, picture.width - width), chance.uniform(0, picture.height - height)
        yield left, top, left + width, top + height


def shows_something(picture: Image.Image, place: Place) -> bool:
    """A cut of mere sky looks like every other."""
    return contrast(picture.resize((64, 48), Image.Resampling.BILINEAR, box=place)) > LEAST_CONTRAST


def cut(shot: Shot, chance: random.Random) -> Image.Image:
    """A random 4:3 part of the photo, mirrored now and then, at full size, with sensor noise."""
    picture = upright(shot.photo)
    place = next(place for place in places(picture, shot, chance) if shows_something(picture, place))
    part = picture.resize((shot.width, shot.height), Image.Resampling.BICUBIC, box=place)
    if chance.random() < 0.3:
        part = ImageOps.mirror(part)
    noise = np.random.default_rng(shot.seed).standard_normal((shot.height, shot.width), dtype=np.float32)
    pixels = np.asarray(part, dtype=np.int16) + np.rint(noise * chance.uniform(2.5, 5.0)).astype(np.int16)[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def sexagesimal(degrees: float) -> tuple[tuple[int, int], ...]:
    """EXIF's three rationals; seconds to a hundredth."""
    hundredths = round(abs(degrees) * 360_000)
    return (hundredths // 360_000, 1), (hundredths // 6_000 % 60, 1), (hundredths % 6_000, 100)


def camera_exif(chance: random.Random, thumbnail: bytes) -> bytes:
    """An APP1 payload of a phone's size: camera, lens, exposure, time with zone, place, maker note, thumbnail."""
    make, model = chance.choice(CAMERAS)
    taken = (
        f"20{chance.randint(12, 25):02d}:{chance.randint(1, 12):02d}:{chance.randint(1, 28):02d} "
        f"{chance.randint(0, 23):02d}:{chance.randint(0, 59):02d}:{chance.randint(0, 59):02d}"
    )
    latitude, longitude = chance.uniform(-60, 70), chance.uniform(-180, 180)
    first, exif, gps = piexif.ImageIFD, piexif.ExifIFD, piexif.GPSIFD
    tags = {
        "0th": {
            first.Make: make,
            first.Model: model,
            first.Orientation: chance.choice((1, 1, 1, 1, 6, 8, 3)),
            first.DateTime: taken,
            first.XResolution: (72, 1),
            first.YResolution: (72, 1),
        },
        "Exif": {
            exif.DateTimeOriginal: taken,
            exif.DateTimeDigitized: taken,
            exif.OffsetTimeOriginal: "+02:00",
            exif.SubSecTimeOriginal: f"{chance.randint(0, 999):03d}",
            exif.ExposureTime: (1, chance.choice((30, 60, 125, 500, 2000))),
            exif.FNumber: (18, 10),
            exif.ISOSpeedRatings: chance.choice((50, 100, 400, 1600)),
            exif.FocalLength: (57, 10),
            exif.LensModel: f"{model} back camera",
            exif.MakerNote: chance.randbytes(1400),
        },
        "GPS": {
            gps.GPSLatitudeRef: "N" if latitude >= 0 else "S",
            gps.GPSLatitude: sexagesimal(latitude),
            gps.GPSLongitudeRef: "E" if longitude >= 0 else "W",
            gps.GPSLongitude: sexagesimal(longitude),
            gps.GPSAltitudeRef: 0,
            gps.GPSAltitude: (chance.randint(0, 3000), 1),
        },
        "1st": {first.Compression: 6},
        "thumbnail": thumbnail,
    }
    return bytes(piexif.dump(tags))


def shoot(shot: Shot) -> None:
    """Write one camera picture."""
    if shot.target.exists():
        return
    chance = random.Random(shot.seed)
    picture = cut(shot, chance)
    small = io.BytesIO()
    picture.resize((160, 120), Image.Resampling.BILINEAR).save(small, "JPEG", quality=75)
    quality = chance.choice((90, 91, 93, 94))
    partial = shot.target.with_suffix(".part")
    picture.save(partial, "JPEG", quality=quality, subsampling=2, exif=camera_exif(chance, small.getvalue()))
    partial.replace(shot.target)


def disguise(original: Path, target: Path, kind: str) -> None:
    """Write a picture that looks like `original`. `messenger` loses all metadata and is turned upright, as chats do."""
    if target.exists():
        return
    with Image.open(original) as picture:
        exif = picture.info.get("exif", b"")
        width, height = picture.size
        match kind:
            case "recompressed":
                picture.save(target, "JPEG", quality=75, exif=exif)
            case "half_size":
                half = picture.resize((width // 2, height // 2), Image.Resampling.LANCZOS)
                half.save(target, "JPEG", quality=88, exif=exif)
            case "cropped":
                edge_x, edge_y = int(width * 0.015), int(height * 0.015)
                picture.crop((edge_x, edge_y, width - edge_x, height - edge_y)).save(target, "JPEG", quality=90)
            case "brighter":
                ImageEnhance.Brightness(picture).enhance(1.12).save(target, "JPEG", quality=90)
            case "messenger":
                small = ImageOps.exif_transpose(picture)
                small.thumbnail((1600, 1600))
                small.info.pop("exif", None)
                small.save(target, "JPEG", quality=70, exif=b"")
            case _:
                raise ValueError(kind)


def distinguish(photo: Path, target: Path, number: int) -> None:
    """A HEIC with the same coded pixels and another digest: dates rewritten in place, one `free` box at the end."""
    date = f"20{10 + number % 15}:{1 + number % 12:02d}:{1 + number % 28:02d} {number % 24:02d}:{number % 60:02d}:00"
    content = re.sub(rb"(?:19|20)\d\d:\d\d:\d\d \d\d:\d\d:\d\d", date.encode(), photo.read_bytes())
    note = f"corpus {number:06d}".encode()
    target.write_bytes(content + struct.pack(">I4s", 8 + len(note), b"free") + note)


def vary(original: Path, target: Path, number: int) -> None:
    """A JPEG with the same coded pixels and another digest: one comment segment after the start marker."""
    content = original.read_bytes()
    note = f"corpus {number:06d}".encode()
    target.write_bytes(content[:2] + struct.pack(">HH", 0xFFFE, 2 + len(note)) + note + content[2:])


def film(still: Path, target: Path, number: int, *, height: int = 1080) -> None:
    """A clip of 6 to 10 s panning over the picture, with noise and a tone."""
    if target.exists():
        return
    seconds, width = 6 + number % 5, height * 16 // 9
    if target.suffix == ".mp4":
        coder = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "16M"]
    else:
        coder = ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-b:v", "8M"]
        coder += ["-x265-params", "log-level=none"]
    pan = (
        f"crop=w=iw*0.62:h=iw*0.62*9/16:x=(iw-ow)*t/{seconds}:y=(ih-oh)*(0.5+0.4*sin(t)),"
        f"scale={width}:{height}:flags=fast_bilinear,noise=alls=6:allf=t:all_seed={number + 1},format=yuv420p"
    )
    partial = target.with_name("part-" + target.name)
    picture = ["-loop", "1", "-framerate", "30", "-t", str(seconds), "-noautorotate", "-i", str(still)]
    tone = ["-f", "lavfi", "-t", str(seconds), "-i", f"sine=frequency={200 + 20 * number}"]
    made = f"creation_time=20{15 + number % 10}-0{1 + number % 9}-1{number % 10}T12:00:00Z"
    sound = ["-c:a", "aac", "-b:a", "96k", "-metadata", made, "-shortest"]
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *picture, *tone, "-vf", pan, *coder, *sound, str(partial)]
    subprocess.run(command, check=True)
    partial.replace(target)


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    photos: tuple[Path, ...]
    phone_heic: tuple[Path, ...]


def sources(folder: Path, *, least_megapixels: float, skip: str) -> Sources:
    """Photos large enough to cut from, each once, and HEIC of about 12 megapixels as phones write them."""
    photos, phone_heic = [], []
    seen: set[bytes] = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in {".jpg", ".jpeg", ".heic"} or fnmatch(str(path), skip):
            continue
        try:
            with Image.open(path) as picture:
                megapixels = picture.width * picture.height / 1e6
                picture.draft("RGB", (512, 512))
                small = picture.convert("RGB").resize((64, 64))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue  # a folder of real photos has damaged ones, too
        if contrast(small) < LEAST_CONTRAST or small.tobytes() in seen:
            continue
        seen.add(small.tobytes())
        if least_megapixels <= megapixels <= 30:
            photos.append(path)
        if path.suffix.lower() == ".heic" and 11 < megapixels < 13 and path.stat().st_size > 500_000:
            phone_heic.append(path)
    return Sources(photos=tuple(photos), phone_heic=tuple(phone_heic))


def make(options: argparse.Namespace) -> None:
    out: Path = options.out
    for name in ("jpeg", "heic", "near", "exact", "clips"):
        (out / name).mkdir(parents=True, exist_ok=True)
    found = sources(options.photos, least_megapixels=options.least_megapixels, skip=options.skip)
    if not found.photos:
        raise SystemExit(f"no photo of {options.least_megapixels} megapixels or more under {options.photos}")
    width, height = (int(side) for side in options.size.split("x"))
    shots = [
        Shot(
            photo=found.photos[number % len(found.photos)],
            target=out / "jpeg" / f"IMG_{number:04d}.JPG",
            width=width,
            height=height,
            seed=options.seed * 100_003 + number,
        )
        for number in range(options.jpeg)
    ]
    near = [(shots[number * 7 % len(shots)], NEAR_KINDS[number % 5]) for number in range(options.near)]
    copies = [shots[number * 13 % len(shots)] for number in range(options.exact)]
    disguises = [(shot.target, out / "near" / f"{shot.target.stem}_{kind}.jpg", kind) for shot, kind in near]
    with ProcessPoolExecutor(options.jobs) as pool:
        list(pool.map(shoot, sorted(shots, key=lambda shot: shot.photo), chunksize=4))
        list(pool.map(disguise, *zip(*disguises, strict=True)) if disguises else ())
    pairs = [[target.name, original.name, kind] for original, target, kind in disguises]
    for number, shot in enumerate(copies):
        target = out / "exact" / f"copy_{number:03d}.jpg"
        shutil.copyfile(shot.target, target)
        pairs.append([target.name, shot.target.name, "exact"])
    truth = {"pairs": pairs, "photo": {shot.target.name: shot.photo.name for shot in shots}}
    (out / "truth.json").write_text(json.dumps(truth, indent=1))
    for number in range(options.heic if found.phone_heic else 0):
        source = found.phone_heic[number % len(found.phone_heic)]
        distinguish(source, out / "heic" / f"IMG_{9000 + number}.HEIC", number)
    for number in range(options.clips):
        name = f"VID_{number:03d}.{'mp4' if number % 2 == 0 else 'mov'}"
        film(shots[number * 11 % len(shots)].target, out / "clips" / name, number, height=options.clip_height)
    print(f"{len(shots)} pictures from {len(found.photos)} photos, {len(found.phone_heic)} HEIC sources, in {out}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for name, number in (("jpeg", 200), ("near", 60), ("exact", 20), ("heic", 16), ("clips", 9)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--size", default="4032x3024")
    parser.add_argument("--clip-height", type=int, default=1080)
    parser.add_argument("--least-megapixels", type=float, default=7.5)
    parser.add_argument("--skip", default="*corrupt*", help="a pattern of paths not to use")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=1)
    make(parser.parse_args())


if __name__ == "__main__":
    main()
