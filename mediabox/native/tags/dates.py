"""Read the ways files write a moment, and say which of them are moments at all.

EXIF: `2024:05:12 18:03:22`; ISO 8601 in XMP and QuickTime: `2024-05-12T18:03:22.12+02:00`;
C's asctime and RFC 1123 in words. What is not known is left out, zero or blank
(`1987`, `1987-06`, `1987:00:00 00:00:00`, `1987:  :  `): such a date is kept as the period it is.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from mediabox.model.facts import CaptureTime, TimeSource

MAX_OFFSET_MIN = 14 * 60  # Line Islands, UTC+14, is the farthest there is
_MOVIE_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)  # ISO/IEC 14496-12, 8.2.2.3
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR, MONTH, DAY = 4, 7, 10  # characters of ISO 8601: how much of a date is known

# Phones with a 12-hour clock write it where Exif has 24 hours, in their own language, before or behind the time.
# The last of each line are the Chinese words in GB 2312 and Big5, read as Latin-1.
_AM = r"a\.?\s?m\b\.?|上午|凌晨|早上|午前|오전|vorm\.|ص|πμ|ÉÏÎç|¤W¤È"
_PM = r"p\.?\s?m\b\.?|下午|晚上|午後|오후|nachm\.|م|μμ|ÏÂÎç|¤U¤È"
_HALF = rf"(?:({_AM})|({_PM}))?"
_MOMENT = re.compile(
    r"[\s\"']*(\d{4})(?!\d)(?:[:\-/.年년](?:\s(?=\d))?(\d{1,2}| [ \d])"
    r"(?:[:\-/.月월](?:\s(?=\d))?(\d{1,2}| [ \d])[日일]?"
    rf"(?:(?:[ T:]+|-(?=\d\d\W\d\d\W\d\d)){_HALF}\s*(\d{{1,2}})[:.時时시]\s?(\d{{1,2}}| \d)"
    rf"(?:[:.分분]\s?(\d{{1,2}}| \d)(?:[.,](\d{{1,9}}))?)?[秒초]?\s*{_HALF})?"
    r"\s*(Z|UTC|GMT|[+-]\d{1,2}:?\d{2})?)?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"\s*((?:19|20)\d\d)(\d\d)(\d\d)(?:[ T_-]?(\d\d)(\d\d)(\d\d)?)?(?!\d)(.*)", re.DOTALL)
_YEAR_LAST = re.compile(r"\s*(\d{1,2})([./_-])(\d{1,2})\2(\d{4})(?!\d)(.*)", re.DOTALL)
_ISO = re.compile(r"\s*\d{4}-\d\d-\d\dT")
_BUDDHIST = 543  # years ahead: what a phone set to Thai writes
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ASCTIME = re.compile(r"\s*[a-z]{3},? +([a-z]{3}) +(\d{1,2}) +(\d{1,2}:\d\d:\d\d) +(\d{4})()", re.IGNORECASE)
_RFC_1123 = re.compile(
    r"\s*(?:[a-z]{3,9}, +)?(\d{1,2}) +([a-z]{3})[a-z]* +(\d{4})(?: +(\d{1,2}:\d\d(?::\d\d)?.*))?", re.IGNORECASE
)
_OFFSET = re.compile(r"\s*([+-])(\d{1,2}):?(\d{2})")


class Moment(NamedTuple):
    """A wall-clock time and, when it was written with it, minutes east of UTC."""

    local: datetime  # naive; the beginning of the period, when it is one
    offset_min: int | None
    has_millis: bool
    known: int | None = None  # YEAR, MONTH or DAY: all that is known; None: the time of day, too


def moment(text: str) -> Moment | None:
    """The moment `text` begins with, or None: blank, zero and impossible dates are none."""
    found = _MOMENT.match(year_first(text))
    if found is None:
        return _moment_in_words(text)
    year, month, day, am, pm, hour, minute, second, fraction, late_am, late_pm, zone = found.groups()
    months, days = _number(month), _number(day)
    known = None if hour and months and days else DAY if months and days else MONTH if months else YEAR
    try:
        is_buddhist = int(year) > 2400 and not _ISO.match(text)  # ISO 8601 counts in Gregorian years
        years = int(year) - (_BUDDHIST if is_buddhist else 0)
        first = datetime(years, months or 1, (months and days) or 1)  # noqa: DTZ001 - local by nature
    except ValueError:
        return None
    hours, minutes, seconds = _number(hour), _number(minute), _number(second)
    if am or pm or late_am or late_pm:
        hours = hours % 12 + (12 if pm or late_pm else 0)
    hours = 0 if hours == 24 else hours  # Java's `kk` writes 24:04 for four past midnight of the same day
    if known or hours > 23 or minutes > 59 or seconds > 60:
        return Moment(first, None, False, known or DAY)
    millis = int((fraction or "0")[:3].ljust(3, "0"))
    local = first.replace(hour=hours, minute=minutes, second=min(seconds, 59), microsecond=millis * 1000)
    return Moment(local, offset(zone) if zone else None, bool(fraction))


def year_first(text: str) -> str:
    """`20140506 070809` and `26.05.2014 07:08:09` as Exif would write them; of `06/05/2014` only the year is sure."""
    if (found := _COMPACT.match(text)) is not None:
        year, month, day, hour, minute, second, rest = found.groups()
        return f"{year}-{month}-{day}" + (f"T{hour}:{minute}:{second or '00'}" if hour else "") + rest
    if (found := _YEAR_LAST.match(text)) is None:
        return text
    one, mark, other, year, rest = found.groups()
    if int(other) > 12:
        one, other = other, one
    is_sure = mark == "." or int(one) > 12 or one == other
    return f"{year}-{int(other):02}-{int(one):02}{rest}" if is_sure else year


def _number(digits: str | None) -> int:
    """Two characters of a date; blank is zero: not known."""
    return int((digits or "").strip() or 0)


def _moment_in_words(text: str) -> Moment | None:
    """The moment in `Sat Mar 05 12:34:56 2005` (asctime) or `Sat, 5 Mar 2005 12:34:56 +0100` (RFC 1123)."""
    if (found := _ASCTIME.match(text)) is not None:
        month, day, time, year = found[1], found[2], found[3], found[4]
    elif (found := _RFC_1123.match(text)) is not None:
        day, month, year, time = found[1], found[2], found[3], found[4] or ""
    else:
        return None
    if month.lower() not in _MONTHS:
        return None
    return moment(f"{year}-{_MONTHS.index(month.lower()) + 1}-{day}T{time}")


def offset(text: str) -> int | None:
    """Minutes east of UTC from `+02:00`, `-0730` or `Z`; None when it is not one or no place has it."""
    if text.strip().upper().startswith(("Z", "UTC", "GMT")):
        return 0
    found = _OFFSET.match(text)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    return None if minutes > MAX_OFFSET_MIN else minutes if found[1] == "+" else -minutes


def with_subseconds(taken: Moment, digits: str) -> Moment:
    """The moment with EXIF's SubSecTime, whose digits are those after the decimal point."""
    digits = digits.strip()[:9]
    if not (digits.isascii() and digits.isdigit()) or taken.has_millis or taken.known:
        return taken
    return Moment(taken.local + timedelta(milliseconds=int(digits[:3].ljust(3, "0"))), taken.offset_min, True)


def candidate(taken: Moment, source: TimeSource, offset_min: int | None = None) -> CaptureTime:
    """The moment as a capture time; `offset_min` where the moment itself does not know."""
    if taken.known:
        return CaptureTime(local=taken.local.isoformat()[: taken.known], source=source)
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
    """The instant of a movie header's creation time, seconds since 1904; None for 0 (unset).

    Nobody filmed digitally before 1970: there the writer counted from 1970 (ExifTool decides the same).
    """
    if not 0 < seconds < 1 << 34:
        return None
    at = _MOVIE_EPOCH + timedelta(seconds=seconds)
    return at if at >= _UNIX_EPOCH else _UNIX_EPOCH + timedelta(seconds=seconds)


def offset_between(local: datetime, utc: datetime) -> int | None:
    """Minutes east of UTC, rounded to a quarter of an hour as every zone is; None beyond +-14 h (a stale fix)."""
    minutes = round((local - utc).total_seconds() / 900) * 15
    return minutes if abs(minutes) <= MAX_OFFSET_MIN else None
