"""Rows of `request`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mediabox.model.request import Request, RequestState, Step
from mediabox.model.sign_in import SignInResult

if TYPE_CHECKING:
    import sqlite3

_COLUMNS = "id, part, step, actor, state, asked_at_ms, expires_at_ms, secret, result"
_OPEN = "state IN ('accepted', 'started')"  # in the words of the index


def add(connection: sqlite3.Connection, request: Request) -> int:
    """A new row, whatever its `id`; its number."""
    row = connection.execute(
        "INSERT INTO request (part, step, actor, state, asked_at_ms, expires_at_ms, secret) VALUES (?,?,?,?,?,?,?)",
        (
            request.part,
            msgspec.json.encode(request.step).decode(),
            request.actor,
            request.state,
            request.asked_at_ms,
            request.expires_at_ms,
            request.secret,
        ),
    )
    return int(row.lastrowid or 0)


def find(connection: sqlite3.Connection, number: int) -> Request | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM request WHERE id = ?", (number,)).fetchone()
    return _request(row) if row else None


def waiting(connection: sqlite3.Connection, part: str) -> list[Request]:
    """A part's requests that have no result yet, oldest first."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM request WHERE {_OPEN} AND part = ? ORDER BY id", (part,))
    return [_request(row) for row in rows]


def all_waiting(connection: sqlite3.Connection) -> list[Request]:
    """Of every part."""
    return [_request(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM request WHERE {_OPEN} ORDER BY id")]


def secrets_in_use(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute(f"SELECT secret FROM request WHERE {_OPEN} AND secret IS NOT NULL")}


def set_started(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("UPDATE request SET state = 'started', secret = NULL WHERE id = ?", (number,))


def settle(connection: sqlite3.Connection, number: int, state: RequestState, result: SignInResult) -> None:
    connection.execute(
        "UPDATE request SET state = ?, secret = NULL, result = ? WHERE id = ?",
        (state, msgspec.json.encode(result).decode(), number),
    )


def remove_settled(connection: sqlite3.Connection, *, before_ms: int) -> None:
    """The journal keeps that they were; the newest stays, so that no number is given twice."""
    connection.execute(
        f"DELETE FROM request WHERE NOT {_OPEN} AND asked_at_ms < ? AND id < (SELECT max(id) FROM request)",
        (before_ms,),
    )


def _request(row: tuple[Any, ...]) -> Request:
    number, part, step, actor, state, asked_at_ms, expires_at_ms, secret, result = row
    return Request(
        id=number,
        part=part,
        step=msgspec.json.decode(step, type=Step),
        actor=actor,
        state=RequestState(state),
        asked_at_ms=asked_at_ms,
        expires_at_ms=expires_at_ms,
        secret=secret,
        result=msgspec.json.decode(result, type=SignInResult) if result else None,
    )
