"""Values from a child that can be, and those that cannot."""

from math import inf, nan

import msgspec
import pytest

from mediabox.model.asset import Kind
from mediabox.model.facts import Camera, CaptureTime, Facts, Motion, Quality, TimeSource
from mediabox.model.place import Place
from mediabox.native.ranges import LONGEST_TEXT, MOST_WORDS, find_impossible

PLAIN = Facts(kind=Kind.PICTURE, media_type="image/jpeg")


def taken(local: str, offset_min: int | None = None) -> CaptureTime:
    return CaptureTime(local=local, offset_min=offset_min, source=TimeSource.EXIF_LOCAL)


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"place": Place(latitude=-90, longitude=180, altitude_m=-430.5)},
        {"perceptual_hashes": (0, 2**64 - 1)},
        {"capture_time": taken("2024-02-29T23:59:59.999", 840)},
        {"capture_time": taken("1987")},
        {"capture_time": taken("1987-06")},
        {"camera": Camera(exposure_s=30.0, iso=0), "rating": -1},
    ],
)
def test_what_can_be_passes(found: dict[str, object]) -> None:
    assert find_impossible(msgspec.structs.replace(PLAIN, **found)) is None


@pytest.mark.parametrize(
    "found",
    [
        {"place": Place(latitude=nan, longitude=8)},
        {"place": Place(latitude=8, longitude=180.01)},
        {"place": Place(latitude=8, longitude=8, altitude_m=inf)},
        {"perceptual_hashes": (-1,)},
        {"perceptual_hashes": (2**64,)},
        {"perceptual_hashes": (1,) * 5},
        {"capture_time": taken("2023-02-29T10:00:00")},
        {"capture_time": taken("../../etc")},
        {"capture_time": taken("0000-01-01T00:00:00")},
        {"capture_time": taken("1987-13")},
        {"capture_time": taken("٢٠٢٤")},
        {"capture_time": taken("2024-01-01T10:00:00", 1440)},
        {"duration_s": nan},
        {"duration_s": -1.0},
        {"frame_rate": inf},
        {"orientation": 9},
        {"width": -1},
        {"rating": 6},
        {"camera": Camera(f_number=nan)},
        {"quality": Quality(sharpness=nan, exposure=0, clipped=0, noise=0)},
        {"motion": Motion(maker="google", offset_bytes=-1, size_bytes=1)},
        {"keywords": ("a",) * (MOST_WORDS + 1)},
        {"caption": "a" * (LONGEST_TEXT + 1)},
        {"software": "a" * (LONGEST_TEXT + 1)},
        {"media_type": "a" * (LONGEST_TEXT + 1)},
        {"camera": Camera(model="a" * (LONGEST_TEXT + 1))},
    ],
)
def test_what_cannot_be_is_named(found: dict[str, object]) -> None:
    assert find_impossible(msgspec.structs.replace(PLAIN, **found))
