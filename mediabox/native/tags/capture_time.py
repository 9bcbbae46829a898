"""Choose when the shutter opened, among everything a file, its name and its folder say. Pure.

Each candidate has a source, a precision (a moment, or a day, month, year) and perhaps a zone.
They vote (decision 0012), because every source lies in its own way:

1. What lies in the future or before photography is no date.
2. A clock that was never set shows its maker's default. That counts only where nothing else speaks,
   unless a name or a satellite says the same day. A New Year's first hour counts unless one of them says another.
3. Else the best source (`model.facts.TimeSource`) speaks; but a satellite and a name that agree outvote a camera.
4. Headers, modification times and names are written when a file is made: they can only be late, the earliest counts.
5. A period is narrowed to the moment another source knows within it.
6. An instant in UTC and a wall clock, each from another place, make a time with its zone.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from mediabox.clock import Clock
from mediabox.contracts import ExamineRequest
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.place import Place
from mediabox.native.tags.dates import candidate, moment, offset_between, utc_candidate
from mediabox.native.tags.file_name import folder_time, named_time

_RANK = {source: rank for rank, source in enumerate(TimeSource)}
_AHEAD = timedelta(days=2)  # a camera set to another zone, or a clock slightly off, is no reason to lose a date
_EARLIEST = "1900"  # older is an unset clock or a slip; scans of older prints say so elsewhere
_LATEST = "2100-12-31T23:59:59"  # the bound while the box's own clock is not to be trusted
_SAME_DAY = timedelta(
    hours=26
)  # two clocks that mean one day: zones are up to 14 hours apart, a day is known by its noon
_JITTER = timedelta(minutes=2)  # between a clip's name and its header, in one zone

# Where clocks start that nobody set: Unix and QuickTime (also seen from zones west), DOS, GPS, NTP's turn, and what
# cameras show without a battery. Midnight of a New Year in the years of digital cameras is a maker's default as well.
_DEFAULT = re.compile(
    r"19(?:04-01-01|69-12-31|70-01-01|79-12-31|80-01-0[16])|200[01]-01-01|2002-12-08T12:0|2036-02-0[67]|2038-01-19"
    r"|(?:199[5-9]|20\d\d)-01-01T00:00:00"
)
# Such a clock runs on: a New Year's first hour, and what zeros and a turned GPS week become. Real, unless a name, a
# folder or a satellite says another day.
_FIRST_HOUR = re.compile(r"(?:199[5-9]|20\d\d)-01-01T(?:00|12:0)|1999-(?:12-31T2|11-30T00|08-2[12])")
_EPOCHS = "1970-01-02"  # no digital camera is that old: less than nothing else
_INDEPENDENT = frozenset({TimeSource.FILE_NAME, TimeSource.FOLDER, TimeSource.GPS_UTC})  # of the camera's clock
_CAMERA = frozenset({TimeSource.EXIF_OFFSET, TimeSource.EXIF_LOCAL})
_WRITTEN = frozenset({TimeSource.MOVIE_HEADER, TimeSource.EXIF_MODIFIED, TimeSource.FILE_NAME})
OUTSIDE = frozenset({TimeSource.FILE_NAME, TimeSource.FOLDER, TimeSource.FILE_MODIFIED})
# `creation_time` is UTC by FFmpeg's rule, `modification_date` by MXF's (SMPTE 377, 4.3); the others are people's.
_CONTAINER_WORDS = (
    ("date_recorded", TimeSource.QUICKTIME_DATE), ("creationdate", TimeSource.QUICKTIME_DATE),
    ("date", TimeSource.QUICKTIME_DATE), ("date_digitized", TimeSource.QUICKTIME_DATE),
    ("datetimeoriginal", TimeSource.EXIF_LOCAL),  # Exif in an AVI
    ("creation_time", TimeSource.MOVIE_HEADER), ("modification_date", TimeSource.MOVIE_HEADER),
    ("metadatadate", TimeSource.EXIF_MODIFIED),
)  # fmt: skip
_INSTANTS = frozenset({TimeSource.MOVIE_HEADER, TimeSource.GPS_UTC, TimeSource.TAKEOUT})
_DAYS_EDGE = timedelta(hours=15), timedelta(hours=24)  # around a day's noon: what its zones, from UTC+3 to UTC-12, hold


def choose(candidates: Iterable[CaptureTime], *, clock: Clock, place: Place | None = None) -> CaptureTime | None:
    """What the vote says, or None. `place`, where it was taken, gives an instant without zone the likely one."""
    unlike = dict.fromkeys(candidates)  # a movie's header and tracks often say the same
    sane = _sane(unlike, clock) if unlike else []
    if not sane:
        return None
    best = min(sane, key=lambda each: (_doubt(each, sane), _RANK[each.source]))
    best = _earliest(_outvoted(best, sane), sane)
    return _zoned(_narrowed(best, sane), sane, place)


def outside_times(request: ExamineRequest) -> list[CaptureTime]:
    """What the name and the folders say: the last resorts."""
    modified = _instant(request.modified_at_ms)
    written = None if modified is None else utc_candidate(modified, TimeSource.FILE_MODIFIED)
    return [each for each in (named_time(request.name), folder_time(request.folder), written) if each is not None]


def with_container_words(facts: Facts, words: Mapping[str, str], *, clock: Clock) -> Facts:
    """The facts of a video whose headers told nothing, with what FFmpeg read in them (AVI, Matroska, FLV, MXF)."""
    facts = msgspec.structs.replace(
        facts,
        title=facts.title or words.get("title"),
        caption=facts.caption or words.get("comment"),
        software=facts.software or words.get("software") or words.get("encoder"),
    )
    own = facts.capture_time
    if own is not None and own.source not in OUTSIDE:
        return facts
    is_local = facts.media_type == "video/x-msvideo"  # cameras date an AVI by their own clock
    told = [
        (moment(words.get(key, "").replace(".000000", "")), TimeSource.EXIF_LOCAL if is_local else source)
        for key, source in _CONTAINER_WORDS
    ]
    times = [candidate(at, source, 0 if source in _INSTANTS else None) for at, source in told if at is not None]
    taken = choose((*times, own) if own else times, clock=clock, place=facts.place)
    return msgspec.structs.replace(facts, capture_time=taken)


def is_clock_default(local: str) -> bool:
    """Whether a clock shows this time without ever having been set."""
    return _DEFAULT.match(local) is not None


def _sane(candidates: Iterable[CaptureTime], clock: Clock) -> list[CaptureTime]:
    """Those from 1900 to two days ahead; without a folder's that is younger than the file in it."""
    latest = _LATEST
    if clock.is_trusted():
        latest = (datetime.fromtimestamp(clock.wall_ms() / 1000, UTC) + _AHEAD).isoformat()[:19]
    # ISO 8601 without zone, all of four-digit years: text order is time order.
    sane = [each for each in candidates if _EARLIEST <= each.local <= latest]
    written = _first(sane, TimeSource.FILE_MODIFIED)
    if written is None or is_clock_default(written.local):
        return sane
    return [each for each in sane if each.source is not TimeSource.FOLDER or each.local <= written.local]


def _doubt(one: CaptureTime, others: Collection[CaptureTime]) -> int:
    """0 for what is believed. Worse: a clock's default, the file's own time, an epoch."""
    if one.source is TimeSource.FILE_MODIFIED:
        return 2
    views = [_agree(one, other) for other in others if other.source in _INDEPENDENT and other.source is not one.source]
    is_contradicted = bool(views) and _FIRST_HOUR.match(one.local) is not None
    if any(views) or not (is_contradicted or is_clock_default(one.local)):
        return 0
    return 3 if one.local < _EPOCHS else 1


def _outvoted(best: CaptureTime, sane: Collection[CaptureTime]) -> CaptureTime:
    if best.source not in _CAMERA:
        return best
    fix, named = _first(sane, TimeSource.GPS_UTC), _first(sane, TimeSource.FILE_NAME)
    if fix is None or named is None:
        return best
    return fix if _agree(fix, named) and not _agree(best, named) and not _agree(best, fix) else best


def _earliest(best: CaptureTime, sane: Collection[CaptureTime]) -> CaptureTime:
    if best.source not in _WRITTEN:
        return best
    written = (each for each in sane if each.source in _WRITTEN and not _doubt(each, sane))
    earliest = min(written, key=lambda each: each.begins, default=best)
    return best if _agree(best, earliest) else earliest


def _narrowed(best: CaptureTime, sane: Collection[CaptureTime]) -> CaptureTime:
    if not best.is_partial:
        return best
    within = (each for each in sane if not each.is_partial and each.local.startswith(best.local))
    return min(within, key=lambda each: (_doubt(each, sane), _RANK[each.source]), default=best)


def _zoned(best: CaptureTime, sane: Collection[CaptureTime], place: Place | None) -> CaptureTime:
    """An instant on the wall clock where it was: by what a local clock says of it, else by the sun."""
    instant = best if best.source in _INSTANTS else _first(sane, TimeSource.MOVIE_HEADER)
    wall = best if best.source is TimeSource.QUICKTIME_DATE else _first(sane, TimeSource.FILE_NAME)
    if instant is None or instant.offset_min != 0 or best not in (instant, wall):
        return best
    if wall is None or wall.offset_min is not None or not _agree(instant, wall):
        is_by_sun = best is instant and (wall is None or wall.offset_min is not None)
        return _east(instant, 60 * round(place.longitude / 15), best.source) if is_by_sun and place else best
    apart = _at(wall) - _at(instant)
    if wall.is_partial:
        return wall if _is_next_day(wall, instant, apart) else best
    east = offset_between(_at(wall), _at(instant))
    if east is None:
        return best
    if abs(apart - timedelta(minutes=east)) > _JITTER:  # a header is often written when the clip ends
        return wall
    # The same hour in both: the header has the local time, or it was in the zone of UTC. Nobody knows.
    return _east(instant, east, best.source) if east else CaptureTime(local=wall.local, source=best.source)


def _is_next_day(day: CaptureTime, instant: CaptureTime, apart: timedelta) -> bool:
    """Whether a zone brings the instant, which lies just beside the day in UTC, into it."""
    before, behind = _DAYS_EDGE
    return instant.local[:10] != day.local and -behind <= apart <= before


def _east(instant: CaptureTime, minutes: int, source: TimeSource) -> CaptureTime:
    local = _at(instant) + timedelta(minutes=minutes)
    timespec = "milliseconds" if "." in instant.local else "seconds"
    return CaptureTime(local=local.isoformat(timespec=timespec), offset_min=minutes, source=source)


def _agree(one: CaptureTime, other: CaptureTime) -> bool:
    """Whether both may mean the same day: a period agrees with all that is in it, or just beside it."""
    if one.local[:10] == other.local[:10]:
        return True
    (first, last), (start, end) = _span(one), _span(other)
    return first - _SAME_DAY <= end and start <= last + _SAME_DAY


def _span(time: CaptureTime) -> tuple[datetime, datetime]:
    """The noon of a period's first day and of its last; a moment twice."""
    return _at(time), _at(time) + timedelta(days={4: 365, 7: 30}.get(len(time.local), 0))


def _first(candidates: Iterable[CaptureTime], source: TimeSource) -> CaptureTime | None:
    return next((each for each in candidates if each.source is source), None)


def _at(time: CaptureTime) -> datetime:
    return datetime.fromisoformat(time.begins)


def _instant(unix_ms: int | None) -> datetime | None:
    """The instant of a file's time stamp; None for 0 (never set) and for what no calendar holds."""
    if not unix_ms or not 0 < unix_ms < 1 << 42:
        return None
    return datetime.fromtimestamp(unix_ms / 1000, UTC)
