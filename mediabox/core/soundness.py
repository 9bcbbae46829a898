"""Whether the catalogue may be believed as the ground of a release, and what to do when it may not.

A mismatch freezes releases: an issue says so until a person had everything proved again
(`core.acceptance`), or brought the right catalogue back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.durable.volume import FOLDER
from mediabox.model.issue import Issue, Severity
from mediabox.store import copies, figures, gate, issues, journal, witness
from mediabox.store.keyed import UNREADABLE
from mediabox.store.schema import changed_part

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

HEAD_ON_VOLUME = f"{FOLDER}/backup/{witness.NAME}"
ISSUE, SUBJECT = "release.unsound", "catalogue"
REMEDY = (
    "If you restored or rebuilt the catalogue, lost keys/, or updated mediabox: `mediabox release accept` reads every "
    "file again and goes on from there. If not, something changed it: stop mediabox, keep mediabox.db aside, bring "
    "back backup/mediabox.db or run `mediabox rebuild`; then `mediabox release accept`."
)


def unsoundness(connection: sqlite3.Connection, *heads: Path) -> str | None:
    """What is wrong with the catalogue itself; None when it may be believed. Reads all of it.

    `heads`: where copies of the journal's head may be, beside the home's own.
    """
    try:
        return _unsoundness(connection, *heads)
    except UNREADABLE as err:
        return f"the database cannot be read: {err}"


def _unsoundness(connection: sqlite3.Connection, *heads: Path) -> str | None:
    damage = damage_of(connection, with_indexes=True)
    if damage is not None:
        return damage
    cut = witness.unwitnessed(connection, *heads)
    if cut is not None:
        return cut
    foreign = journal.first_foreign_row(connection)
    if foreign is not None:
        return f"row {foreign:,} of the journal is not signed by this box: an older version, or somebody, wrote it"
    return None


def damage_of(connection: sqlite3.Connection, *, with_indexes: bool = False) -> str | None:
    """How the database is damaged, whoever wrote it."""
    said = figures.soundness(connection, with_indexes=with_indexes)
    if said != "ok":
        return f"the database says: {said}"
    changed = changed_part(connection)
    if changed:
        return f"in the database, {changed} is not as mediabox makes it"
    bad = copies.bad_rows(connection)
    if bad:
        return f"{len(bad)} rows of the ledger do not fit their own hash"
    missing = gate.missing_file(connection)
    if missing is not None:
        return f"the journal tells of file {missing}, and the catalogue has no row of it"
    broken = journal.first_broken_link(connection)
    return None if broken is None else f"the journal's chain is broken at row {broken}"


def heads_of(home: Path, archive: Path) -> tuple[Path, ...]:
    """Where backups keep the journal's head."""
    return home / "backup" / witness.NAME, archive / HEAD_ON_VOLUME


def issue_of(reason: str) -> Issue:
    """What says that nothing is freed, and why, for as long as it is so."""
    return Issue(
        key=ISSUE, subject=SUBJECT, severity=Severity.ERROR, message=f"Nothing is freed: {reason}.", remedy=REMEDY
    )


def freeze(connection: sqlite3.Connection, reason: str, *, now_ms: int) -> None:
    issues.open_issue(connection, issue_of(reason), at_ms=now_ms)


def thaw(connection: sqlite3.Connection) -> None:
    issues.close_issue(connection, ISSUE, SUBJECT)
