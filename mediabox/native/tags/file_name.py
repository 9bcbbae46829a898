"""When a picture was taken, as its file name says, or the folders it lies in.

`IMG_20180725_163423.jpg`, `PXL_20231006_063000139.jpg` (UTC), `FB_IMG_1514764800000.jpg` (an instant),
`VID-20200101-WA0001.mp4`, `WP_20140102_001.jpg` (a day only), `Screenshot_2019-05-21_at_10.45.52.png`,
`signal-2021-03-04-123456.jpg`, `2018-04-12_19_24_49.mov`. Folders: `1998-07 Greece`, `2004/06`, `July 1998`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.model.tables import rows
from mediabox.native.tags.dates import DAY, candidate, moment, utc_candidate, year_first

_YEAR, _MONTH, _DAY_OF_MONTH = r"((?:19|20)\d\d)", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
_DATE = rf"(?<!\d){_YEAR}([-_. ]?){_MONTH}\2{_DAY_OF_MONTH}"
_BETWEEN = r"(?:[-_ T.,]|\bat\b|\bum\b|\bà\b){1,4}?(?:at[_ ])?"
_REST = r"[-_.:h ]?([0-5]\d)[-_.:m ]?([0-5]\d)(?:[-_.]?(\d{2,3}))?(?!\d)(?:\s?([AaPp])[Mm])?"
_MOMENT = re.compile(_DATE + _BETWEEN + r"([01]?\d|2[0-4])" + _REST)
_COMPACT = re.compile(rf"(?<!\d){_YEAR}(){_MONTH}{_DAY_OF_MONTH}([01]\d|2[0-4])" + _REST)
# A day alone must be written as one, or stand where cameras and messengers put it: eight digits may be anything.
_WRITTEN_DAY = re.compile(rf"(?<!\d){_YEAR}([-_.]|[年년] ?)(\d\d?)(?:\2|[月월] ?)(\d\d?)(?!\d)")
_CAMERAS_DAY = re.compile(
    rf"(?<![A-Za-z0-9])(?:MV)?(?:IMG|VID|PTT|STK|AUD|WP|PXL|PANO|BURST|Screenshot|Video|Photo|signal)[-_ ]?{_YEAR}()"
    rf"{_MONTH}{_DAY_OF_MONTH}(?!\d)",
    re.IGNORECASE,
)
_YEAR_LAST = re.compile(rf"(?<![\d.])\d\d?([-_.])\d\d?\1{_YEAR}(?!\d)")
_TELEGRAM = re.compile(rf"@(\d\d)-(\d\d)-{_YEAR}(?!\d)")  # photo_12@03-04-2019_05-06-07.jpg: day first
# Milliseconds since 1970, of 2001 to 2033: Facebook, WeChat, and apps that put nothing else into the name.
_EPOCH_MS = re.compile(
    r"(?:^|FB_(?:IMG|VID)_|mmexport|wx_camera_|microMsg\.|(?:IMG|VID|image|photo|picture|video|faceapp|PhotoGrid)[-_]?)"
    r"(1\d{12})(?=[^\d]|$)"
)
_MAY_TELL = re.compile(r"(?:19|20)\d\d|1\d{12}")  # most names do not, and the others take ten times as long
MAX_NAME = 512

_FOLDER = re.compile(
    rf"{_YEAR}(?:([-_. ]?){_MONTH}\2{_DAY_OF_MONTH}(?!\d)|[-_. 年]{_MONTH}(?!\d)"
    r"|(?![A-Za-z0-9])(?!\s?[-\u2013_.]\s?\d))"  # `2010-2014` is no year
)
_MONTH_FIRST = re.compile(rf"{_MONTH}[-_.]{_YEAR}(?![\w])")
_SIX_DIGITS = re.compile(rf"(19[013-9]\d|20(?:1[3-9]|[2-9]\d)){_MONTH}(?!\w)")  # `201012` may be 12 October 2020
_YEAR_BEHIND = re.compile(rf"([^\W\d_]+)[\s,._-]+{_YEAR}(\W*$)?(?!\w)")
_INNER = re.compile(r"(\d\d)(?![-_.]?\d)")  # the month in `2004/06`, the day in `2004/06/15`
MAX_FOLDERS = 16
_NUMBER = {word: row[0] for row in rows("words") for word in row[1].split(" ") if row[0].isdigit()}


def named_time(name: str) -> CaptureTime | None:
    """The moment a file name tells: local time, or UTC where the maker's names are in UTC (Pixel)."""
    name = name[:MAX_NAME]
    if _MAY_TELL.search(name) is None:
        return None
    if (instant := _EPOCH_MS.search(name)) is not None:
        return utc_candidate(datetime.fromtimestamp(int(instant[1]) / 1000, UTC), TimeSource.FILE_NAME)
    name = _TELEGRAM.sub(r" \1.\2.\3", name)
    if (last := _YEAR_LAST.search(name)) is not None:
        name = year_first(name[last.start() :])
    found = _MOMENT.search(name) or _COMPACT.search(name)
    if found is None:
        return _day_only(name)
    year, _, month, day, hour, minute, second, millis, half = found.groups()
    hours = int(hour) % 12 + (12 if half in "Pp" else 0) if half else int(hour) % 24
    taken = moment(f"{year}-{month}-{day}T{hours:02}:{minute}:{second}" + (f".{millis}" if millis else ""))
    return None if taken is None else candidate(taken, TimeSource.FILE_NAME, 0 if name.startswith("PXL_") else None)


def folder_time(folder: str) -> CaptureTime | None:
    """The period the folders of a path tell, the innermost that do first; None when none tells a year."""
    parts = folder.split("/")[-MAX_FOLDERS:] if _MAY_TELL.search(folder) else []
    for last in range(len(parts), 0, -1):
        found = _FOLDER.match(_year_leading(parts[last - 1][:MAX_NAME]))
        if found is None:
            continue
        year, _, month, day, month_alone = found.groups()
        numbers = [year, *filter(None, (month or month_alone, day)), *_inner(parts[last:])]
        taken = moment("-".join(numbers[:3]))
        return None if taken is None else candidate(taken, TimeSource.FOLDER)
    return None


def _year_leading(part: str) -> str:
    """`24.12.2003 Christmas`, `07.1998`, `199807`, `July 1998`, `Photos from 2013`, the year first."""
    part = year_first(part)
    if (found := _SIX_DIGITS.match(part)) is not None:
        return f"{found[1]}-{found[2]}"
    if (found := _MONTH_FIRST.match(part)) is not None:
        return f"{found[2]}-{found[1]}"
    for found in () if _FOLDER.match(part) else _YEAR_BEHIND.finditer(part):
        month = _NUMBER.get(found[1].casefold())
        if month or found[3] is not None:
            return f"{found[2]}-{month}" if month else found[2]
    return part


def _inner(parts: list[str]) -> Iterator[str]:
    """The numbers of the folders inside a year's or month's, as long as there is one in each."""
    for part in parts:
        found = _INNER.match(part)
        number = found[1] if found else _NUMBER.get(part.casefold())
        if number is None:
            return
        yield number


def _day_only(name: str) -> CaptureTime | None:
    found = _CAMERAS_DAY.search(name) or _WRITTEN_DAY.search(name)
    taken = None if found is None else moment(f"{found[1]}-{found[3]}-{found[4]}")
    return None if taken is None or taken.known != DAY else candidate(taken, TimeSource.FILE_NAME)
