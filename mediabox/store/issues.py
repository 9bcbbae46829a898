"""Open issues. Told once: a second report of the same thing only counts up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.message import from_stored, stored
from mediabox.model.issue import Issue, Severity

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection


def open_issue(connection: sqlite3.Connection, issue: Issue, *, at_ms: int) -> bool:
    """Open or count up. True when it was not open before."""
    row = connection.execute(
        "INSERT INTO issue (key, subject, severity, message, remedy, opened_at_ms, seen_at_ms)"
        " VALUES (?1,?2,?3,?4,?5,?6,?6)"
        " ON CONFLICT DO UPDATE SET severity = ?3, message = ?4, remedy = ?5, seen_at_ms = ?6, count = count + 1"
        " RETURNING count",
        (issue.key, issue.subject, issue.severity, stored(issue.message), stored(issue.remedy), at_ms),
    ).fetchone()
    return bool(row[0] == 1)


def close_issue(connection: sqlite3.Connection, key: str, subject: str) -> bool:
    """True when it was open."""
    return connection.execute("DELETE FROM issue WHERE key = ? AND subject = ?", (key, subject)).rowcount > 0


def close_all(connection: sqlite3.Connection, key: str) -> int:
    """Close every open issue of a key; how many there were."""
    return connection.execute("DELETE FROM issue WHERE key = ?", (key,)).rowcount


def close_areas(connection: sqlite3.Connection, areas: Collection[str]) -> None:
    """Close every issue whose key begins with one of these words and a dot."""
    connection.executemany("DELETE FROM issue WHERE key GLOB ? || '.*'", [(area,) for area in areas])


def open_issues(connection: sqlite3.Connection) -> list[Issue]:
    """Worst first, then oldest."""
    rows = connection.execute(
        "SELECT key, subject, severity, message, remedy, opened_at_ms, count FROM issue"
        " ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, opened_at_ms, key, subject"
    )
    return [
        Issue(
            key=key,
            subject=subject,
            severity=Severity(severity),
            message=from_stored(message),
            remedy=from_stored(remedy),
            opened_at_ms=opened_at_ms,
            count=count,
        )
        for key, subject, severity, message, remedy, opened_at_ms, count in rows
    ]
