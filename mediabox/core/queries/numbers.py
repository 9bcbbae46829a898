"""Counts that change while one looks: how far the work and each destination are, and what is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.store import figures, issues

if TYPE_CHECKING:
    import sqlite3

    from mediabox.model.issue import Issue
    from mediabox.model.status import Accounting, Road


def accounting(connection: sqlite3.Connection) -> Accounting:
    """Where every file that was taken in has got to."""
    return figures.accounting(connection)


def roads(connection: sqlite3.Connection) -> tuple[Road, ...]:
    """How far each destination is, and why it waits."""
    return figures.roads(connection)


def open_issues(connection: sqlite3.Connection) -> tuple[Issue, ...]:
    """Worst first, then oldest."""
    return tuple(issues.open_issues(connection))
