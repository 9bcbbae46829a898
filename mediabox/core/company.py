"""What the files of one asset know together, and whether one has to wait for another before it gets its place. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.core.informed import TIME_RANK, informed
from mediabox.model.asset import Kind, Role
from mediabox.model.facts import TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mediabox.contracts import Member
    from mediabox.model.asset import Resource
    from mediabox.model.facts import CaptureTime
    from mediabox.model.said import Said

# Which member stands for the asset: the picture as shot, before its raw twin, before anything derived.
RANK = (Role.ORIGINAL, Role.RAW, Role.EDITED, Role.LIVE_VIDEO, Role.EDITED_VIDEO, Role.SIDECAR, Role.COMPANION)
# A sidecar's own file time, or a date in its name, is the sidecar's and not the picture's.
_OF_THE_FILE = (TimeSource.FILE_MODIFIED, TimeSource.FILE_NAME, TimeSource.FOLDER, TimeSource.EXIF_MODIFIED)
_QUARTER_S = 900  # zones differ by quarters of an hour,
_MOST_ZONE_S = 14 * 3600  # by 14 hours from UTC at most,
_SLACK_S = 60  # and a name may have been given a moment later


def by_rank(members: Iterable[Member]) -> list[Member]:
    """The one that stands for the asset first. The order does not depend on when they came."""
    return sorted(members, key=lambda one: rank(one.resource))


def rank(resource: Resource) -> tuple[int, str, int]:
    """Lower stands for its asset before higher. Total: no two files are equal."""
    return RANK.index(resource.role), resource.name, resource.id


def awaits(member: Member, beside: Iterable[Member]) -> bool:
    """Whether to wait for one of these, which lie beside it or are of its asset, before it is given its place.

    A companion goes where its file goes, a clip where its still goes, and a sidecar may
    know a date, or a better one.
    """
    coming = [one.resource for one in beside if one.resource.id != member.resource.id and not one.resource.state.is_end]
    if member.resource.is_companion:
        return any(one.path is None and not one.is_companion for one in coming)
    unread = {one.resource.id for one in beside if one.facts is None}
    waits_for_all = _is_guess(member) or member.resource.kind is Kind.VIDEO
    return any(one.id in unread and (waits_for_all or one.is_companion) for one in coming)


def _is_guess(member: Member) -> bool:
    taken = member.facts.capture_time if member.facts else None
    return taken is None or TIME_RANK[taken.source] >= TIME_RANK[TimeSource.TAKEOUT]


def capture_time(members: Iterable[Member], said: Said | None) -> CaptureTime | None:
    """When the asset was taken, by all that its files say.

    The picture's own time, unless an XMP beside it corrects it, or it only guesses and
    another file knows better.
    """
    ranked = by_rank(members)
    files = [time for one in ranked if not one.resource.is_companion and (time := _time(one, said))]
    companions = [(one.resource, time) for one in ranked if one.resource.is_companion and (time := _time(one, None))]
    own = files[0] if files else None
    beside = [time for _, time in companions if own is None or time.source not in _OF_THE_FILE]
    xmps = [each for each in companions if each[0].kind is Kind.SIDECAR and each[1].source is TimeSource.XMP]
    last_ms = max((one.modified_at_ms or 0 for one, _ in xmps), default=0)
    stated = [time for one, time in xmps if (one.modified_at_ms or 0) == last_ms]  # what a person wrote last
    if corrections := [time for time in stated if own is None or not _is_same(own, time)]:
        return corrections[0]
    best = min((*files, *beside), key=lambda time: TIME_RANK[time.source], default=None)
    if own is None or best is None or TIME_RANK[own.source] < TIME_RANK[TimeSource.TAKEOUT]:
        return own or best
    return _in_zone(own, best) or best


def agreed(members: Sequence[Member], said: Said | None) -> list[Member]:
    """The members, each with what its source says of it and the capture time all of them agree on."""
    taken = capture_time(members, said)
    return [
        one
        if one.facts is None
        else msgspec.structs.replace(
            one, facts=msgspec.structs.replace(informed(one.facts, said), capture_time=taken or one.facts.capture_time)
        )
        for one in members
    ]


def _time(member: Member, said: Said | None) -> CaptureTime | None:
    return informed(member.facts, said).capture_time if member.facts is not None else None


def _is_same(own: CaptureTime, xmp: CaptureTime) -> bool:
    """Whether an XMP repeats what the picture says, be it to the minute, to the day, or in UTC."""
    if own.local.startswith(xmp.local.removesuffix("T00:00:00")):
        return True
    if own.is_partial or xmp.is_partial:
        return False
    if xmp.local.startswith(own.local[:16]):
        return True
    apart_s = own.seconds_apart(xmp)
    if apart_s is None:
        return xmp.seconds() is None
    is_utc = xmp.offset_min == 0 and own.offset_min is None
    return apart_s < 2 or (is_utc and _in_zone(own, xmp) is not None)


def _in_zone(own: CaptureTime, instant: CaptureTime) -> CaptureTime | None:
    """A wall clock that is the instant's own in some zone, with that zone; None when they contradict each other."""
    if own.source is TimeSource.FILE_MODIFIED or instant.offset_min is None:
        return None
    local, utc = own.seconds(), instant.seconds(in_utc=True)
    if local is None or utc is None or abs(local - utc) > _MOST_ZONE_S + _SLACK_S:
        return None
    quarters = round((local - utc) / _QUARTER_S)
    if abs(local - utc - quarters * _QUARTER_S) > _SLACK_S:
        return None
    return msgspec.structs.replace(own, offset_min=quarters * 15)
