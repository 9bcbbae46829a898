"""What people answer an account's sign-in: kept until it was tried, with what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.store import journal, volumes

if TYPE_CHECKING:
    import sqlite3

ANSWER = "icloud_answer:"  # and the account's name
ANSWER_GOOD_MS = 600_000  # a code read off a phone ten minutes ago is no longer one


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
