"""HEIC by tiles shows what libheif shows, and leaves to libheif what it could not."""

import io
import re
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps
from scenes import corner_colours, corners, facts, opened, psnr, scene

from mediabox.native import heif, pixels
from mediabox.native.boxes import Held
from mediabox.native.decoded import Decoded, Unreadable
from mediabox.native.heif_items import orientation_of, read_items
from mediabox.native.picture import decode
from mediabox.native.tags.reader import Reader


def heic(image: Image.Image, **options: object) -> bytes:
    held = io.BytesIO()
    pillow_heif.from_pillow(image).save(
        held, **{"quality": 90, "chroma": 420, "enc_params": {"preset": "ultrafast"}, **options}
    )
    return held.getvalue()


def whole(data: bytes) -> Image.Image:
    decoded = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    return Image.frombytes(decoded.mode, decoded.size, bytes(decoded.data), "raw", decoded.mode, decoded.stride)


def turned_by_boxes(path: Path) -> int:
    items = read_items(Held(path.read_bytes()))
    return orientation_of(items.by_id[items.primary])


def upright(found: Decoded) -> Image.Image:
    image = found.image.convert("RGB")
    image.getexif()[0x0112] = found.orientation
    return ImageOps.exif_transpose(image)


@pytest.fixture
def no_libheif(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: object) -> Decoded:
        raise AssertionError("libheif was asked")

    monkeypatch.setattr(heif.libheif, "decode", refuse)


@pytest.mark.usefixtures("no_libheif")
@pytest.mark.parametrize("size", [(640, 480), (96, 64)])
def test_a_small_picture_is_decoded_at_its_size(size: tuple[int, int]) -> None:
    data = heic(scene(*size))

    found = decode(Held(data), facts("image/heic"))

    assert (found.image.size, found.width, found.height) == (size, *size)
    assert psnr(found.image, whole(data)) > 34  # chroma is interpolated differently


def test_odd_sizes_are_cropped_as_the_file_says() -> None:
    data = heic(scene(641, 479))

    found = decode(Held(data), facts("image/heic"))

    assert (found.image.size, found.width, found.height) == ((641, 479), 641, 479)
    assert psnr(found.image, whole(data)) > 34


@pytest.mark.usefixtures("no_libheif")
@pytest.mark.parametrize("scale", [2, 4])
def test_a_large_picture_is_scaled_before_it_is_put_together(monkeypatch: pytest.MonkeyPatch, scale: int) -> None:
    monkeypatch.setattr("mediabox.native.decoded.SHORT_SIDE", 720 // scale)
    data = heic(scene(752, 720))

    found = decode(Held(data), facts("image/heic"))

    assert found.image.size == (752 // scale, 720 // scale)
    assert (found.width, found.height) == (752, 720)
    assert psnr(found.image, whole(data).reduce(scale)) > 45


@pytest.mark.usefixtures("no_libheif")
def test_a_grid_is_put_together_from_its_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_heif.options, "GRID_TILE_SIZE", 256)
    data = heic(corners(1000, 700))
    assert b"grid" in data

    found = decode(Held(data), facts("image/heic"))

    assert corner_colours(found.image) == (0, 1, 2, 3)
    assert psnr(found.image, whole(data)) > 34  # hard colour edges: chroma is interpolated differently


def test_missing_tiles_are_counted_and_the_rest_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_heif.options, "GRID_TILE_SIZE", 256)
    data = heic(scene(1000, 700))
    mdat = data.index(b"mdat")

    seen = pixels.examine(Held(data[: mdat + (len(data) - mdat) // 2]), facts("image/heic"))

    assert re.fullmatch(r"\d+ of 12 tiles of the picture cannot be read", seen.facts.damage or "")
    assert opened(seen.preview).size == (1000, 700)


def test_ten_bits_are_shown_in_eight() -> None:
    held = io.BytesIO()
    values = (np.asarray(scene(320, 240), dtype=np.uint16) << 8).tobytes()
    pillow_heif.encode("RGB;16", (320, 240), values, held, quality=95, chroma=420, format="HEIF")

    found = decode(Held(held.getvalue()), facts("image/heic"))

    assert found.bit_depth in (10, 12)
    assert psnr(found.image, scene(320, 240)) > 34


def test_alpha_goes_to_libheif_and_ends_on_white() -> None:
    image = scene(320, 240).convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))

    found = decode(Held(heic(image)), facts("image/heic"))

    assert min(found.image.convert("L").getextrema()) > 245


def test_pq_is_tone_mapped() -> None:
    held = io.BytesIO()
    white = np.full((64, 64, 3), 38_000, dtype=np.uint16)  # PQ 0.58: 203 cd/m2
    pillow_heif.encode(
        "RGB;16", (64, 64), white.tobytes(), held, quality=95, format="HEIF",
        color_primaries=9, transfer_characteristics=16, matrix_coefficients=9, full_range_flag=1,
    )  # fmt: skip

    found = decode(Held(held.getvalue()), facts("image/heic"))

    assert found.icc is None
    assert 215 <= found.image.convert("L").getpixel((32, 32)) <= 245


def test_wide_colour_by_number_gets_a_profile() -> None:
    data = heic(
        scene(96, 96), color_primaries=12, transfer_characteristics=13, matrix_coefficients=6, full_range_flag=1
    )

    found = decode(Held(data), facts("image/heic"))

    assert found.icc is not None
    assert found.icc[16:20] == b"RGB "


def test_what_is_no_heic_is_unreadable() -> None:
    for data in (b"", b"\xff\xd8\xff\xe0", bytes(3000), heic(scene(64, 64))[:200]):
        with pytest.raises(Unreadable):
            decode(Held(data), facts("image/heic"))


def test_real_heics_look_as_libheif_shows_them(samples: Path) -> None:
    """Tiles against libheif, at the size of ours. RGB, because that is what is seen; measured 44.1 to 84.6 dB."""
    compared = 0
    for folder in sorted(samples.glob("*heic*")):
        for path in sorted((*folder.glob("*.[hH][eE][iI][cC]"), *folder.glob("*.HIF")))[:1]:
            with path.open("rb") as file:
                found = decode(Reader(file.fileno()), facts("image/heic", orientation=turned_by_boxes(path)))
            if found.image.mode != "YCbCr":
                continue  # it went to libheif
            shown, full = upright(found), whole(path.read_bytes()).convert("RGB")
            assert (found.width, found.height) == full.size, path.name
            scaled = full.reduce(round(full.width / shown.width)).crop((0, 0, *shown.size))
            assert psnr(shown, scaled) > 44, path.name
            assert psnr(*(image.convert("L") for image in (shown, scaled))) > 46, path.name
            compared += 1
    assert compared >= 4
