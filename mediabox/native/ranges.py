"""What a decoding child can have found, and what it cannot: the daemon's check of facts as they come in.

A child has had foreign bytes in its hands. Its facts are of the right types (`wire` sees to that);
here their values are held to what exists, so that no NaN reaches a query, no negative hash a column,
no absurd year a folder's name.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from math import inf

import msgspec

from mediabox.model.facts import Facts

MOST_WORDS = 10_000  # keywords or people of one file
LONGEST_TEXT = 100_000  # characters of a title, a caption, a keyword, or any other
# A wall clock, or of a partial date as much as is known.
_LOCAL = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?)?)?)?")
_FIRST_DAY = "0001-01-01"
_Range = tuple[str, float | None, float, float]


def find_impossible(facts: Facts) -> str | None:
    """Name the first value that no file can have: "latitude nan". None when all can be."""
    for name, value, least, most in _ranges(facts):
        if value is not None and not least <= value <= most:  # NaN is in no range
            return f"{name} {value}"
    return _impossible_time(facts) or _impossible_text(facts)


def _ranges(facts: Facts) -> Iterator[_Range]:
    yield "width", facts.width, 0, 2**31
    yield "height", facts.height, 0, 2**31
    yield "orientation", facts.orientation, 1, 8
    yield "frames", facts.frames, 0, 2**40
    yield "bit depth", facts.bit_depth, 1, 128
    yield "duration", facts.duration_s, 0, 1e9
    yield "frame rate", facts.frame_rate, 0, 1e7
    yield "rating", facts.rating, -1, 5
    yield "number of perceptual hashes", len(facts.perceptual_hashes), 0, 4
    for number in facts.perceptual_hashes:
        yield "perceptual hash", number, 0, 2**64 - 1
    yield from _ranges_of_parts(facts)


def _ranges_of_parts(facts: Facts) -> Iterator[_Range]:
    if (place := facts.place) is not None:
        yield "latitude", place.latitude, -90, 90
        yield "longitude", place.longitude, -180, 180
        yield "altitude", place.altitude_m, -1e8, 1e8
    if (camera := facts.camera) is not None:
        for name in ("exposure_s", "f_number", "iso", "focal_length_mm"):
            yield name, getattr(camera, name), 0, 1e12
    if (quality := facts.quality) is not None:
        for name in ("sharpness", "exposure", "clipped", "noise"):
            yield name, getattr(quality, name), 0, 1e12
    if (motion := facts.motion) is not None:
        yield "clip's offset", motion.offset_bytes, 0, 2**63 - 1
        yield "clip's size", motion.size_bytes, 0, 2**63 - 1
        yield "clip's time", motion.timestamp_us, -inf, 2**63 - 1


def _impossible_time(facts: Facts) -> str | None:
    if (taken := facts.capture_time) is None:
        return None
    if taken.offset_min is not None and abs(taken.offset_min) >= 24 * 60:
        return f"zone {taken.offset_min} min"
    return None if _is_time(taken.local) else f"capture time {taken.local[:40]!r}"


def _is_time(local: str) -> bool:
    if not _LOCAL.fullmatch(local):
        return False
    try:
        datetime.fromisoformat(local + _FIRST_DAY[len(local) :])
    except ValueError:
        return False
    return True


def _impossible_text(facts: Facts) -> str | None:
    words = (*facts.keywords, *facts.people)
    if len(words) > MOST_WORDS:
        return f"{len(words):,} keywords and people"
    longest = max(map(len, _texts(facts)))
    return f"a text of {longest:,} characters" if longest > LONGEST_TEXT else None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner = msgspec.structs.astuple(value) if isinstance(value, msgspec.Struct) else value
    for one in inner if isinstance(inner, tuple) else ():
        yield from _texts(one)
