"""What a person may order about freeing a source: see a list, confirm it, take it back, read what became of it.

A destructive act needs a second, bound confirmation (I19): the code belongs to exactly
the assets that were shown, works once, for five minutes and three tries. Everything here
is rows; `core.release` does it.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from mediabox.core import certify
from mediabox.store import journal, releases
from mediabox.store.releases import Release, ReleaseState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mediabox.config.sections import Release as Settings
    from mediabox.core.certify import Assessment
    from mediabox.store.journal import Entry
    from mediabox.store.releases import Order

CODE_GOOD_MS = 5 * 60_000
MOST_TRIES = 3
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another
CODE_LENGTH = 8  # 40 bits, three tries
UNDO_MS = 30 * 86_400_000  # how long Recently Deleted keeps things
SHOWN = 1000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A list to confirm. `code` is None when there is nothing on it."""

    code: str | None
    listed: tuple[Release, ...]
    size_bytes: int
    safe: int  # assets that could go, had a day no limit
    held_back: int  # of them, by the limits of the day


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a code. `refusal` is for a person; None when the list was queued."""

    count: int = 0
    size_bytes: int = 0
    refusal: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Every release that was confirmed, newest first; counts are of all states."""

    releases: tuple[Release, ...]
    counts: dict[str, int]
    released_bytes: int


def plan(connection: sqlite3.Connection, assessed: Iterable[Assessment], settings: Settings, *, now_ms: int) -> Plan:
    """List what may go within today's limits, and make the code that confirms exactly this list."""
    busy = {one.remote_asset_id for one in releases.in_state(connection, *_BUSY)}
    safe = [one for one in assessed if one.is_safe and one.candidate.remote_asset_id not in busy]
    allowance = Allowance(connection, settings, now_ms=now_ms, beside_waiting=True)
    listed = tuple(_listed(one, now_ms) for one in safe if allowance.take(one.candidate.source))
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)) if listed else None
    if code is not None:
        set_hash = hash_of(listed)
        order_id = releases.add_order(
            connection, set_hash=set_hash, code_hash=_code_hash(code, set_hash), listed=listed, at_ms=now_ms
        )
        journal.append(
            connection,
            "release_planned",
            at_ms=now_ms,
            order=order_id,
            count=len(listed),
            set_sha256=set_hash,
            code_sha256=_code_hash(code, set_hash),
        )
    return Plan(
        code=code,
        listed=listed,
        size_bytes=sum(one.size_bytes for one in listed),
        safe=len(safe),
        held_back=len(safe) - len(listed),
    )


_BUSY = (
    ReleaseState.QUEUED,
    ReleaseState.INTENDED,
    ReleaseState.RELEASED,
    ReleaseState.UNDOING,
    ReleaseState.RESTORING,
)


class Allowance:
    """How many more may go within the 24 hours that end now, of each source and of all: of a small library still one.

    `beside_waiting`: those that are confirmed and were not sent yet are counted as well.
    """

    def __init__(
        self, connection: sqlite3.Connection, settings: Settings, *, now_ms: int, beside_waiting: bool = False
    ) -> None:
        self._connection, self._settings, self._now_ms = connection, settings, now_ms
        self._beside_waiting = beside_waiting
        self._of_all = settings.daily_limit - self._spent(None)
        self._of_source: dict[str, int] = {}

    def take(self, source: str) -> bool:
        """Whether one more of this source may go; it is counted then."""
        if source not in self._of_source:
            share = max(1, releases.library_size(self._connection, source) * self._settings.daily_percent // 100)
            self._of_source[source] = share - self._spent(source)
        if min(self._of_all, self._of_source[source]) < 1:
            return False
        self._of_all -= 1
        self._of_source[source] -= 1
        return True

    def _spent(self, source: str | None) -> int:
        waiting = releases.waiting(self._connection, source=source) if self._beside_waiting else 0
        return waiting + releases.intended_since(self._connection, self._now_ms - certify.DAY_MS, source=source)


def _listed(one: Assessment, now_ms: int) -> Release:
    candidate = one.candidate
    return Release(
        id=0,
        order_id=0,
        remote_asset_id=candidate.remote_asset_id,
        source=candidate.source,
        remote_id=candidate.remote_id,
        asset_id=candidate.asset_id,
        change_tag=candidate.change_tag or "",
        name=one.name,
        size_bytes=one.size_bytes,
        state=ReleaseState.LISTED,
        changed_at_ms=now_ms,
    )


def hash_of(listed: Iterable[Release]) -> str:
    """What ties a code, and later the work, to exactly these assets in exactly these states."""
    lines = sorted(f"{one.source}\0{one.remote_id}\0{one.change_tag}\n" for one in listed)
    return sha256("".join(lines).encode()).hexdigest()


def _code_hash(code: str, set_hash: str) -> str:
    return sha256(f"{code}\0{set_hash}".encode()).hexdigest()


# ---------------------------------------------------------------- confirming


def confirm(connection: sqlite3.Connection, code: str, assessed: Iterable[Assessment], *, now_ms: int) -> Confirmation:
    """Queue the list this code was shown with. A wrong code counts as a try: commit whatever comes of it."""
    order = releases.open_order(connection)
    if order is None:
        return Confirmation(refusal="no list waits for a code: run `mediabox release plan`")
    refusal = _refusal(connection, order, code.strip().upper(), now_ms=now_ms)
    if refusal is not None:
        return Confirmation(refusal=refusal)
    listed = releases.in_order(connection, order.id)
    safe = {one.candidate.remote_asset_id for one in assessed if one.is_safe}
    if not safe >= {one.remote_asset_id for one in listed}:
        return Confirmation(refusal="not all of the list is safe to free any more: run `mediabox release plan` again")
    releases.use_up(connection, order.id, confirmed_at_ms=now_ms)
    journal.append(
        connection,
        "release_confirmed",
        at_ms=now_ms,
        order=order.id,
        count=len(listed),
        set_sha256=order.set_hash,
    )
    return Confirmation(count=len(listed), size_bytes=sum(one.size_bytes for one in listed))


def _refusal(connection: sqlite3.Connection, order: Order, code: str, *, now_ms: int) -> str | None:
    if not 0 <= now_ms - order.made_at_ms <= CODE_GOOD_MS:
        releases.use_up(connection, order.id, confirmed_at_ms=None)
        return "the code is older than five minutes: run `mediabox release plan` again"
    planned = _entry(connection, "release_planned", order)
    if planned is None or (planned.at_ms, planned.fields.get("code_sha256")) != (order.made_at_ms, order.code_hash):
        return "the list in the catalogue is not the one that was made: run `mediabox release plan` again"
    if not hmac.compare_digest(_code_hash(code, order.set_hash), order.code_hash or ""):
        journal.append(connection, "release_mistyped", at_ms=now_ms, order=order.id)
        tries = [one for one in _entries(connection, "release_mistyped", order) if one.seq > planned.seq]
        if len(tries) >= MOST_TRIES:
            releases.use_up(connection, order.id, confirmed_at_ms=None)
            return "wrong for the third time: run `mediabox release plan` again"
        return "that is not the code of the list"
    if hash_of(releases.in_order(connection, order.id)) != order.set_hash:
        releases.use_up(connection, order.id, confirmed_at_ms=None)
        return "the list is not the one that was shown any more: run `mediabox release plan` again"
    return None


def is_confirmed(connection: sqlite3.Connection, order: Order) -> bool:
    """Whether a person confirmed exactly this order, by the journal, since everything was proved anew."""
    confirmed = _entry(connection, "release_confirmed", order)
    return confirmed is not None and confirmed.at_ms == order.confirmed_at_ms


def _entry(connection: sqlite3.Connection, event: str, order: Order) -> Entry | None:
    """The journal's newest row about an order as it is."""
    told = _entries(connection, event, order)
    return next((one for one in reversed(told) if one.fields.get("set_sha256") == order.set_hash), None)


def _entries(connection: sqlite3.Connection, event: str, order: Order) -> list[Entry]:
    told = journal.of_event(connection, event, after=journal.accepted(connection))
    return [one for one in told if one.fields.get("order") == order.id]


# ---------------------------------------------------------------- taking back


def undo(connection: sqlite3.Connection, what: str, *, now_ms: int) -> list[Release]:
    """Cancel what waits and bring back what went, of an order's number, a name or `all`; those concerned."""
    concerned = []
    for one in releases.in_state(connection, ReleaseState.QUEUED, ReleaseState.RELEASED):
        if what not in ("all", one.name, one.remote_id, str(one.order_id)):
            continue
        if one.state is ReleaseState.QUEUED:
            releases.set_state(connection, one.id, ReleaseState.CANCELLED, at_ms=now_ms)
        elif now_ms - (one.released_at_ms or 0) <= UNDO_MS:
            releases.set_state(connection, one.id, ReleaseState.UNDOING, at_ms=now_ms)
        else:
            continue
        concerned.append(one)
        journal.append(connection, "release_undone", at_ms=now_ms, asset_id=one.asset_id, release=one.id)
    return concerned


def report(connection: sqlite3.Connection) -> Report:
    """What became of everything that was confirmed; the newest SHOWN in full."""
    return Report(
        releases=tuple(releases.everything(connection, limit=SHOWN)),
        counts=releases.counts(connection),
        released_bytes=releases.released_bytes(connection),
    )
