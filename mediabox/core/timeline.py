"""How much time has certainly passed: what a wall clock says alone ends no waiting (invariant I13).

The daemon writes a row `clock` into the journal at its start, each hour and at its end: the
wall clock, how long the box has been running, whether something keeps the clock right.
Between two rows of one start of the box the running time counts, whatever the wall clock
did; over a time the box was off its difference counts if the clock was kept right at both
ends, else nothing. Rows are signed, so the sum is carried along in them (decision 0015).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from mediabox.errors import NeedsHuman
from mediabox.message import Text, message
from mediabox.model.issue import Issue, Severity
from mediabox.store import journal
from mediabox.store.keyed import UNREADABLE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from mediabox.clock import Clock

EVENT = "clock"
ISSUE, SUBJECT = "clock.not_set", "clock"
TOLERANCE_MS = 5 * 60_000  # what a clock may be set by without a word: NTP steps, a person's correction
REMEDY = message(
    "Let the network set the clock (`timedatectl` shows its state); this then resolves itself. If the clock is right "
    "and this persists, `mediabox release accept` verifies everything again."
)


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the clocks. Times in ms."""

    at_ms: int  # wall
    boot: str
    running_ms: int
    is_synchronised: bool
    skew_ms: int = 0  # by how much the wall clock jumped since it was right
    counted_ms: int = 0  # time that has certainly passed, since the first row


def look(clock: Clock, last: Beat | None) -> Beat:
    """The clocks now, told on from the last row."""
    now = Beat(
        at_ms=clock.wall_ms(),
        boot=clock.boot(),
        running_ms=clock.running_ms(),
        is_synchronised=clock.is_synchronised(),
    )
    if last is None:
        return now
    wall_ms, ran_ms = now.at_ms - last.at_ms, now.running_ms - last.running_ms
    are_right = last.is_synchronised and now.is_synchronised
    if now.boot == last.boot and ran_ms >= 0:
        was_set = now.is_synchronised and not last.is_synchronised  # a box without a battery, once it has the network
        skew_ms = 0 if was_set else last.skew_ms + wall_ms - ran_ms
        return msgspec.structs.replace(now, skew_ms=skew_ms, counted_ms=last.counted_ms + ran_ms)
    off_ms = max(0, wall_ms) if are_right and abs(last.skew_ms) <= TOLERANCE_MS else 0
    skew_ms = 0 if now.is_synchronised else last.skew_ms
    return msgspec.structs.replace(now, skew_ms=skew_ms, counted_ms=last.counted_ms + off_ms)


class Timeline:
    """The rows since the journal is believed, and now."""

    def __init__(self, rows: Sequence[tuple[int, Beat]], clock: Clock, *, passed_ms: int) -> None:
        self._seqs, self._beats = [seq for seq, _ in rows], [beat for _, beat in rows]
        self.now = look(clock, self._beats[-1] if rows else None)
        self._passed_ms, self._is_sane = passed_ms, clock.is_trusted()

    def since(self, seq: int) -> int:
        """How long ago a journal row was written, at the least."""
        after = bisect_right(self._seqs, seq)
        return self.now.counted_ms - self._beats[after].counted_ms if after < len(self._beats) else 0

    def between(self, earlier: int, later: int) -> int:
        """How much time passed between two rows, at the least."""
        first, last = bisect_right(self._seqs, earlier), bisect_right(self._seqs, later) - 1
        return self._beats[last].counted_ms - self._beats[first].counted_ms if first <= last else 0

    def doubt(self) -> Text | None:
        """Why the wall clock is not to be believed now; None when nothing speaks against it."""
        skew_ms = self.now.skew_ms
        if abs(skew_ms) > TOLERANCE_MS:
            span_s = abs(skew_ms) / 1000
            if skew_ms > 0:
                return message("the clock jumped {span:duration} forward without a network time source", span=span_s)
            return message("the clock jumped {span:duration} back without a network time source", span=span_s)
        if not self._is_sane or self.now.at_ms < self._passed_ms:
            return message("the clock is earlier than past events")
        return None


def timeline(connection: sqlite3.Connection, clock: Clock) -> Timeline:
    """What is known of time now."""
    rows = _rows(connection)
    return Timeline(rows, clock, passed_ms=_passed_ms(connection, rows))


def passed_ms(connection: sqlite3.Connection) -> int:
    """The newest time that has certainly passed: none that a clock wrote while it was known to be wrong."""
    return _passed_ms(connection, _rows(connection))


def beat(connection: sqlite3.Connection, clock: Clock) -> Timeline:
    """Write down the clocks as they are."""
    time = timeline(connection, clock)
    fields = {name: getattr(time.now, name) for name in Beat.__struct_fields__ if name != "at_ms"}
    journal.append(connection, EVENT, at_ms=time.now.at_ms, **fields)
    return time


def issue_of(doubt: Text) -> Issue:
    """What a person should know of a clock that is not to be believed."""
    what = message(
        "Nothing is removed from iCloud: {doubt}. Waiting periods only count the time the box has been running.",
        doubt=doubt,
    )
    return Issue(key=ISSUE, subject=SUBJECT, severity=Severity.WARNING, message=what, remedy=REMEDY)


def untimely(kept: Text) -> NeedsHuman:
    """What stays as it is while the clock is certainly wrong (I13)."""
    remedy = message("Connect the box to the network, or set its clock. Nothing is removed until then.")
    return NeedsHuman(kept, issue=ISSUE, subject=SUBJECT, remedy=remedy)


def _rows(connection: sqlite3.Connection) -> list[tuple[int, Beat]]:
    """None when one cannot be read: then no time is known to have passed (`soundness` says what is wrong)."""
    try:
        found = journal.of_event(connection, EVENT, after=journal.accepted(connection))
        return [(one.seq, msgspec.convert(one.fields | {"at_ms": one.at_ms}, Beat)) for one in found]
    except (msgspec.MsgspecError, TypeError, UNREADABLE):
        return []


def _passed_ms(connection: sqlite3.Connection, rows: Sequence[tuple[int, Beat]]) -> int:
    """Row by row of `clock`: what follows one that jumped was written by a wrong clock."""
    first = journal.accepted(connection)
    bounds = [(first, 0), *((seq, beat.skew_ms) for seq, beat in rows)]
    ends = [seq for seq, _ in bounds[1:]] + [None]
    right = [(seq, end) for (seq, skew_ms), end in zip(bounds, ends, strict=True) if abs(skew_ms) <= TOLERANCE_MS]
    if len(right) == len(bounds):
        return journal.last_at_ms(connection, after=first)
    return max((journal.last_at_ms(connection, after=seq - 1, before=end) for seq, end in right), default=0)
