"""What people decided. The archive has the same as plain files (`core/decisions.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mediabox.model.decision import Decision, DecisionKind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_ALL = "SELECT kind, subject, at_ms, by, is_revoked, document FROM decision"


def put(connection: sqlite3.Connection, decision: Decision, *, is_written: bool = False) -> None:
    """Keep it, unless something newer is known about its subject. `is_written`: the archive has its line."""
    connection.execute(
        "INSERT INTO decision (kind, subject, at_ms, by, is_revoked, document, is_written) VALUES (?,?,?,?,?,?,?) "
        "ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, by = excluded.by, is_revoked = excluded.is_revoked, "
        "document = excluded.document, is_written = excluded.is_written WHERE excluded.at_ms >= at_ms",
        (
            *(decision.kind, decision.subject, decision.at_ms, decision.by, decision.is_revoked),
            *(msgspec.json.encode(decision.document).decode(), is_written),
        ),
    )


def find(connection: sqlite3.Connection, kind: DecisionKind, subject: str) -> Decision | None:
    """What holds about a subject; None when nothing was decided, or it was taken back."""
    row = connection.execute(f"{_ALL} WHERE kind = ? AND subject = ? AND NOT is_revoked", (kind, subject)).fetchone()
    return _decision(row) if row else None


def of_kind(connection: sqlite3.Connection, kind: DecisionKind) -> list[Decision]:
    """All that hold, oldest first."""
    rows = connection.execute(f"{_ALL} WHERE kind = ? AND NOT is_revoked ORDER BY at_ms, subject", (kind,))
    return [_decision(row) for row in rows]


def unwritten(connection: sqlite3.Connection) -> list[Decision]:
    """Those whose line is not in the archive yet, oldest first."""
    rows = connection.execute(f"{_ALL} WHERE is_written = 0 ORDER BY at_ms, kind, subject")
    return [_decision(row) for row in rows]


def set_written(connection: sqlite3.Connection, written: Iterable[Decision]) -> None:
    connection.executemany(
        "UPDATE decision SET is_written = 1 WHERE kind = ? AND subject = ? AND at_ms = ?",
        [(one.kind, one.subject, one.at_ms) for one in written],
    )


def _decision(row: tuple[Any, ...]) -> Decision:
    kind, subject, at_ms, by, is_revoked, document = row
    return Decision(
        kind=DecisionKind(kind),
        subject=subject,
        at_ms=at_ms,
        by=by,
        is_revoked=bool(is_revoked),
        document=msgspec.json.decode(document, type=dict[str, object]),
    )
