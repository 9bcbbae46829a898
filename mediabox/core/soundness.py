"""Whether the catalogue may be believed as the ground of a release, and what to do when it may not.

A mismatch freezes releases: an issue says so until a person had everything proved again
(`core.acceptance`), or brought the right catalogue back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.durable.volume import FOLDER
from mediabox.errors import NeedsHuman
from mediabox.message import Text, message, plural
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
REMEDY = message(
    "If you restored or rebuilt the catalogue, or lost keys/, run `mediabox release accept`: it reads every file "
    "again and continues from there. If not, something changed the catalogue: stop mediabox, set mediabox.db aside, "
    "restore backup/mediabox.db or run `mediabox rebuild`, then run `mediabox release accept`."
)


def unsoundness(connection: sqlite3.Connection, *heads: Path, is_answer: bool = False) -> NeedsHuman | None:
    """What is wrong with the catalogue itself; None when it may be believed. Reads all of it.

    `heads`: where copies of the journal's head may be, beside the home's own. `is_answer`: nothing is freed on this
    word alone, so of the indexes only those that could hide an obstacle are held against their tables (decision 0019).
    """
    try:
        reason = damage_of(connection, with_indexes=not is_answer) or witness.unwitnessed(connection, *heads)
        if reason is None and is_answer and (index := gate.wrong_index(connection)) is not None:
            reason = message("the index {index} does not match its table", index=index)
        if reason is None and journal.is_unsigned(connection):
            return unsigned(connection)
        foreign = journal.first_foreign_row(connection) if reason is None else None
    except UNREADABLE as err:
        return unsound(message("the database is not readable: {reason}", reason=str(err)))
    if foreign is not None:
        reason = message("row {row:n} of the journal is not signed by this box", row=foreign)
    return unsound(reason) if reason is not None else None


def unsound(reason: Text, remedy: Text = REMEDY) -> NeedsHuman:
    """What refuses to go on, in a person's words."""
    return NeedsHuman(reason, issue=ISSUE, subject=SUBJECT, remedy=remedy)


def unsigned(connection: sqlite3.Connection) -> NeedsHuman:
    """As after an update from a version that signed nothing: one proof is asked for, and nothing else waits for it."""
    remedy = proof_remedy(figures.byte_totals(connection).archived)
    reason = message("the catalogue was made by a version that did not sign it, and was not verified after the update")
    return unsound(reason, remedy)


def proof_remedy(size_bytes: int) -> Text:
    """What a proof of everything is for, and how long it takes."""
    return message(
        "Run `mediabox release accept` once: it reads all {size:bytes} of the archive again (about {time:duration}) "
        "and changes no file. The days a photo must have been archived start again. Only the removal from iCloud waits "
        "for it. If mediabox was not updated, someone removed the signatures: first check that mediabox.db is yours.",
        size=size_bytes,
        time=max(60, size_bytes / READ_BYTES_PER_S),
    )


def damage_of(connection: sqlite3.Connection, *, with_indexes: bool = False) -> Text | None:
    """How the database is damaged, whoever wrote it; None when it is sound. Raises sqlite3.OperationalError."""
    said = figures.soundness(connection, with_indexes=with_indexes)
    if said != "ok":
        return message("SQLite found damage ({reason})", reason=said)  # what else is in it can hardly be read
    if (changed := changed_part(connection)) is not None:
        return message("{part} in the database is not as mediabox creates it", part=changed)
    if bad := copies.bad_rows(connection):
        return plural(
            "{count:n} row of the ledger does not match its hash",
            "{count:n} rows of the ledger do not match their hash",
            count=len(bad),
        )
    if (missing := gate.missing_file(connection)) is not None:
        return message("file number {number} of the journal is missing in the catalogue", number=str(missing))
    if (broken := journal.first_broken_link(connection)) is not None:
        return message("the hash chain of the journal is broken at row {row:n}", row=broken)
    return None


def heads_of(home: Path, archive: Path) -> tuple[Path, ...]:
    """Where backups keep the journal's head."""
    return home / "backup" / witness.NAME, archive / HEAD_ON_VOLUME


def issue_of(unsound: NeedsHuman) -> Issue:
    """What says that nothing is freed, and why, for as long as it is so."""
    return Issue(
        key=ISSUE,
        subject=SUBJECT,
        severity=Severity.ERROR,
        message=message("Removal from iCloud is blocked: {reason}.", reason=unsound.text),
        remedy=unsound.remedy,
    )


def freeze(connection: sqlite3.Connection, unsound: NeedsHuman, *, now_ms: int) -> None:
    issues.open_issue(connection, issue_of(unsound), at_ms=now_ms)


def thaw(connection: sqlite3.Connection) -> None:
    issues.close_issue(connection, ISSUE, SUBJECT)
