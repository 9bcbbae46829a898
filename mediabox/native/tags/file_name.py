"""When a picture was taken, as its file name says, or the folders it lies in.

`IMG_20180725_163423.jpg`, `PXL_20231006_063000139.jpg` (UTC), `FB_IMG_1514764800000.jpg` (an instant),
`VID-20200101-WA0001.mp4`, `WP_20140102_001.jpg` (a day only), `Screenshot_2019-05-21_at_10.45.52.png`,
`signal-2021-03-04-123456.jpg`, `2018-04-12_19_24_49.mov`. Folders: `1998-07 Greece`, `2004/06`.
"""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.native.tags.dates import DAY, Moment, candidate, moment, utc_candidate

_YEAR, _MONTH, _DAY_OF_MONTH = r"((?:19|20)\d\d)", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
_DATE = rf"(?<!\d){_YEAR}([-_.]?){_MONTH}\2{_DAY_OF_MONTH}"
_BETWEEN = r"(?:[-_ T.,]|\bat\b|\bum\b|\bà\b){1,4}?(?:at[_ ])?"
_TIME = r"([01]?\d|2[0-4])[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d)(?:[-_.]?(\d{3}))?(?!\d)(?:\s?([AaPp])[Mm])?"
_MOMENT = re.compile(_DATE + _BETWEEN + _TIME)
_COMPACT = re.compile(rf"(?<!\d){_YEAR}(){_MONTH}{_DAY_OF_MONTH}" + _TIME)
# A day alone must be written as one, or stand where cameras and messengers put it: eight digits may be anything.
_WRITTEN_DAY = re.compile(rf"(?<!\d){_YEAR}([-_.]){_MONTH}\2{_DAY_OF_MONTH}(?!\d)")
_CAMERAS_DAY = re.compile(
    rf"(?<![A-Za-z0-9])(?:MV)?(?:IMG|VID|PTT|STK|AUD|WP|PXL|PANO|BURST|Screenshot|Video|Photo|signal)[-_ ]?{_YEAR}()"
    rf"{_MONTH}{_DAY_OF_MONTH}(?!\d)",
    re.IGNORECASE,
)
# Milliseconds since 1970, of 2001 to 2033: Facebook, WeChat, and apps that put nothing else into the name.
_EPOCH_MS = re.compile(r"(?:^|FB_(?:IMG|VID)_|mmexport|wx_camera_|microMsg\.)(1\d{12})(?=[^\d]|$)")
MAX_NAME = 512

_FOLDER = re.compile(
    rf"{_YEAR}(?:([-_. ]?){_MONTH}\2{_DAY_OF_MONTH}(?!\d)|[-_. 年]{_MONTH}(?!\d)"
    r"|(?![A-Za-z0-9])(?!\s?[-\u2013_.]\s?\d))"  # `2010-2014` is no year
)
_INNER = re.compile(r"(\d\d)(?![-_.]?\d)")  # the month in `2004/06`, the day in `2004/06/15`
MAX_FOLDERS = 16


def named_time(name: str) -> CaptureTime | None:
    """The moment a file name tells: local time, or UTC where the maker's names are in UTC (Pixel)."""
    name = name[:MAX_NAME]
    if (instant := _EPOCH_MS.search(name)) is not None:
        return utc_candidate(datetime.fromtimestamp(int(instant[1]) / 1000, UTC), TimeSource.FILE_NAME)
    found = _MOMENT.search(name) or _COMPACT.search(name)
    if found is None:
        return _day_only(name)
    year, _, month, day, hour, minute, second, millis, half = found.groups()
    hours = int(hour) % 12 + (12 if half in "Pp" else 0) if half else int(hour) % 24
    taken = _moment(f"{year}{month}{day}{hours:02}{minute}{second}{millis or '000'}")
    if taken is None:
        return None
    return candidate(
        Moment(taken, None, has_millis=millis is not None),
        TimeSource.FILE_NAME,
        0 if name.startswith("PXL_") else None,
    )


def folder_time(folder: str) -> CaptureTime | None:
    """The period the folders of a path tell, the innermost that do first; None when none begins with a year."""
    parts = folder.split("/")[-MAX_FOLDERS:]
    for last in range(len(parts), 0, -1):
        found = _FOLDER.match(parts[last - 1][:MAX_NAME])
        if found is None:
            continue
        year, _, month, day, month_alone = found.groups()
        numbers = [year, *filter(None, (month or month_alone, day)), *_inner(parts[last:])]
        taken = moment("-".join(numbers[:3]))
        return None if taken is None else candidate(taken, TimeSource.FOLDER)
    return None


def _inner(parts: list[str]) -> Iterator[str]:
    """The numbers of the folders inside a year's or month's, as long as there is one in each."""
    for found in map(_INNER.match, parts):
        if found is None:
            return
        yield found[1]


def _day_only(name: str) -> CaptureTime | None:
    found = _CAMERAS_DAY.search(name) or _WRITTEN_DAY.search(name)
    taken = None if found is None else _moment(f"{found[1]}{found[3]}{found[4]}000000000")
    return None if taken is None else candidate(Moment(taken, None, False, DAY), TimeSource.FILE_NAME)


def _moment(digits: str) -> datetime | None:
    """The local time of `yyyymmddhhmmssmmm`; None when no calendar has it."""
    cuts = itertools.pairwise((0, 4, 6, 8, 10, 12, 14, 17))
    year, month, day, hour, minute, second, millis = (int(digits[at:end]) for at, end in cuts)
    try:
        return datetime(year, month, day, hour, minute, second, millis * 1000)  # noqa: DTZ001 - local by nature
    except ValueError:
        return None
