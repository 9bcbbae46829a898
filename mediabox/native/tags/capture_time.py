"""Choose when the shutter opened among everything a file, its name and its folder say.

The order is that of `model.facts.TimeSource`, best first; the first sane one wins.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from mediabox.clock import Clock
from mediabox.contracts import ExamineRequest
from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.native.tags.dates import EARLIEST_YEAR, utc_candidate
from mediabox.native.tags.file_name import named_time

_RANK = {source: rank for rank, source in enumerate(TimeSource)}
_AHEAD = timedelta(days=2)  # a camera set to another zone, or a clock slightly off, is no reason to lose a date
_LAST_YEAR = 2100  # the bound while the box's own clock is not to be trusted


def choose(candidates: Iterable[CaptureTime], *, clock: Clock) -> CaptureTime | None:
    """The best sane candidate, or None. Before 1900, or more than two days ahead, is not sane."""
    latest = f"{_LAST_YEAR}-12-31T23:59:59"
    if clock.is_trusted():
        now = datetime.fromtimestamp(clock.wall_ms() / 1000, UTC).replace(tzinfo=None)
        latest = (now + _AHEAD).isoformat(timespec="seconds")
    # ISO 8601 without zone, all of four-digit years: text order is time order.
    sane = [each for each in candidates if f"{EARLIEST_YEAR:04}" <= each.local <= latest]
    return min(sane, key=lambda each: _RANK[each.source], default=None)


def outside_times(request: ExamineRequest) -> list[CaptureTime]:
    """What the name and the folder say: the last resorts."""
    found = []
    named = named_time(request.name)
    if named is not None:
        found.append(named)
    modified = _instant(request.modified_at_ms)
    if modified is not None:
        found.append(utc_candidate(modified, TimeSource.FILE_MODIFIED))
    return found


def _instant(unix_ms: int | None) -> datetime | None:
    """The instant of a file's time stamp; None for 0 (never set) and for what no calendar holds."""
    if not unix_ms or not 0 < unix_ms < 1 << 42:
        return None
    return datetime.fromtimestamp(unix_ms / 1000, UTC)
