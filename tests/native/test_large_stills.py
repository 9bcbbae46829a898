"""Stills too large to hold are shrunk line by line and look as Pillow would have them."""

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes import corner_colours, corners, facts, psnr, scene, written

os.environ.setdefault("VIPS_BLOCK_UNTRUSTED", "1")
pytest.importorskip("pyvips")

from mediabox.native import large, picture
from mediabox.native.boxes import Held
from mediabox.native.decoded import Unreadable

KINDS = {
    "image/png": ("PNG", {}),
    "image/webp": ("WEBP", {"lossless": True, "method": 0}),
    "image/tiff": ("TIFF", {"compression": "tiff_lzw"}),
}


@pytest.mark.parametrize("media_type", KINDS)
def test_looks_as_pillow_would_have_it(media_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediabox.native.decoded.SHORT_SIDE", 240)
    kind, options = KINDS[media_type]
    data = written(scene(966, 724), kind, **options)

    by_pillow = picture.decode(Held(data), facts(media_type))
    monkeypatch.setattr(picture, "LARGE_PIXELS", 1)
    by_vips = picture.decode(Held(data), facts(media_type))

    assert (by_vips.width, by_vips.height) == (966, 724)
    overlap = (0, 0, *(min(sides) for sides in zip(by_vips.image.size, by_pillow.image.size, strict=True)))
    assert max(abs(a - b) for a, b in zip(by_vips.image.size, by_pillow.image.size, strict=True)) <= 1
    assert psnr(by_vips.image.crop(overlap), by_pillow.image.crop(overlap)) > 40


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_every_mode_ends_as_grey_or_rgb(mode: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 64), (48, 1))
    image = (
        Image.fromarray((ramp * 257).astype(np.uint16)) if mode == "I;16" else Image.fromarray(ramp.astype(np.uint8))
    )

    found = large.decode(Held(written(image if mode == "I;16" else image.convert(mode), "PNG")), facts("image/png"))

    luma = np.asarray(found.image.convert("L"))
    assert found.image.mode in ("L", "RGB")
    assert luma[:, :8].mean() < 40
    assert luma[:, -8:].mean() > 200


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_a_tiffs_orientation_is_carried(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = written(corners(640, 480), "TIFF", exif=exif)

    found = large.decode(Held(data), facts("image/tiff", orientation=orientation))

    assert found.orientation == orientation
    assert corner_colours(found.image) == (0, 1, 2, 3)
    assert (found.width, found.height) == ((640, 480) if orientation == 1 else (480, 640))


def test_transparent_parts_are_white() -> None:
    found = large.decode(Held(written(Image.new("RGBA", (90, 90)), "PNG")), facts("image/png"))

    assert found.image.getpixel((5, 5)) == (255, 255, 255)


def test_transparent_parts_of_sixteen_bits_are_white() -> None:
    """Pillow writes no 16-bit RGBA: the chunks by hand."""
    rows = b"".join(b"\0" + bytes(8 * 40) for _ in range(30))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 30, 16, 6, 0, 0, 0))

    found = large.decode(Held(png + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")), facts("image/png"))

    assert found.image.getpixel((5, 5)) == (255, 255, 255)


def test_a_cut_png_shows_what_is_there_and_says_so() -> None:
    data = written(scene(600, 500), "PNG")

    found = large.decode(Held(data[: len(data) // 2]), facts("image/png"))

    assert found.damage is not None
    assert psnr(found.image.crop((0, 0, 600, 150)), scene(600, 500).crop((0, 0, 600, 150))) > 60


@pytest.mark.parametrize("media_type", KINDS)
def test_bad_bytes_are_unreadable(media_type: str) -> None:
    kind, options = KINDS[media_type]
    data = written(scene(200, 200), kind, **options)

    for bad in (b"", b"nothing", data[:40]):
        with pytest.raises(Unreadable):
            large.decode(Held(bad), facts(media_type))


def test_a_fifty_megapixel_png_stays_within_bounds(tmp_path: Path) -> None:
    """In a process of its own, so that its peak is its own: Pillow alone would need 150 MB for the pixels."""
    path = tmp_path / "large.png"
    rows = np.tile(np.arange(8000, dtype=np.uint32)[None, :, None] * np.array([1, 3, 7], np.uint32) // 91, (64, 1, 1))
    Image.fromarray(np.tile(rows.astype(np.uint8), (98, 1, 1))).save(path, compress_level=1)
    script = f"""
import os, resource
from mediabox.native.preload import preload
from mediabox.native.profiles import Profile
preload(Profile.LARGE)
from mediabox.native import pixels
from mediabox.native.tags.reader import Reader
from mediabox.model.facts import Facts
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seen = pixels.examine(Reader(os.open({str(path)!r}, os.O_RDONLY)), Facts(kind="picture", media_type="image/png"))
assert seen.preview and seen.facts.damage is None, seen.facts
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 110_000  # KiB; measured about 50 MB
