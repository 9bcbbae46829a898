"""What people ask of a part outside the store: each request waits in a row, is taken once, and gets a result.

Secrets never come into the catalogue, so neither its file, its log, its backups nor the
journal can keep one: they wait in a private file of the home, which is overwritten and
unlinked once the request was tried, is too old, or belongs to nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.durable.private import erase_files, keep_secret
from mediabox.message import message
from mediabox.model.actor import SYSTEM
from mediabox.model.request import Look, Request, RequestState, Step
from mediabox.model.sign_in import SignInResult, step_of
from mediabox.store import journal, requests, volumes
from mediabox.store.keyed import Keyed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container
    from pathlib import Path

CODE_GOOD_MS = 600_000  # a code read off a phone ten minutes ago is no longer one
KEPT_MS = 30 * 86_400_000
OF_BEFORE = "icloud_answer:"  # the switch of older versions, and the account's name
TOO_OLD = SignInResult(
    is_done=False, is_for_later=True, message="This came too late to be of use.", remedy="Do it again."
)
LOST = SignInResult(
    is_done=False,
    message="mediabox ended while this was under way; nobody knows what came of it.",
    remedy="`mediabox status` says how things stand; then do it again if it is needed.",
)


def part_of(source: str) -> str:
    return f"source:{source}"


def ask(
    connection: sqlite3.Connection, part: str, step: Step, *, actor: str, now_ms: int, good_for_ms: int | None = None
) -> int:
    """Have a part do something; the number to ask `result_of` with. After `good_for_ms` it is not done any more."""
    bare, secrets = without_secrets(step)
    number = requests.add(
        connection,
        Request(
            id=0,
            part=part,
            step=bare,
            actor=actor,
            state=RequestState.ACCEPTED,
            asked_at_ms=now_ms,
            expires_at_ms=None if good_for_ms is None else now_ms + good_for_ms,
            secret=keep_secret(_folder(connection), msgspec.json.encode(secrets)) if secrets else None,
        ),
    )
    requests.remove_settled(connection, before_ms=now_ms - KEPT_MS)
    journal.append(connection, "requested", at_ms=now_ms, request=number, part=part, step=type(step).__name__)
    return number


def take(connection: sqlite3.Connection, part: str, *, now_ms: int) -> Request | None:
    """The oldest request of a part that is still good, whole, and only once; None when there is none.

    One that was taken and never settled was lost in a crash: it is not tried again, and says so.
    """
    _read_of_before(connection, part, now_ms=now_ms)
    for one in requests.waiting(connection, part):
        whole = _whole(connection, one)
        if one.state is RequestState.STARTED or whole is None:
            settle(connection, one, LOST, now_ms=now_ms)
        elif _is_too_old(one, now_ms):
            settle(connection, one, TOO_OLD, now_ms=now_ms)
        else:
            requests.set_started(connection, one.id)
            return whole
    _erase_secrets(connection)
    return None


def refuse_strangers(connection: sqlite3.Connection, parts: Container[str], *, now_ms: int) -> None:
    """What is asked of a part that is not here would wait for ever."""
    for one in requests.all_waiting(connection):
        if one.part not in parts:
            reason = message("mediabox.toml has no source named {name}.", name=one.part.partition(":")[2])
            settle(connection, one, SignInResult(is_done=False, message=reason), now_ms=now_ms)


def settle(connection: sqlite3.Connection, request: Request, result: SignInResult, *, now_ms: int) -> None:
    """What came of a request."""
    state = RequestState.DONE if result.is_done else RequestState.REFUSED
    requests.settle(connection, request.id, state, result)
    journal.append(connection, f"request_{state}", at_ms=now_ms, request=request.id, part=request.part)
    _erase_secrets(connection)


def result_of(connection: sqlite3.Connection, number: int, *, now_ms: int) -> SignInResult | None:
    """What came of a request; None when nothing has yet."""
    request = requests.find(connection, number)
    if request is None or (request.state is RequestState.ACCEPTED and _is_too_old(request, now_ms)):
        return TOO_OLD
    return request.result


def without_secrets(step: Step) -> tuple[Step, dict[str, str]]:
    """The step as it may be written down, and apart from it what must not."""
    names: tuple[str, ...] = getattr(step, "secrets", ())
    secrets = {name: getattr(step, name) for name in names}
    return msgspec.structs.replace(step, **dict.fromkeys(names, "")), secrets


def _is_too_old(request: Request, now_ms: int) -> bool:
    """Also by a clock that was set back since: nobody knows how old it is."""
    is_future = request.asked_at_ms > now_ms + CODE_GOOD_MS
    return request.expires_at_ms is not None and (now_ms > request.expires_at_ms or is_future)


def _whole(connection: sqlite3.Connection, request: Request) -> Request | None:
    """With its secrets; None when they are lost."""
    if request.secret is None:
        return request
    try:
        content = (_folder(connection) / request.secret).read_bytes()
    except FileNotFoundError:
        return None
    secrets = msgspec.json.decode(content, type=dict[str, str])
    return msgspec.structs.replace(request, step=msgspec.structs.replace(request.step, **secrets), secret=None)


def _erase_secrets(connection: sqlite3.Connection) -> None:
    """Of every request that is under way, settled, or was never durable."""
    erase_files(_folder(connection), keep=requests.secrets_in_use(connection))


class _Answer(msgspec.Struct):
    """What an older version wrote. Of those before it there was one, not a list."""

    text: str
    at_ms: int
    is_taken: bool = False


def _read_of_before(connection: sqlite3.Connection, part: str, *, now_ms: int) -> None:
    """Once: what was said to an older version, and is still good."""
    name = OF_BEFORE + part.partition(":")[2]
    text = volumes.switch(connection, name)
    if text is None:
        return
    volumes.set_switch(connection, name, None)
    for one in msgspec.json.decode(text if text.startswith("[") else f"[{text}]", type=list[_Answer]):
        step: Step | None = Look() if one.text == "scan" else step_of(one.text)
        if step is not None and not one.is_taken and abs(now_ms - one.at_ms) <= CODE_GOOD_MS:
            ask(connection, part, step, actor=str(SYSTEM), now_ms=one.at_ms, good_for_ms=CODE_GOOD_MS)


def _folder(connection: sqlite3.Connection) -> Path:
    assert isinstance(connection, Keyed), "the database opens no other"
    return connection.home / "secrets" / "requests"
