"""Whether the catalogue may be believed as the ground of a release, and what to do when it may not.

A mismatch freezes releases: an issue says so until a person had everything proved again
(`core.acceptance`), or brought the right catalogue back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.durable.volume import FOLDER
from mediabox.errors import NeedsHuman
from mediabox.model.issue import Issue, Severity
from mediabox.store import copies, figures, gate, issues, journal, witness
from mediabox.store.keyed import UNREADABLE
from mediabox.store.schema import changed_part

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

HEAD_ON_VOLUME = f"{FOLDER}/backup/{witness.NAME}"
READ_BYTES_PER_S = 100_000_000  # what a disk on USB 3, or a NAS behind a gigabit line, gives
ISSUE, SUBJECT = "release.unsound", "catalogue"
REMEDY = (
    "If you restored or rebuilt the catalogue, or lost keys/: `mediabox release accept` reads every "
    "file again and goes on from there. If not, something changed it: stop mediabox, keep mediabox.db aside, bring "
    "back backup/mediabox.db or run `mediabox rebuild`; then `mediabox release accept`."
)


def unsoundness(connection: sqlite3.Connection, *heads: Path, is_answer: bool = False) -> NeedsHuman | None:
    """What is wrong with the catalogue itself; None when it may be believed. Reads all of it.

    `heads`: where copies of the journal's head may be, beside the home's own. `is_answer`: nothing is freed on this
    word alone, so of the indexes only those that could hide an obstacle are held against their tables (decision 0019).
    """
    try:
        reason = damage_of(connection, with_indexes=not is_answer) or witness.unwitnessed(connection, *heads)
        if reason is None and is_answer and (index := gate.wrong_index(connection)) is not None:
            reason = f"the index {index} is not as its table"
        if reason is None and journal.is_unsigned(connection):
            return unsigned(connection)
        foreign = journal.first_foreign_row(connection) if reason is None else None
    except UNREADABLE as err:
        return unsound(f"the database cannot be read: {err}")
    if foreign is not None:
        reason = f"row {foreign:,} of the journal is not signed by this box"
    return unsound(reason) if reason is not None else None


def unsound(reason: str, remedy: str = REMEDY) -> NeedsHuman:
    """What refuses to go on, in a person's words."""
    return NeedsHuman(reason, issue=ISSUE, subject=SUBJECT, remedy=remedy)


def unsigned(connection: sqlite3.Connection) -> NeedsHuman:
    """As after an update from a version that signed nothing: one proof is asked for, and nothing else waits for it."""
    size_bytes = figures.byte_totals(connection).archived
    remedy = (
        f"`mediabox release accept`, once: it reads all {size_bytes / 1e9:,.1f} GB of the archive again and changes no "
        f"file, {_reading_words(size_bytes)}. The days a photo has to be archived begin anew with it. "
        "Nothing but freeing waits for it. If mediabox was not updated, somebody took the signatures away: then see "
        "first that mediabox.db is the one you know."
    )
    reason = "the catalogue is of a version of mediabox that did not sign it, and was not proved since the update"
    return unsound(reason, remedy)


def _reading_words(size_bytes: int) -> str:
    minutes = size_bytes / READ_BYTES_PER_S / 60
    if minutes < 1:
        return "in less than a minute"
    return f"in about {minutes:,.0f} minutes" if minutes < 90 else f"in about {minutes / 60:,.0f} hours"


def damage_of(connection: sqlite3.Connection, *, with_indexes: bool = False) -> str | None:
    """How the database is damaged, whoever wrote it; None when it is sound. Raises sqlite3.OperationalError."""
    said = figures.soundness(connection, with_indexes=with_indexes)
    if said != "ok":
        return f"SQLite finds it unsound ({said})"  # what else is in it can hardly be read
    if (changed := changed_part(connection)) is not None:
        return f"in the database, {changed} is not as mediabox makes it"
    found = []
    if bad := copies.bad_rows(connection):
        found.append(f"rows of the ledger that do not fit their own hash: {len(bad):,}")
    if (missing := gate.missing_file(connection)) is not None:
        found.append(f"the journal tells of file {missing}, and the catalogue has no row of it")
    if (broken := journal.first_broken_link(connection)) is not None:
        found.append(f"the journal's chain is broken at row {broken:,}")
    return "; ".join(found) or None


def heads_of(home: Path, archive: Path) -> tuple[Path, ...]:
    """Where backups keep the journal's head."""
    return home / "backup" / witness.NAME, archive / HEAD_ON_VOLUME


def issue_of(unsound: NeedsHuman) -> Issue:
    """What says that nothing is freed, and why, for as long as it is so."""
    return Issue(
        key=ISSUE,
        subject=SUBJECT,
        severity=Severity.ERROR,
        message=f"Nothing is freed: {unsound}.",
        remedy=unsound.remedy,
    )


def freeze(connection: sqlite3.Connection, unsound: NeedsHuman, *, now_ms: int) -> None:
    issues.open_issue(connection, issue_of(unsound), at_ms=now_ms)


def thaw(connection: sqlite3.Connection) -> None:
    issues.close_issue(connection, ISSUE, SUBJECT)
