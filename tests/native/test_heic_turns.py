"""A HEIC is shown by its boxes, by Exif where it has none: facts, preview, hash and converted JPEG say the same.

Second witnesses: an iPhone 7's photo by a camera app (no box, Exif 6: its castle lies on its side without), a
Galaxy S24 FE's, and for what has boxes libheif and exiftool's Rotation.
"""

import io
import os
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageOps
from scenes import corners, scene

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.model.recipe import Conversion
from mediabox.native import encode
from mediabox.native.examine import examine

WIDTH, HEIGHT = 256, 160
EVERY = range(1, 9)
ORIENTATION = b"\1\x12\0\3\0\0\0\1"  # the tag, one SHORT; big-endian


def heic(*, boxes: int, exif: int, has_alpha: bool = False, stored: Image.Image | None = None) -> bytes:
    """A picture of `CORNERS` as stored. libheif writes `irot` and `imir` for `boxes`, none for 1, and Exif with 1."""
    plain = (stored or corners(WIDTH, HEIGHT)).convert("RGBA" if has_alpha else "RGB")
    tags = Image.Exif()
    tags[0x0112] = boxes
    held = io.BytesIO()
    pillow_heif.from_pillow(plain).save(held, quality=90, exif=tags.tobytes(), chroma=420)
    content = held.getvalue()
    assert (b"irot" in content or b"imir" in content) == (boxes != 1)
    at = content.index(ORIENTATION) + len(ORIENTATION)
    return content[:at] + exif.to_bytes(2) + content[at + 2 :]


def shown(orientation: int, stored: Image.Image | None = None) -> Image.Image:
    stored = stored or corners(WIDTH, HEIGHT)
    stored.getexif()[0x0112] = orientation
    return ImageOps.exif_transpose(stored)


def corners_of(image: Image.Image) -> list[tuple[int, ...]]:
    """The colours of the quarters, in 64 steps: what codecs do to them does not show."""
    small = ImageOps.exif_transpose(image).convert("RGB")
    across, down = small.width, small.height
    places = [(across // 4, down // 4), (3 * across // 4, down // 4), (across // 4, 3 * down // 4)]
    return [tuple(round(value / 64) for value in small.getpixel(place)) for place in places]


def looked_at(path: Path) -> tuple[Facts, Image.Image]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        request = ExamineRequest(name=path.name, kind=Kind.PICTURE, size_bytes=path.stat().st_size, renditions=True)
        found = examine(descriptor, request).examination
    finally:
        os.close(descriptor)
    assert found.preview is not None
    assert found.facts.damage is None
    return found.facts, Image.open(io.BytesIO(found.preview))


def converted(path: Path) -> Image.Image:
    made = path.with_suffix(".made.jpg")
    source, into = os.open(path, os.O_RDONLY), os.open(made, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        conversion = Conversion(
            name=path.name, media_type="image/heic", size_bytes=path.stat().st_size, to="image/jpeg"
        )
        said = encode.convert(source, into, conversion)
    finally:
        os.close(source)
        os.close(into)
    image = Image.open(io.BytesIO(made.read_bytes()))
    assert ImageOps.exif_transpose(image).size == (said.width, said.height)
    return image


CASES = [
    *[(1, exif, exif) for exif in EVERY],  # Exif alone
    *[(boxes, 1, boxes) for boxes in EVERY],  # boxes alone
    *[(boxes, boxes, boxes) for boxes in (3, 6, 8)],  # both, as iPhones write it
    (6, 3, 6),  # both, at odds
    (8, 6, 8),
    (2, 6, 2),
]


@pytest.mark.parametrize("has_alpha", [False, True], ids=["by tiles", "by libheif"])
@pytest.mark.parametrize(("boxes", "exif", "expected"), CASES)
def test_everything_shows_the_picture_the_same_way_up(
    boxes: int, exif: int, expected: int, has_alpha: bool, tmp_path: Path
) -> None:
    path = tmp_path / "one.heic"
    path.write_bytes(heic(boxes=boxes, exif=exif, has_alpha=has_alpha))
    right = shown(expected)

    facts, preview = looked_at(path)
    jpeg = converted(path)

    assert facts.orientation == expected
    assert (facts.width, facts.height) == right.size
    assert ImageOps.exif_transpose(preview).size == right.size
    assert corners_of(preview) == corners_of(right)
    assert ImageOps.exif_transpose(jpeg).size == right.size
    assert corners_of(jpeg) == corners_of(right)


def test_hashes_as_the_upright_picture_does(tmp_path: Path) -> None:
    turned, upright = tmp_path / "turned.heic", tmp_path / "upright.jpg"
    turned.write_bytes(heic(boxes=1, exif=6, stored=scene(WIDTH, HEIGHT)))
    shown(6, scene(WIDTH, HEIGHT)).save(upright, quality=95)

    ours, theirs = (looked_at(path)[0].perceptual_hashes[0] for path in (turned, upright))

    assert (ours ^ theirs).bit_count() <= 2


def test_an_avif_is_turned_by_its_boxes_alone_as_browsers_do(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x0113] = 6  # Pillow would make boxes of an orientation
    path = tmp_path / "one.avif"
    corners(WIDTH, HEIGHT).save(path, "AVIF", exif=tags.tobytes())
    content = path.read_bytes()
    assert content.count(b"\1\x13\0\3\0\0\0\1\0\6") == 1
    path.write_bytes(content.replace(b"\1\x13\0\3", b"\1\x12\0\3"))

    facts, preview = looked_at(path)

    assert (facts.orientation, facts.width, facts.height) == (1, WIDTH, HEIGHT)
    assert corners_of(preview) == corners_of(corners(WIDTH, HEIGHT))


@pytest.mark.parametrize("name", ["iphone_7.heic", "Issue_437_(dotnet).heic"])
def test_real_photos_that_are_turned_by_exif_alone_stand_upright(name: str, samples: Path) -> None:
    path = samples / "heic-iphone" / name

    facts, preview = looked_at(path)

    assert facts.orientation == 6
    assert facts.height is not None
    assert facts.width is not None
    assert facts.height > facts.width
    assert ImageOps.exif_transpose(preview).height > ImageOps.exif_transpose(preview).width


def test_an_iphone_7s_sky_is_above(samples: Path) -> None:
    _, preview = looked_at(samples / "heic-iphone" / "iphone_7.heic")
    upright = ImageOps.exif_transpose(preview).convert("RGB").resize((3, 8))

    red, _, blue = upright.getpixel((1, 0))

    assert blue > red + 60
    assert max(upright.getpixel((1, 7))) < 150  # the moat
