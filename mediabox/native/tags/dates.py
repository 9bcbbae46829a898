"""Read the ways files write a moment, and say which of them are moments at all.

EXIF: `2024:05:12 18:03:22`; ISO 8601 in XMP and QuickTime: `2024-05-12T18:03:22.12+02:00`.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from mediabox.model.facts import CaptureTime, TimeSource

EARLIEST_YEAR = 1900  # older is an unset clock or a slip; scans of older prints say so elsewhere
MAX_OFFSET_MIN = 14 * 60  # Line Islands, UTC+14, is the farthest there is
_MOVIE_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)  # ISO/IEC 14496-12, 8.2.2.3

_MOMENT = re.compile(
    r"\s*(\d{4})[:\-/.](\d{1,2})[:\-/.](\d{1,2})"
    r"(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|UTC|[+-]\d{1,2}:?\d{2})?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORDS = re.compile(r"\s*[a-z]{3},? +([a-z]{3}) +(\d{1,2}) +(\d{1,2}:\d\d:\d\d) +(\d{4})", re.IGNORECASE)
_OFFSET = re.compile(r"\s*([+-])(\d{1,2}):?(\d{2})")


class Moment(NamedTuple):
    """A wall-clock time and, when it was written with it, minutes east of UTC."""

    local: datetime  # naive
    offset_min: int | None
    has_millis: bool


def moment(text: str) -> Moment | None:
    """The moment `text` begins with, or None: blank, zero and impossible dates are none."""
    found = _MOMENT.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    millis = int((fraction or "0")[:3].ljust(3, "0"))
    try:
        local = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return None
    return Moment(local + timedelta(milliseconds=millis), offset(zone or ""), bool(fraction))


def moment_in_words(text: str) -> Moment | None:
    """The moment in `Sat Mar 05 12:34:56 2005`, as C's asctime writes it, in whatever case a camera likes."""
    found = _WORDS.match(text)
    if found is None or found[1].lower() not in _MONTHS:
        return None
    return moment(f"{found[4]}-{_MONTHS.index(found[1].lower()) + 1}-{found[2]}T{found[3]}")


def offset(text: str) -> int | None:
    """Minutes east of UTC from `+02:00`, `-0730` or `Z`; None when it is not one or no place has it."""
    if text.strip().startswith(("Z", "UTC")):
        return 0
    found = _OFFSET.match(text)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    return None if minutes > MAX_OFFSET_MIN else minutes if found[1] == "+" else -minutes


def with_subseconds(taken: Moment, digits: str) -> Moment:
    """The moment with EXIF's SubSecTime, whose digits are those after the decimal point."""
    digits = digits.strip()[:9]
    if not (digits.isascii() and digits.isdigit()) or taken.has_millis:
        return taken
    return Moment(taken.local + timedelta(milliseconds=int(digits[:3].ljust(3, "0"))), taken.offset_min, True)


def candidate(taken: Moment, source: TimeSource, offset_min: int | None = None) -> CaptureTime:
    """The moment as a capture time; `offset_min` where the moment itself does not know."""
    return CaptureTime(
        local=taken.local.isoformat(timespec="milliseconds" if taken.has_millis else "seconds"),
        offset_min=taken.offset_min if taken.offset_min is not None else offset_min,
        source=source,
    )


def utc_candidate(at: datetime, source: TimeSource) -> CaptureTime:
    """An instant whose wall clock is unknown: told in UTC, offset 0, so that the instant at least is right."""
    naive = at.astimezone(UTC).replace(tzinfo=None)
    timespec = "milliseconds" if naive.microsecond >= 1000 else "seconds"
    return CaptureTime(local=naive.isoformat(timespec=timespec), offset_min=0, source=source)


def movie_instant(seconds: int) -> datetime | None:
    """The instant of a movie header's creation time, seconds since 1904; None for 0 (unset)."""
    return _MOVIE_EPOCH + timedelta(seconds=seconds) if 0 < seconds < 1 << 34 else None


def offset_between(local: datetime, utc: datetime) -> int | None:
    """Minutes east of UTC, rounded to a quarter of an hour as every zone is; None beyond +-14 h (a stale fix)."""
    minutes = round((local - utc).total_seconds() / 900) * 15
    return minutes if abs(minutes) <= MAX_OFFSET_MIN else None
