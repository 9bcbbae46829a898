"""When a picture was taken, as its file name says.

`IMG_20180725_163423.jpg`, `PXL_20231006_063000139.jpg` (UTC), `VID-20200101-WA0001.mp4` (a day only),
`Screenshot_2019-05-21_at_10.45.52.png`, `signal-2021-03-04-123456.jpg`, `2018-04-12_19_24_49.mov`.
"""

import itertools
import re
from datetime import datetime

from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.native.tags.dates import Moment, candidate

_DAY = r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
_BETWEEN = r"(?:[-_ T.,]|\bat\b|\bum\b|\bà\b){1,4}?(?:at[_ ])?"
_TIME = r"([01]?\d|2[0-4])[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d)(?:[-_.]?(\d{3}))?(?!\d)(?:\s?([AaPp])[Mm])?"
_MOMENT = re.compile(_DAY + _BETWEEN + _TIME)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)()(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])" + _TIME)
# A day alone must be written as one, or stand where messengers put it: eight digits may be anything.
_WRITTEN_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.])(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_MESSENGER_DAY = re.compile(r"(?:IMG|VID|PTT|STK|AUD)-((?:19|20)\d\d)()(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])-WA\d")
MAX_NAME = 512


def named_time(name: str) -> CaptureTime | None:
    """The moment a file name tells: local time, or UTC where the maker's names are in UTC (Pixel)."""
    name = name[:MAX_NAME]
    found = _MOMENT.search(name) or _COMPACT.search(name)
    if found is None:
        return _day_only(name)
    year, _, month, day, hour, minute, second, millis, half = found.groups()
    hours = int(hour) % 12 + (12 if half in "Pp" else 0) if half else int(hour)
    taken = _moment(f"{year}{month}{day}{hours:02}{minute}{second}{millis or '000'}")
    if taken is None:
        return None
    return candidate(
        Moment(taken, None, has_millis=millis is not None),
        TimeSource.FILE_NAME,
        0 if name.startswith("PXL_") else None,
    )


def _day_only(name: str) -> CaptureTime | None:
    found = _MESSENGER_DAY.search(name) or _WRITTEN_DAY.search(name)
    taken = None if found is None else _moment(f"{found[1]}{found[3]}{found[4]}000000000")
    return None if taken is None else candidate(Moment(taken, None, has_millis=False), TimeSource.FILE_NAME)


def _moment(digits: str) -> datetime | None:
    """The local time of `yyyymmddhhmmssmmm`; None when no calendar has it."""
    cuts = itertools.pairwise((0, 4, 6, 8, 10, 12, 14, 17))
    year, month, day, hour, minute, second, millis = (int(digits[at:end]) for at, end in cuts)
    try:
        return datetime(year, month, day, hour, minute, second, millis * 1000)  # noqa: DTZ001 - local by nature
    except ValueError:
        return None
