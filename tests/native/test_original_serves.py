"""A small picture needs no preview kept: where a browser shows the file itself as well, its facts say so."""

import io
from base64 import b64decode

import pytest
from PIL import Image
from scenes import facts, scene, written

from mediabox.model.facts import Hdr, Place
from mediabox.native import pixels
from mediabox.native.boxes import Held

JPEG = {"quality": 70}


def examined(data: bytes, media_type: str = "image/jpeg", **known: object):
    return pixels.examine(Held(data), facts(media_type, **known))


def serves(data: bytes, media_type: str = "image/jpeg", **known: object) -> bool:
    seen = examined(data, media_type, **known)
    assert seen.thumbnail and seen.preview  # made all the same: whoever keeps them asks the facts
    return seen.facts.serves_as_preview


@pytest.mark.parametrize(
    ("kind", "media_type", "options"),
    [
        ("JPEG", "image/jpeg", JPEG),
        ("JPEG", "image/jpeg", JPEG | {"progressive": True}),
        ("WEBP", "image/webp", {"quality": 70}),
    ],
)
def test_a_small_picture_of_a_browsers_kind_serves(kind: str, media_type: str, options: dict) -> None:
    assert serves(written(scene(), kind, **options), media_type)


def test_a_screenshot_serves() -> None:
    """Large areas of one colour: PNG is smaller than any JPEG of it."""
    assert serves(written(Image.new("RGB", (1170, 2532), (20, 30, 40)), "PNG"), "image/png")
    assert serves(written(Image.new("P", (800, 600), 3), "PNG"), "image/png")


def test_it_serves_with_its_profile_and_in_grey() -> None:
    assert serves(written(scene().convert("L"), "JPEG", **JPEG))


@pytest.mark.parametrize("quality", [95, 100])
def test_one_that_is_larger_than_its_preview_does_not(quality: int) -> None:
    data = written(scene(), "JPEG", quality=quality)

    seen = examined(data)

    assert seen.preview is not None
    assert not seen.facts.serves_as_preview
    assert len(seen.preview) < len(data)


def test_what_it_may_be_larger_is_less_than_a_block_of_the_disk() -> None:
    """The preview leaves tags out: for a few hundred bytes nobody writes the picture once more."""
    same = written(scene(), "JPEG", quality=80, subsampling=2)
    blocks = -(-len(same) // 4096)
    upto = same[:-2] + bytes(blocks * 4096 - len(same)) + same[-2:]

    assert serves(same)
    assert serves(upto)
    assert not serves(upto + b"\0")


def test_one_with_more_pixels_than_a_preview_does_not() -> None:
    flat = Image.new("RGB", (2880, 2880), (90, 120, 30))

    assert not serves(written(flat, "JPEG", quality=10))
    assert not serves(written(flat, "PNG"), "image/png")
    assert serves(written(flat.resize((2879, 2879)), "PNG"), "image/png")


@pytest.mark.parametrize("orientation", range(2, 9))
def test_one_that_is_to_be_turned_does_not(orientation: int) -> None:
    assert not serves(written(scene(), "JPEG", **JPEG), orientation=orientation)


@pytest.mark.parametrize(
    "known",
    [
        {"frames": 2},
        {"hdr": Hdr.ULTRA_HDR},
        {"place": Place(latitude=59.9, longitude=10.7)},
        {"damage": "the headers say so"},
    ],
    ids=lambda known: next(iter(known)),
)
def test_nor_does_one_that_shows_or_tells_something_else_than_its_preview(known: dict) -> None:
    assert not serves(written(scene(), "JPEG", **JPEG), **known)


def test_nor_one_in_inks() -> None:
    assert not serves(written(scene().convert("CMYK"), "JPEG", **JPEG))


def test_nor_one_no_browser_decodes() -> None:
    """Arithmetic codes (`jpegtran -arithmetic`, frame marker SOF9): libjpeg-turbo has them, browsers leave them out."""
    data = b64decode(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5a"
        "YVpQYEpRUk//yQALCAAQABABAREA/8wABgAQEAX/2gAIAQEAAD8A/u49MBiSxoKW/Yz5LVKuDvb/2Q=="
    )

    assert not serves(data)


def test_nor_one_that_is_transparent() -> None:
    """White in the preview; on a page whatever is behind it."""
    clear = Image.new("RGBA", (400, 300), (200, 0, 0, 0))
    palette = Image.new("P", (400, 300), 3)

    assert not serves(written(clear, "PNG"), "image/png")
    assert not serves(written(clear, "WEBP"), "image/webp")
    assert not serves(written(palette, "PNG", transparency=3), "image/png")


def test_nor_one_that_is_cut() -> None:
    data = written(scene(), "JPEG", **JPEG)

    seen = examined(data[: len(data) // 2])

    assert seen.facts.damage
    assert not seen.facts.serves_as_preview


@pytest.mark.parametrize(("kind", "media_type"), [("GIF", "image/gif"), ("BMP", "image/bmp"), ("TIFF", "image/tiff")])
def test_nor_other_kinds(kind: str, media_type: str) -> None:
    assert not serves(written(Image.new("RGB", (400, 300), (20, 30, 40)), kind), media_type)


def test_a_moving_one_has_a_preview() -> None:
    held = io.BytesIO()
    frames = [Image.new("RGB", (200, 200), (shade, 0, 0)) for shade in (0, 200)]
    frames[0].save(held, "WEBP", save_all=True, append_images=frames[1:])

    assert not serves(held.getvalue(), "image/webp")


def test_where_no_renditions_are_wanted_nothing_is_said() -> None:
    seen = pixels.examine(Held(written(scene(), "JPEG", **JPEG)), facts("image/jpeg"), wants_renditions=False)

    assert not seen.facts.serves_as_preview
