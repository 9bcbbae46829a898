"""Where and when, from a GPS directory (Exif 3.0, section 4.6.6)."""

from datetime import UTC, datetime, timedelta

from mediabox.model.place import Place
from mediabox.native.tags.tiff import Directory

_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE, _TIME, _DATE = 1, 2, 3, 4, 5, 6, 7, 29
_HIGHEST_M, _DEEPEST_M = 100_000.0, -12_000.0


def position(latitude: float | None, longitude: float | None, altitude_m: float | None = None) -> Place | None:
    """A place on earth, or None. (0, 0) is a receiver without a fix, not the Gulf of Guinea."""
    if latitude is None or longitude is None or not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    if latitude == 0 and longitude == 0:
        return None
    if altitude_m is not None and not _DEEPEST_M < altitude_m < _HIGHEST_M:
        altitude_m = None
    return Place(latitude=latitude, longitude=longitude, altitude_m=altitude_m)


def place_of(directory: Directory) -> Place | None:
    """The position a GPS directory tells."""
    altitude = directory.number(_ALTITUDE)
    if altitude is not None and directory.whole(_ALTITUDE_REF) in (1, 3):  # below sea level, below the ellipsoid
        altitude = -altitude
    return position(
        _degrees(directory, _LATITUDE, _LATITUDE_REF, b"Ss"),
        _degrees(directory, _LONGITUDE, _LONGITUDE_REF, b"Ww"),
        altitude,
    )


def instant_of(directory: Directory) -> datetime | None:
    """The instant of the fix, from date and time stamp; None unless both are there and possible."""
    date, time = directory.text(_DATE), directory.numbers(_TIME)
    if not date or len(time) != 3:
        return None
    parts = date.replace("-", ":").split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    hours, minutes, seconds = time
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61):
        return None
    day = datetime(int(parts[0]), int(parts[1]), int(parts[2]), tzinfo=UTC)
    return day + timedelta(hours=hours, minutes=minutes, seconds=round(seconds, 3))


def _degrees(directory: Directory, tag: int, ref_tag: int, negative: bytes) -> float | None:
    """Degrees from up to three numbers: degrees, minutes, seconds; the last ones may be missing."""
    found = directory.numbers(tag)
    if not found:
        return None
    degrees = sum(part / unit for part, unit in zip(found, (1, 60, 3600), strict=False))
    ref = directory.raw(ref_tag) or b"?"
    return -degrees if ref[:1] in (negative[:1], negative[1:]) else degrees
