"""How much goes to a destination at a time. Pure.

What is recent goes first, newest first; a share of the room is kept for the past, so
that a busy household's back-catalogue moves too, and no more than that while the present
waits. Within each of the two nobody is overtaken: a long video waits until there is room
for it, and then goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mediabox.model.delivery import Delivery, Room


class Out(NamedTuple):
    """Bytes that take room at a destination now."""

    recent: int
    backlog: int

    @property
    def both(self) -> int:
        return self.recent + self.backlog


def admit(recent: Sequence[Delivery], backlog: Sequence[Delivery], room: Room, out: Out) -> list[Delivery]:
    """Which of the waiting may go now, each list in its order."""
    if room.reason:
        return []
    most = room.most_bytes if room.more_bytes is None else min(room.most_bytes, out.both + room.more_bytes)
    share = int(most * room.backlog_share) if backlog else 0
    kept = max(0, share - out.backlog)
    first = list(_fitting(recent, most - out.both - kept))
    blocked, left = recent[len(first) :], most - out.both - _bytes(first)
    if not blocked:
        rest = list(_fitting(backlog, left))
    elif blocked[0].size_bytes > most - share:  # it fits only once the past has gone: that one pauses
        rest = list(_fitting(blocked, left))
    else:
        rest = _shared(blocked, backlog, left, kept)
    chosen = [*first, *rest]
    if not chosen and out.both == 0:  # larger than all the room: alone, as soon as nothing else is there
        return _alone([*recent, *backlog], room)
    return chosen


def _shared(blocked: Sequence[Delivery], backlog: Sequence[Delivery], left: int, kept: int) -> list[Delivery]:
    """The past takes its share, and only what it does not need is the present's."""
    past = list(_fitting(backlog, min(left, kept)))
    present = _fitting(blocked, left - _bytes(past)) if len(past) == len(backlog) else ()
    return [*past, *present]


def why_not(out: Out) -> str:
    """Why nothing goes although there is something, for a person."""
    if out.both:
        return "as much as may be there at a time is there; more goes as room is made"
    return "the next file is larger than the room there is"


def _fitting(waiting: Sequence[Delivery], left_bytes: int) -> Iterator[Delivery]:
    for one in waiting:
        left_bytes -= one.size_bytes
        if left_bytes < 0:
            return
        yield one


def _alone(waiting: Sequence[Delivery], room: Room) -> list[Delivery]:
    """The first that is too large for the window, if the device itself has room as far as is known."""
    return [one for one in waiting[:1] if room.more_bytes is None or one.size_bytes <= room.more_bytes]


def _bytes(some: Sequence[Delivery]) -> int:
    return sum(one.size_bytes for one in some)
