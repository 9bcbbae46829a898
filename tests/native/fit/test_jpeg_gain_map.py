"""Apple's gain map becomes Ultra HDR's: the referees are Apple's own formula, and libvips with libultrahdr."""

import io
import math
from pathlib import Path

import numpy as np
import pytest
from fitting import (
    APPLE_MAP_XMP,
    PAIR,
    PREVIEW,
    apple_exif,
    apple_map,
    apple_still,
    fitted,
    jpeg,
    picture,
    request,
    with_pictures,
    xmp_segment,
)  # fmt: skip
from numpy.typing import NDArray
from PIL import Image

from mediabox.model.facts import Hdr
from mediabox.native.boxes import Held
from mediabox.native.fit import Unfit, check, fit
from mediabox.native.fit.gain_map import table
from mediabox.native.fit.headroom import headroom
from mediabox.native.fit.jpeg_layout import read_still

VERSION_2 = (
    b"<HDRGainMap:HDRGainMapVersion>131072</HDRGainMap:HDRGainMapVersion>"
    b"<HDRGainMap:HDRGainMapHeadroom>%.6f</HDRGainMap:HDRGainMapHeadroom>"
)


@pytest.fixture
def clip(media: Path) -> bytes:
    return (media / PAIR[1]).read_bytes() + PREVIEW


def linear_709(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(coded < 0.081, coded / 4.5, ((coded + 0.099) / 1.099) ** (1 / 0.45))


def linear_srgb(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def pixels(content: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(content)), dtype=np.float64) / 255


def behind(content: bytes) -> list[bytes]:
    """The pictures behind the first, by the table."""
    found = read_still(Held(content)).pictures
    assert found is not None
    return [content[one.at : one.at + one.size] for one in found.behind]


def test_the_picture_is_untouched_and_apples_map_makes_way_for_one_that_is_read(clip: bytes) -> None:
    still = apple_still()
    apple = behind(still)[0]

    made, recipe, facts = fitted(still, clip)

    assert recipe.hdr is facts.hdr is Hdr.ULTRA_HDR
    assert recipe.note == "gain map rewritten as Ultra HDR"
    assert apple not in made
    assert facts.motion is not None
    assert made.endswith(clip)
    np.testing.assert_array_equal(pixels(made), pixels(still))


def test_the_table_of_pictures_and_the_directory_name_the_new_map(clip: bytes) -> None:
    made, recipe, _ = fitted(apple_still(), clip)
    table_of_made = read_still(Held(made)).pictures
    assert table_of_made is not None

    first, gain_map = table_of_made.pictures

    assert first.size == gain_map.at  # iOS had written another size
    assert gain_map.at + gain_map.size == recipe.clip_offset
    assert f'Item:Semantic="GainMap" Item:Length="{gain_map.size}"'.encode() in made
    assert made[gain_map.at : gain_map.at + 2] == b"\xff\xd8"


def test_pictures_beside_the_gain_map_stay_and_are_padding_to_readers(clip: bytes) -> None:
    depth = jpeg(picture(40, 30, mode="L", seed=1))
    made, recipe, _ = fitted(apple_still(depth), clip)

    gain_map, other = behind(made)

    assert other == depth
    assert made.endswith(depth + gain_map + clip)
    assert f'Item:Semantic="Primary" Item:Length="0" Item:Padding="{len(depth)}"'.encode() in made
    assert recipe.clip_offset == len(made) - len(clip)


@pytest.mark.parametrize("brightest", [1.5, 2.0, 4.532783, 8.0])
def test_each_value_of_the_map_means_the_same_gain_to_half_a_step(brightest: float) -> None:
    stops = math.log2(brightest)
    apple = np.log2(1 + (brightest - 1) * linear_709(np.arange(256) / 255))

    ours = np.array(table(brightest)) / 255 * stops

    assert np.abs(ours - apple).max() <= stops / 510 + 1e-9


@pytest.mark.parametrize("brightest", [2.0, 4.5])
def test_libultrahdr_shows_the_brightness_of_apples_formula(brightest: float, clip: bytes, tmp_path: Path) -> None:
    pyvips = pytest.importorskip("pyvips", reason="no libvips")
    if not pyvips.type_find("VipsOperation", "uhdrload"):
        pytest.skip("this libvips reads no Ultra HDR")
    gradient = Image.linear_gradient("L").resize((64, 64))
    first = jpeg(picture(64, 64), apple_exif(None, None), quality=95)
    still = with_pictures(first, apple_map(gradient, words=VERSION_2 % brightest))
    path = tmp_path / "made.jpg"
    made, _, _ = fitted(still, clip)
    path.write_bytes(made)

    seen = pyvips.Image.uhdrload(str(path))
    shown = seen.uhdr2scRGB().numpy().astype(np.float64)

    assert seen.get("gainmap-max-content-boost")[0] == pytest.approx(brightest, rel=1e-5)
    assert seen.get("gainmap-hdr-capacity-max") == pytest.approx(brightest, rel=1e-5)
    gains = 1 + (brightest - 1) * linear_709(pixels(behind(still)[0]))
    wanted = linear_srgb(pixels(still)) * gains[:, :, None]
    is_lit = wanted.max(axis=2) > 0.05  # below, the eighth bit of the picture is a tenth of a stop
    stops_off = np.abs(np.log2(shown.max(axis=2)[is_lit] / wanted.max(axis=2)[is_lit]))
    assert np.median(stops_off) < 0.02
    assert np.percentile(stops_off, 99) < 0.06


@pytest.mark.parametrize(
    ("brightness", "gain", "stops"),
    [(0.5, 0.005, 1.7), (0.5, 1.0, 1.5), (1.01, 0.0, 3.0), (1.5, 0.5, 2.1515), (1.5, 20.0, 0.0)],
)
def test_the_maker_note_tells_the_headroom_by_apples_four_lines(brightness: float, gain: float, stops: float) -> None:
    block = apple_exif(brightness, gain)[10:]

    assert headroom(Held(block), b"") == pytest.approx(2**stops, rel=1e-4)


def test_a_map_that_says_its_headroom_is_believed_before_the_maker_note() -> None:
    block = apple_exif(1.5, 0.0)[10:]

    assert headroom(Held(block), APPLE_MAP_XMP % (VERSION_2 % 4.5)) == pytest.approx(4.5)
    assert headroom(Held(block), b'HDRGainMap:HDRGainMapVersion="65536" HDRGainMap:HDRGainMapHeadroom="9"') == 8


@pytest.mark.parametrize(("brightness", "gain"), [(None, None), (1.5, None), (None, 0.2)])
def test_without_a_headroom_the_picture_is_not_flattened_but_refused(
    brightness: float | None, gain: float | None, clip: bytes
) -> None:
    still = apple_still(brightness=brightness, gain=gain)

    with pytest.raises(Unfit, match=r"^HDR: "):
        fit(Held(still), Held(clip), request(still, clip))


def test_a_map_that_cannot_be_decoded_is_refused_likewise(clip: bytes) -> None:
    whole = apple_map(picture(48, 32, mode="L"))
    broken = whole[: len(whole) // 2] + bytes(len(whole) // 2)
    still = with_pictures(jpeg(picture(), apple_exif(1.0, 0.0)), broken)

    with pytest.raises(Unfit, match=r"^HDR: "):
        fit(Held(still), Held(clip), request(still, clip))


def test_a_picture_meant_no_brighter_than_white_has_nothing_to_lose(clip: bytes) -> None:
    still = apple_still(brightness=1.5, gain=20.0)

    made, recipe, facts = fitted(still, clip)

    assert recipe.hdr is facts.hdr is Hdr.APPLE_GAIN_MAP
    assert behind(made) == behind(still)
    assert recipe.note == ""


def test_without_a_clip_apples_map_is_left_alone(media: Path) -> None:
    still = apple_still()

    made, recipe, _ = fitted(still)

    assert made == still
    assert recipe.hdr is Hdr.APPLE_GAIN_MAP


def test_a_result_whose_gain_map_is_gone_is_no_proof(clip: bytes) -> None:
    still = apple_still()
    made, recipe, _ = fitted(still, clip)
    gain_map = behind(made)[0]

    with pytest.raises(Unfit, match="picture data"):
        check(Held(made.replace(gain_map, b"")), Held(still), media_type="image/jpeg", name="photo")
    assert recipe.clip_offset is not None


def test_a_real_iphones_map_is_rewritten_with_the_headroom_it_tells(samples: Path) -> None:
    still = (samples / "apple-gainmap-jpeg/apple_gainmap_new.jpg").read_bytes()
    clip = (samples / "live-photo-pair/IMG_1635.MOV").read_bytes()

    made, recipe, facts = fitted(still, clip)
    ours = behind(made)[0]
    apple = pixels(behind(still)[0])
    stops = math.log2(4.532783)

    assert facts.hdr is Hdr.ULTRA_HDR
    assert recipe.still_at_us == 1_300_000
    assert f'hdrgm:GainMapMax="{stops:.6f}"'.encode() in ours
    gains_off = np.abs(pixels(ours) * stops - np.log2(1 + 3.532783 * linear_709(apple)))
    assert gains_off.mean() < 0.01
    assert xmp_segment(b"")[4:] in ours
