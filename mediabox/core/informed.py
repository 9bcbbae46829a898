"""What is known of a file when its own bytes and its source are heard both. Pure.

The facts stored are those of the bytes alone; this is asked wherever a decision or a
sidecar is made from them, so that what a source says later counts at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from mediabox.model.facts import CaptureTime, TimeSource

if TYPE_CHECKING:
    from mediabox.model.facts import Facts
    from mediabox.model.said import Said

TIME_RANK = {source: rank for rank, source in enumerate(TimeSource)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SANE_YEARS = range(1900, 2101)  # as `native.tags.capture_time` has them; a person may set any date
_MOST_OFFSET_MIN = 16 * 60
_MINUTE = len("2024-05-12T18:03")


def informed(facts: Facts, said: Said | None) -> Facts:
    """The facts, with capture time and place from the source where the file knows none, or only guesses."""
    if said is None:
        return facts
    taken, own = said_time(said), facts.capture_time
    if taken is not None and (own is None or TIME_RANK[taken.source] < TIME_RANK[own.source]):
        facts = msgspec.structs.replace(facts, capture_time=taken)
    elif taken is not None and own is not None and _lacks_only_zone(own, taken) and said.offset_min is not None:
        facts = msgspec.structs.replace(facts, capture_time=msgspec.structs.replace(own, offset_min=taken.offset_min))
    if facts.place is None and said.place is not None:
        facts = msgspec.structs.replace(facts, place=said.place)
    return facts


def _lacks_only_zone(own: CaptureTime, taken: CaptureTime) -> bool:
    """Old cameras leave the zone out. It is the source's while both mean the same minute: nobody corrected either."""
    return own.offset_min is None and own.local[:_MINUTE] == taken.local[:_MINUTE]


def said_time(said: Said) -> CaptureTime | None:
    """When a source says the shutter opened, on the wall clock there; None when it says nothing sane."""
    if said.taken_at_ms is None:
        return None
    offset_min = said.offset_min
    if offset_min is not None and abs(offset_min) > _MOST_OFFSET_MIN:
        offset_min = None
    try:
        instant = _EPOCH + timedelta(milliseconds=said.taken_at_ms)
        local = instant + timedelta(minutes=offset_min or 0)
    except OverflowError:
        return None
    if local.year not in _SANE_YEARS:
        return None
    precision = "milliseconds" if local.microsecond else "seconds"
    text = local.replace(tzinfo=None).isoformat(timespec=precision)
    # Without a zone it is UTC's wall clock, and says so.
    return CaptureTime(local=text, offset_min=offset_min or 0, source=TimeSource.SOURCE)
