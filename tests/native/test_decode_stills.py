"""Every kind of still comes out at the right scale, the right way up, in the right colours, or with a reason."""

import io
import os
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from scenes import CORNERS, corner_colours, corners, facts, opened, psnr, scene, written

from mediabox.model.facts import Hdr
from mediabox.native import colour, decoded, pixels, renditions
from mediabox.native.boxes import Held
from mediabox.native.decoded import NeedsProfile, Unreadable
from mediabox.native.picture import decode
from mediabox.native.profiles import Profile
from mediabox.native.tags.reader import Reader

KINDS = {
    "image/jpeg": ("JPEG", {"quality": 92}),
    "image/png": ("PNG", {}),
    "image/webp": ("WEBP", {"quality": 92}),
    "image/tiff": ("TIFF", {}),
    "image/bmp": ("BMP", {}),
    "image/gif": ("GIF", {}),
    "image/avif": ("AVIF", {"quality": 85, "speed": 10}),
    "image/jxl": ("JXL", {"quality": 90, "effort": 1}),
}


def still(image: Image.Image, media_type: str, **options: object) -> bytes:
    kind, usual = KINDS[media_type]
    if media_type == "image/jxl":
        __import__("pillow_jxl")
    return written(image, kind, **{**usual, **options})


@pytest.mark.parametrize("media_type", KINDS)
def test_decodes_every_kind_of_still(media_type: str) -> None:
    original = corners(400, 300)

    found = decode(Held(still(original, media_type)), facts(media_type))

    assert (found.width, found.height, found.damage) == (400, 300, None)
    assert psnr(found.image, original) > 28
    assert corner_colours(found.image) == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4032, 3024), (2016, 1512)),
        ((2000, 1500), (2000, 1500)),
        ((5760, 2880), (2880, 1440)),
        ((11520, 400), (11520, 400)),
    ],
)
def test_scales_jpeg_by_the_nearest_dct_scale_that_leaves_1440(size: tuple, expected: tuple) -> None:
    data = written(Image.new("RGB", size, (90, 120, 30)), "JPEG")

    found = decode(Held(data), facts("image/jpeg"))

    assert found.image.size == expected
    assert (found.width, found.height) == size


def test_reduces_other_stills_by_whole_boxes() -> None:
    found = decode(Held(written(scene(4500, 4400), "PNG", compress_level=0)), facts("image/png"))

    assert found.image.size == (1500, 1467)
    assert (found.width, found.height) == (4500, 4400)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp", "image/tiff", "image/avif"])
def test_all_orientations_come_out_upright(media_type: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = corners(800, 600)
    inverse = renditions._UPRIGHT.get({6: 8, 8: 6}.get(orientation, orientation))
    if inverse is not None:
        turned = turned.transpose(inverse)

    data = still(turned, media_type, exif=exif)
    seen = pixels.examine(Held(data), facts(media_type, orientation=orientation))

    assert (seen.facts.width, seen.facts.height) == (800, 600)
    thumbnail = opened(seen.thumbnail)
    assert corner_colours(thumbnail) == (0, 1, 2, 3)
    assert thumbnail.size == (400, 300)
    preview = opened(seen.preview)
    shown = renditions._UPRIGHT.get(preview.getexif().get(0x0112, 1))
    assert corner_colours(preview.transpose(shown) if shown is not None else preview) == (0, 1, 2, 3)


def test_keeps_the_colour_profile() -> None:
    profile = colour.display_p3()
    data = written(scene(), "JPEG", icc_profile=profile)

    seen = pixels.examine(Held(data), facts("image/jpeg"))

    assert opened(seen.thumbnail).info["icc_profile"] == profile
    assert opened(seen.preview).info["icc_profile"] == profile


def test_our_display_p3_is_a_valid_profile_of_wider_red_than_srgb() -> None:
    p3 = ImageCms.ImageCmsProfile(io.BytesIO(colour.display_p3()))

    red = Image.new("RGB", (1, 1), (200, 0, 0))
    shown = ImageCms.profileToProfile(red, p3, ImageCms.createProfile("sRGB"), renderingIntent=1)
    grey = ImageCms.profileToProfile(Image.new("RGB", (1, 1), (128, 128, 128)), p3, ImageCms.createProfile("sRGB"))

    assert ImageCms.getProfileDescription(p3).strip() == "Display P3"
    assert shown.getpixel((0, 0))[0] > 210
    assert max(abs(value - 128) for value in grey.getpixel((0, 0))) <= 1


def test_a_grey_picture_stays_grey_and_its_grey_profile_does_not_reach_a_colour_thumbnail() -> None:
    grey_profile = bytearray(colour.display_p3())
    grey_profile[16:20] = b"GRAY"
    data = written(scene().convert("L"), "JPEG", icc_profile=bytes(grey_profile))

    seen = pixels.examine(Held(data), facts("image/jpeg"))

    assert opened(seen.preview).mode == "L"
    assert "icc_profile" not in opened(seen.thumbnail).info


def test_renditions_carry_no_other_tag() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a private description"
    exif[0x0112] = 6
    data = written(scene(), "JPEG", exif=exif, comment=b"a private comment " * 3000, xmp=b"<x>private</x>")

    seen = pixels.examine(Held(data), facts("image/jpeg", orientation=6))

    for made in (seen.preview, seen.thumbnail):
        assert b"private" not in (made or b"")
    assert dict(opened(seen.preview).getexif()) == {0x0112: 6}


def test_cmyk_becomes_rgb() -> None:
    data = written(corners().convert("CMYK"), "JPEG", quality=95)

    seen = pixels.examine(Held(data), facts("image/jpeg"))

    assert opened(seen.preview).mode == "RGB"
    assert corner_colours(opened(seen.thumbnail)) == (0, 1, 2, 3)


def test_transparent_parts_are_white_and_hidden_colours_do_not_bleed() -> None:
    image = Image.new("RGBA", (3000, 3000), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 1500, 3000))

    found = decode(Held(written(image, "PNG")), facts("image/png"))

    assert found.image.size == (1500, 1500)
    assert found.image.getpixel((100, 100)) == (200, 0, 0)
    assert found.image.getpixel((1400, 700)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "I", "F"])
def test_every_mode_ends_as_grey_or_rgb(mode: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 64), (48, 1))
    if mode == "I;16":
        image = Image.fromarray((ramp * 257).astype(np.uint16))
    elif mode in ("I", "F"):
        image = Image.fromarray((ramp * 100).astype(np.int32 if mode == "I" else np.float32))
    else:
        image = Image.fromarray(ramp.astype(np.uint8)).convert(mode)

    found = decode(
        Held(written(image, "TIFF" if mode in ("F", "I") else "PNG")),
        facts("image/png" if mode not in ("F", "I") else "image/tiff"),
    )

    assert found.image.mode in ("L", "RGB")
    luma = np.asarray(found.image.convert("L"))
    assert luma[:, :8].mean() < 40
    assert luma[:, -8:].mean() > (90 if mode == "I" else 200)


def test_counts_the_pictures_of_an_animation_and_shows_the_first() -> None:
    frames = [Image.new("RGB", (64, 64), value) for value in CORNERS]
    data = written(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)

    found = decode(Held(data), facts("image/gif"))

    assert found.frames == 4
    assert max(abs(a - b) for a, b in zip(found.image.getpixel((9, 9)), CORNERS[0], strict=True)) < 8


@pytest.mark.parametrize("is_progressive", [False, True])
def test_a_cut_jpeg_shows_what_is_there_and_says_so(is_progressive: bool) -> None:
    data = written(scene(1000, 800), "JPEG", quality=90, progressive=is_progressive)

    found = decode(Held(data[: len(data) // 2]), facts("image/jpeg"))

    assert found.damage is not None
    assert found.image.size == (1000, 800)
    top = np.asarray(found.image.convert("L"), dtype=np.float32)[:200]
    assert np.abs(top - np.asarray(scene(1000, 800).convert("L"), dtype=np.float32)[:200]).mean() < 12


def test_a_whole_jpeg_is_not_called_damaged_whatever_follows_it() -> None:
    data = written(scene(), "JPEG")

    for tail in (b"", bytes(5000), b"SEFT" * 100):
        assert decode(Held(data + tail), facts("image/jpeg")).damage is None


def test_a_cut_png_shows_what_is_there_and_says_so() -> None:
    data = written(scene(1000, 800), "PNG")

    found = decode(Held(data[: len(data) // 2]), facts("image/png"))

    assert found.damage is not None
    assert psnr(found.image.crop((0, 0, 1000, 300)), scene(1000, 800).crop((0, 0, 1000, 300))) > 60


def test_a_cut_tiff_that_was_to_be_turned_is_never_shown_with_a_false_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = bytearray(written(scene(300, 200), "TIFF", compression="tiff_adobe_deflate", exif=exif))
    data[90_000:92_000] = b"\xff" * 2000

    seen = pixels.examine(Held(bytes(data)), facts("image/tiff"))

    assert seen.facts.damage


@pytest.mark.parametrize("media_type", KINDS)
def test_bytes_that_are_nothing_are_unreadable(media_type: str) -> None:
    for data in (b"", b"<html>", bytes(4000), still(scene(32, 32), media_type)[:24]):
        with pytest.raises(Unreadable):
            decode(Held(data), facts(media_type))


@pytest.mark.parametrize("media_type", KINDS)
def test_flipped_bits_never_raise_anything_else(media_type: str) -> None:
    whole = still(scene(96, 80), media_type)
    for seed in range(60):
        dice = random.Random(seed)
        data = bytearray(whole)
        for _ in range(dice.randint(1, 12)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            found = decode(Held(bytes(data)), facts(media_type))
        except Unreadable:
            continue
        renditions.preview(found)


def test_too_many_pixels_are_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(scene(300, 300), "PNG")
    monkeypatch.setattr(decoded.check_pixels, "__kwdefaults__", {"limit": 50_000})

    with pytest.raises(Unreadable, match="megapixels"):
        decode(Held(data), facts("image/png"))


def test_a_large_still_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediabox.native.picture.LARGE_PIXELS", 10_000)
    monkeypatch.delitem(__import__("sys").modules, "pyvips", raising=False)

    with pytest.raises(NeedsProfile) as refusal:
        decode(Held(written(scene(300, 300), "PNG")), facts("image/png"))

    assert refusal.value.profile is Profile.LARGE


def test_a_failing_disk_is_not_the_files_fault(tmp_path: Path) -> None:
    class Failing(Held):
        def bytes(self, offset: int, length: int, /) -> bytes:
            if offset > 0:
                raise OSError(5, "Input/output error")
            return super().bytes(offset, length)

    with pytest.raises(OSError, match="Input/output"):
        decode(Failing(written(scene(2000, 1500), "JPEG")), facts("image/jpeg"))


def test_hdr_is_mapped_where_the_tags_say_so() -> None:
    dim = Image.new("RGB", (64, 64), (148, 148, 148))  # PQ 0.58: diffuse white, 203 cd/m2

    found = decode(Held(written(dim, "PNG")), facts("image/png", hdr=Hdr.PQ))

    assert 215 <= found.image.getpixel((5, 5))[0] <= 245


def test_reads_through_the_descriptor_without_moving_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(written(scene(1200, 900), "JPEG"))
    descriptor = os.open(path, os.O_RDONLY)

    found = decode(Reader(descriptor), facts("image/jpeg"))

    assert found.image.size == (1200, 900)
    assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0
    os.close(descriptor)
