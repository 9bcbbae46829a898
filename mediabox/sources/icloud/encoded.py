"""Values inside the fields of Apple's records: Base64 of texts and of small binary property lists."""

from __future__ import annotations

import base64
import binascii
import math
import plistlib
from typing import TYPE_CHECKING, Any

from mediabox.model.place import Place

if TYPE_CHECKING:
    from mediabox.sources.icloud.answers import Number, TextField

MOST = 253_402_300_800_000  # ms: the year 10000. What is beyond is no date, no size and no flag
DAY_MS = 86_400_000
EARLIEST, LATEST = -62_135_596_800_000 + DAY_MS, MOST - DAY_MS  # ms: years 1 to 9999 wherever on earth
PLIST_BYTES = 16_384  # ours are a few hundred; a larger one is not read


def number_of(field: Number) -> int | None:
    """A number that can be one: neither NaN nor beyond every clock, size and flag."""
    value = field.value
    return int(value) if value is not None and -MOST < value < MOST else None


def time_of(value: float | None) -> int | None:
    """Unix milliseconds that a calendar can show in every time zone; dates before 1970 are negative."""
    return int(value) if value is not None and EARLIEST <= value < LATEST else None


def text_of(field: TextField) -> str | None:
    """A text, whether it came as it is or encoded. Empty, or neither, is None."""
    value = field.value
    if not value or field.type == "STRING":
        return value or None
    raw = _bytes_of(value)
    if raw is not None:
        return raw.decode("utf-8", "replace") or None
    return value if field.type != "ENCRYPTED_BYTES" else None


def texts_of(field: TextField) -> tuple[str, ...]:
    """The texts of a property list that is a list."""
    listed = _plist_of(field)
    return tuple(each for each in listed if isinstance(each, str)) if isinstance(listed, list) else ()


def place_of(field: TextField) -> Place | None:
    """`lat`, `lon`, `alt` of a property list; None when it does not hold a point of this earth."""
    found = _plist_of(field)
    if not isinstance(found, dict):
        return None
    latitude, longitude, altitude = (_float(found.get(key)) for key in ("lat", "lon", "alt"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    if (_float(found.get("vertAcc")) or 0.0) < 0:  # CLLocation.verticalAccuracy: negative for an unknown altitude
        altitude = None
    return Place(latitude=latitude, longitude=longitude, altitude_m=altitude)


def _bytes_of(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _plist_of(field: TextField) -> Any:
    raw = _bytes_of(field.value) if field.value else None
    if raw is None or not raw.startswith(b"bplist00") or len(raw) > PLIST_BYTES:
        return None
    try:
        return plistlib.loads(raw, fmt=plistlib.FMT_BINARY)
    except (plistlib.InvalidFileException, ValueError, RecursionError):
        return None


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
