"""What people can tell the box to do. Written to the store; the daemon is poked and looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.core import plan
from mediabox.core.failures import FAILED
from mediabox.model.delivery import Counted, PeerTold
from mediabox.store import assets, figures, issues, jobs, journal, listings, volumes

if TYPE_CHECKING:
    import sqlite3

PAUSED = "paused"
ANSWER = "icloud_answer:"  # and the account's name
MASS_DELETION = "mass_deletion"  # until when many deletions at once are meant
ALLOWED_MS = 86_400_000
TOLD = "told:"  # and the destination's name
COUNTED = "counted:"  # and the destination's name
TOLD_GOOD_MS = 3_600_000  # a battery an hour ago says nothing of now
FULL_LISTING = "full_listing:"  # and the source's name
ANSWER_GOOD_MS = 600_000  # a code read off a phone ten minutes ago is no longer one


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Rest until `until_ms` (Unix ms), or until told otherwise."""

    until_ms: int | None = None

    def holds_at(self, now_ms: int) -> bool:
        return self.until_ms is None or now_ms < self.until_ms


def pause(connection: sqlite3.Connection, *, until_ms: int | None, now_ms: int) -> None:
    """Start no new step. What runs is finished."""
    volumes.set_switch(connection, PAUSED, msgspec.json.encode(Pause(until_ms=until_ms)).decode())
    journal.append(connection, "paused", at_ms=now_ms, until_ms=until_ms)


def resume(connection: sqlite3.Connection, *, now_ms: int) -> bool:
    """Whether it was paused."""
    was_paused = volumes.switch(connection, PAUSED) is not None
    volumes.set_switch(connection, PAUSED, None)
    if was_paused:
        journal.append(connection, "resumed", at_ms=now_ms)
    return was_paused


def paused(connection: sqlite3.Connection, *, now_ms: int) -> Pause | None:
    """The pause that holds now."""
    text = volumes.switch(connection, PAUSED)
    held = msgspec.json.decode(text, type=Pause) if text else None
    return held if held and held.holds_at(now_ms) else None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said to an account's sign-in. `at_ms` tells it from what was said before and after."""

    text: str
    at_ms: int
    is_taken: bool = False  # and its text forgotten
    outcome: Outcome | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. No message: it is done."""

    message: str = ""
    remedy: str = ""
    is_for_later: bool = False  # else a person is needed, where there is a message


def answer(connection: sqlite3.Connection, account: str, text: str, *, now_ms: int) -> int:
    """Tell an account's sign-in something: a code, or one of its words; the number to ask `outcome_of` with.

    Each is answered, in turn. A code is worth nothing after minutes, and after its first use;
    the journal only learns that something was said.
    """
    said = [one for one in _said(connection, account) if abs(now_ms - one.at_ms) <= ANSWER_GOOD_MS]
    at_ms = max([now_ms, *(one.at_ms + 1 for one in said)])
    _put_said(connection, account, [*said, Said(text=text, at_ms=at_ms)])
    journal.append(connection, "answered", at_ms=now_ms, account=account)
    return at_ms


def take_answer(connection: sqlite3.Connection, account: str, *, now_ms: int) -> str | None:
    """What was said first to this account's sign-in, once; None when nothing was, or too long ago to be of use.

    What was taken and never settled was lost in a crash: nobody knows what became of it, so it is not tried again.
    """
    fresh = [one for one in _said(connection, account) if abs(now_ms - one.at_ms) <= ANSWER_GOOD_MS]
    said = [one for one in fresh if not one.is_taken or one.outcome is not None]
    first = next((one for one in said if not one.is_taken), None)
    taken = [msgspec.structs.replace(one, text="", is_taken=True) if one is first else one for one in said]
    _put_said(connection, account, taken)
    return None if first is None else first.text


def settle_answer(connection: sqlite3.Connection, account: str, outcome: Outcome) -> None:
    """Say what came of the one that was taken."""
    said = _said(connection, account)
    settled = [
        msgspec.structs.replace(one, outcome=outcome) if one.is_taken and one.outcome is None else one for one in said
    ]
    _put_said(connection, account, settled)


def outcome_of(connection: sqlite3.Connection, account: str, number: int) -> Outcome | None:
    """What came of an answer; None when nothing has yet."""
    return next((one.outcome for one in _said(connection, account) if one.at_ms == number), None)


def _said(connection: sqlite3.Connection, account: str) -> list[Said]:
    text = volumes.switch(connection, ANSWER + account) or "[]"
    if text.startswith("{"):  # of before there could be several
        text = f"[{text}]"
    return msgspec.json.decode(text, type=list[Said])


def _put_said(connection: sqlite3.Connection, account: str, said: list[Said]) -> None:
    kept = msgspec.json.encode(said).decode() if said else None
    if kept != volumes.switch(connection, ANSWER + account):
        volumes.set_switch(connection, ANSWER + account, kept)


def ask_for_listing(connection: sqlite3.Connection, source: str, *, is_full: bool, now_ms: int) -> None:
    """Look at a source now. `is_full`: at everything it has, as the first time; nothing is fetched twice."""
    if is_full:
        volumes.set_switch(connection, FULL_LISTING + source, str(now_ms))
    answer(connection, source, "scan", now_ms=now_ms)


def is_full_listing_asked(connection: sqlite3.Connection, source: str) -> bool:
    return volumes.switch(connection, FULL_LISTING + source) is not None


def begin_full_listing(connection: sqlite3.Connection, source: str) -> None:
    """Forget how far the source has been listed: it begins anew, also after a crash."""
    listings.set_cursor(connection, listings.source_id(connection, source), None)
    volumes.set_switch(connection, FULL_LISTING + source, None)


def tell(connection: sqlite3.Connection, destination: str, told: PeerTold) -> None:
    """How the device behind a destination is, as far as somebody knows. Replaces what was told before."""
    volumes.set_switch(connection, TOLD + destination, msgspec.json.encode(told).decode())


def told_of(connection: sqlite3.Connection, destination: str, *, now_ms: int) -> PeerTold | None:
    """What was told lately of the device behind a destination."""
    text = volumes.switch(connection, TOLD + destination)
    told = msgspec.json.decode(text, type=PeerTold) if text else None
    return told if told and abs(now_ms - told.at_ms) <= TOLD_GOOD_MS else None


def keep_count(connection: sqlite3.Connection, destination: str, counted: Counted) -> None:
    """The number a person read on the phone's screen. Replaces the one before."""
    volumes.set_switch(connection, COUNTED + destination, msgspec.json.encode(counted).decode())


def count_of(connection: sqlite3.Connection, destination: str) -> Counted | None:
    text = volumes.switch(connection, COUNTED + destination)
    return msgspec.json.decode(text, type=Counted) if text else None


def set_wait(connection: sqlite3.Connection, destination: str, reason: str | None) -> None:
    """Why nothing is sent to a destination now; None when something may be."""
    volumes.set_switch(connection, figures.WAITS + destination, reason)


def allow_trashing(connection: sqlite3.Connection, *, now_ms: int) -> None:
    """A person means it: for a day the archive follows deletions however many they are."""
    volumes.set_switch(connection, MASS_DELETION, str(now_ms + ALLOWED_MS))
    journal.append(connection, "mass_deletion_allowed", at_ms=now_ms)


def may_trash(connection: sqlite3.Connection, *, now_ms: int) -> bool:
    """Whether a person has allowed that within the last day."""
    until_ms = int(volumes.switch(connection, MASS_DELETION) or 0)
    return now_ms < until_ms <= now_ms + ALLOWED_MS


def retry(connection: sqlite3.Connection, *, now_ms: int) -> int:
    """Queue every failed step and every quarantined file anew; how many."""
    count = jobs.retry_failed(connection)
    for resource in assets.quarantined(connection):
        assets.set_seen(connection, resource.id)
        for request in plan.after_taking_in(resource.id, resource.kind):
            count += jobs.add(connection, request) is not None
    issues.close_all(connection, FAILED)
    journal.append(connection, "retried", at_ms=now_ms, count=count)
    return count
