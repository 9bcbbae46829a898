"""Several pictures in one file, and everything that is not JPEG, HEIC or raw: PNG, WebP, GIF, TIFF, AVIF, JXL, BMP."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pillow_jxl  # noqa: F401  # registers JPEG XL with Pillow
from PIL import Image, ImageOps

from .boxes import Blob, Tag, long, segment, short, tiff, with_segments, xmp_segment
from .exif import Camera, directory, exif, items, xmp
from .pictures import ANDROID, HEIGHT, MIXED, PHONE, SCANS, WIDTH, coded, jpeg
from .scene import landscape, screen
from .shelf import Entry, Shelf


def multi_picture(*pictures: bytes, xmp_of_first: bytes = b"") -> bytes:
    """JPEGs one after another with the index of CIPA DC-007 (MPF) in the first one."""
    entries = len(pictures)

    def index(sizes: list[int], offsets: list[int]) -> bytes:
        table = b"".join(
            struct.pack("<IIIHH", 0x030000 if number == 0 else 0, size, offset, 0, 0)
            for number, (size, offset) in enumerate(zip(sizes, offsets, strict=True))
        )
        tags = struct.pack("<H", 3) + struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
        tags += struct.pack("<HHII", 0xB001, 4, 1, entries) + struct.pack(
            "<HHII", 0xB002, 7, 16 * entries, 8 + 2 + 36 + 4
        )
        return segment(0xE2, b"MPF\0" + b"II*\0" + struct.pack("<I", 8) + tags + b"\0\0\0\0" + table)

    before = xmp_segment(xmp_of_first) if xmp_of_first else b""
    index_length = 4 + 4 + 8 + 2 + 3 * 12 + 4 + 16 * entries  # marker, name, TIFF header, directory, table
    length_of_first = len(pictures[0]) + len(before) + index_length
    sizes = [length_of_first, *(len(picture) for picture in pictures[1:])]
    origin = 2 + len(before) + 4 + 4  # offsets count from the byte-order mark inside the marker
    offsets = [0 if number == 0 else sum(sizes[:number]) - origin for number in range(entries)]
    return with_segments(pictures[0], before, index(sizes, offsets)) + b"".join(pictures[1:])


def paired_inside(shelf: Shelf) -> None:
    """Several JPEGs in one file: MPO and Ultra HDR."""
    left, right = (jpeg(landscape(330, HEIGHT, 131).crop((x, 0, x + WIDTH, HEIGHT)), quality=75) for x in (0, 8))
    shelf.put(
        MIXED + "DSCF0042.MPO",
        multi_picture(left, right),
        Entry(what="stereo pair, CIPA MPF", width=WIDTH, height=HEIGHT, time_source="file_modified", more="frames=2"),
    )
    gain = {"hdrgm:Version": "1.0", "hdrgm:GainMapMax": "2.3", "hdrgm:HDRCapacityMax": "2.3"}
    second = with_segments(jpeg(landscape(80, 60, 132).convert("L")), xmp_segment(xmp(gain)))
    camera = Camera(make="Google", model="Pixel 8", taken="2024:02:11 12:30:45", offset="+01:00")
    first = jpeg(landscape(WIDTH, HEIGHT, 132), camera)
    entries = items(
        'Item:Semantic="Primary" Item:Mime="image/jpeg"',
        f'Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="{len(second)}"',
    )
    shelf.put(
        ANDROID + "PXL_20240211_113045123.jpg",
        multi_picture(first, second, xmp_of_first=xmp({"hdrgm:Version": "1.0"}, entries)),
        Entry(
            what="Ultra HDR: gain map behind the picture",
            width=WIDTH,
            height=HEIGHT,
            taken="2024-02-11T12:30:45",
            offset_min=60,
            time_source="exif_offset",
            more="hdr=ultra_hdr; model=Pixel 8",
        ),
    )


CAMERA = Camera(make="", model="", taken="2024:01:02 03:04:05", offset="+00:00")
SHOT: dict[str, Any] = {"taken": "2024-01-02T03:04:05", "offset_min": 0, "time_source": "exif_offset"}


def drawn(shelf: Shelf) -> None:
    """PNG: with EXIF, screenshots, transparent, 16 bits."""
    shelf.put(
        MIXED + "with exif.png",
        coded(landscape(160, 120, 141).quantize(64), "PNG", exif=exif(CAMERA), optimize=True),
        Entry(what="PNG with an eXIf chunk", media_type="image/png", width=160, height=120, **SHOT),
    )
    shelf.put(
        PHONE + "IMG_0110.PNG",
        coded(screen(234, 506), "PNG", optimize=True),
        Entry(what="phone screenshot", media_type="image/png", width=234, height=506, time_source="file_modified"),
    )
    shelf.put(
        "library/Screenshots/Screenshot_2023-11-05 at 10.45.52.png",
        coded(screen(WIDTH, 200), "PNG", optimize=True),
        Entry(
            what="screenshot named by its time",
            media_type="image/png",
            width=WIDTH,
            height=200,
            taken="2023-11-05T10:45:52",
            time_source="file_name",
        ),
    )
    shelf.put(
        MIXED + "logo.png",
        coded(Image.merge("RGBA", (*screen(64, 64).split(), Image.linear_gradient("L").resize((64, 64)))), "PNG"),
        Entry(what="transparent", media_type="image/png", width=64, height=64, time_source="file_modified"),
    )
    deep = Image.fromarray(np.asarray(landscape(120, 90, 142).convert("L"), dtype=np.uint16) * 257)
    shelf.put(
        MIXED + "deep.png",
        coded(deep, "PNG"),
        Entry(
            what="16-bit grey",
            media_type="image/png",
            width=120,
            height=90,
            time_source="file_modified",
            more="bit_depth=16",
        ),
    )


def web(shelf: Shelf) -> None:
    """WebP, AVIF, JPEG XL, and animations."""
    shelf.put(
        MIXED + "still.webp",
        coded(landscape(WIDTH, HEIGHT, 143), "WEBP", quality=80, exif=exif(CAMERA)),
        Entry(what="WebP with EXIF", media_type="image/webp", width=WIDTH, height=HEIGHT, **SHOT),
    )
    loop = [landscape(96, 72, 144).rotate(step * 5) for step in range(6)]
    for form, suffix, media_type in (
        ("WEBP", "webp", "image/webp"),
        ("GIF", "gif", "image/gif"),
        ("PNG", "apng", "image/apng"),
    ):
        frames = [frame.quantize(32) for frame in loop] if form != "WEBP" else loop
        shelf.put(
            MIXED + f"turning.{suffix}",
            coded(frames[0], form, save_all=True, append_images=frames[1:], duration=100, loop=0),
            Entry(
                what="animation of six frames",
                media_type=media_type,
                width=96,
                height=72,
                time_source="file_modified",
                more="frames=6",
            ),
        )
    shelf.put(
        MIXED + "small.avif",
        coded(landscape(WIDTH, HEIGHT, 145), "AVIF", quality=60, speed=8, exif=exif(CAMERA), max_threads=1),
        Entry(what="AVIF with EXIF", media_type="image/avif", width=WIDTH, height=HEIGHT, **SHOT),
    )
    shelf.put(
        MIXED + "small.jxl",
        coded(landscape(WIDTH, HEIGHT, 146), "JXL", quality=85, exif=exif(CAMERA), num_threads=1),
        Entry(what="JPEG XL with EXIF", media_type="image/jxl", width=WIDTH, height=HEIGHT, **SHOT),
    )


def scanned(shelf: Shelf) -> None:
    """BMP and TIFF."""
    shelf.put(
        SCANS + "slide.bmp",
        coded(landscape(96, 72, 147).quantize(128), "BMP"),
        Entry(what="BMP, 8-bit palette", media_type="image/bmp", width=96, height=72, time_source="file_modified"),
    )
    scan = Camera(make="EPSON", model="Perfection V600", taken="2009:09:09 09:09:09", orientation=6)
    stored = ImageOps.mirror(landscape(96, 128, 148)).transpose(Image.Transpose.ROTATE_90)
    shelf.put(
        SCANS + "negative.tif",
        _deep_tiff(stored, scan),
        Entry(
            what="TIFF, 16 bits a channel, turned",
            media_type="image/tiff",
            width=96,
            height=128,
            taken="2009-09-09T09:09:09",
            time_source="exif_local",
            more="bit_depth=16; orientation=6",
        ),
    )
    shelf.put(
        SCANS + "letter.tiff",
        coded(
            screen(240, 320).convert("1"),
            "TIFF",
            compression="group4",
            save_all=True,
            append_images=[screen(240, 320).convert("1").rotate(180)],
        ),
        Entry(
            what="fax-coded TIFF of two pages",
            media_type="image/tiff",
            width=240,
            height=320,
            time_source="file_modified",
            more="frames=2",
        ),
    )


def _deep_tiff(picture: Image.Image, camera: Camera) -> bytes:
    """RGB, 16 bits a channel, deflate: Pillow cannot write it, so the directory is ours."""
    samples = (np.asarray(picture, dtype=np.uint16) * 257).astype("<u2").tobytes()
    strip = zlib.compress(samples, 9)
    return tiff(
        [
            directory(
                camera,
                long(0x0100, picture.width),
                long(0x0101, picture.height),
                short(0x0102, 16, 16, 16),
                short(0x0103, 8),
                short(0x0106, 2),
                Tag(0x0111, 4, Blob(strip)),
                short(0x0115, 3),
                long(0x0116, picture.height),
                long(0x0117, len(strip)),
            )
        ]
    )
