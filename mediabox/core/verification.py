"""Read the archive again and say what is whole, missing, damaged or foreign. Never repairs anything.

Absence counts only on a proven volume, and not by the hundred: when more than
`too_many_missing` copies seem gone at once, the likelier story is a wrong disk, and
the round stops with a question (invariant I5).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from mediabox.core import soundness
from mediabox.core.timeline import beat
from mediabox.durable.verify import check, digest_past_cache
from mediabox.errors import NeedsHuman, Permanent
from mediabox.message import Text, message
from mediabox.model.issue import Issue, Severity
from mediabox.model.ledger import Copy, CopyState, Evidence
from mediabox.store import copies, figures, issues, journal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from mediabox.clock import Clock
    from mediabox.durable.volume import Volume
    from mediabox.store.database import Database

PORTION = 64  # copies read between two transactions
LISTED = 200  # names kept of each kind of finding
UNREADABLE = "archive.unreadable"


Result: TypeAlias = "tuple[Copy, CopyState | NeedsHuman | Permanent]"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    what: Text  # for a person


class Report(msgspec.Struct, kw_only=True):
    """What one round found. Lists hold at most LISTED names; counts are of all."""

    checked: int = 0
    whole: int = 0
    bytes_read: int = 0
    missing: list[Finding] = []
    damaged: list[Finding] = []
    unreadable: list[Finding] = []  # nothing is known of their bytes; what was known before stands
    foreign: list[Finding] = []
    foreign_count: int = 0
    edited: list[Finding] = []  # sidecars another program changed: theirs to do, ours to know
    catalogue: list[Text] = []  # damage of the database itself

    @property
    def is_clean(self) -> bool:
        return not (self.missing or self.damaged or self.unreadable or self.foreign_count or self.catalogue)


def too_many_missing(known: int) -> int:
    """How many copies may be missing before a wrong disk is the likelier story."""
    return max(20, known // 200)


class Verification:
    """One round over every copy, or over every `one_in`-th, on one volume."""

    def __init__(self, database: Database, volume: Volume, clock: Clock) -> None:
        self._database, self._volume, self._clock = database, volume, clock
        self._report = Report()

    async def round(self, *, one_in: int = 1, progress: Callable[[Report], None] | None = None) -> Report:
        """Read the copies, then look for files nobody told us of.

        A catalogue that is damaged itself ends the round before anything is read or
        written: what it says of the copies proves nothing, and it is evidence now.
        """
        damage = await self._database.read(soundness.damage_of)
        if damage is not None:
            self._report.catalogue.append(damage)
            return self._report
        await self._database.write(lambda connection: beat(connection, self._clock))  # when the proofs were made
        last = 0
        while batch := await self._next(last):
            last = batch[-1].resource_id
            await self.read(tuple(copy for copy in batch if copy.resource_id % one_in == 0))
            if progress is not None:
                progress(self._report)
        await self._look_for_strangers()
        return self._report

    async def read(self, batch: tuple[Copy, ...]) -> Report:
        """Read some copies again and write down what was found."""
        results = await asyncio.to_thread(self._read, batch)
        self._count(results)
        if self._report.missing:  # to count all that is archived for each portion would take ever longer
            known = await self._database.read(lambda connection: figures.accounting(connection).archived)
            if len(self._report.missing) > too_many_missing(known):
                raise self._suspicion(known)
        now_ms = self._clock.wall_ms()
        await self._database.write(lambda connection: record(connection, results, now_ms=now_ms))
        return self._report

    async def _next(self, last: int) -> list[Copy]:
        uuid = self._volume.identity.uuid
        return await self._database.read(lambda connection: copies.after(connection, uuid, last, limit=PORTION))

    def _read(self, batch: tuple[Copy, ...]) -> list[Result]:
        return [(copy, self._look(copy)) for copy in batch]

    def _look(self, copy: Copy) -> CopyState | NeedsHuman | Permanent:
        """One file that cannot be read says nothing of the others: they are read all the same."""
        try:
            return check(self._volume, copy.path, digest=copy.digest, size_bytes=copy.size_bytes).state
        except (NeedsHuman, Permanent) as error:
            return error

    def _count(self, results: list[Result]) -> None:
        report = self._report
        for copy, state in results:
            report.checked += 1
            match state:
                case CopyState.PRESENT:
                    report.whole += 1
                    report.bytes_read += copy.size_bytes
                case CopyState.MISSING:
                    report.missing.append(Finding(path=copy.path, what=message("missing")))
                case CopyState.DAMAGED:
                    report.damaged.append(Finding(path=copy.path, what=message("differs from what was archived")))
                case error:
                    report.unreadable.append(
                        Finding(path=copy.path, what=message("not readable: {reason}", reason=error.text))
                    )

    def _suspicion(self, known: int) -> NeedsHuman:
        missing = len(self._report.missing)
        what = message(
            "{missing:n} of {known:n} archived files are missing on {volume} ({root}) after checking {checked:n}; "
            "nothing was changed in the catalogue",
            missing=missing,
            known=known,
            volume=self._volume.name,
            root=str(self._volume.root),
            checked=self._report.checked,
        )
        remedy = message("Check that this is the right disk and that it is complete; then run `mediabox verify` again.")
        return NeedsHuman(what, issue="volume.emptied", subject=self._volume.name, remedy=remedy)

    async def _look_for_strangers(self) -> None:
        originals = await self._database.read(copies.archived_paths)
        written = await self._database.read(copies.written_files)
        await asyncio.to_thread(self._walk, originals, written)

    def _walk(self, originals: set[str], written: dict[str, str]) -> None:
        report = self._report
        unseen = set(written)
        for path, _ in self._volume.walk():
            unseen.discard(path)
            if path in originals:
                continue
            if path not in written:
                report.foreign_count += 1
                if len(report.foreign) < LISTED:
                    report.foreign.append(Finding(path=path, what="is in the archive, but not from mediabox"))
            elif digest_past_cache(self._volume, path)[0] != written[path]:
                report.edited.append(Finding(path=path, what="was changed by another program"))
        report.missing += [Finding(path=path, what="is a sidecar or list of ours that is not there") for path in unseen]


def record(connection: sqlite3.Connection, results: Sequence[Result], *, now_ms: int) -> None:
    """Renew proofs; open an issue for each copy that is not whole, close it for each that is again.

    What was read of a copy that has been moved meanwhile is of a place that is over: its row stays as it is.
    """
    for copy, state in results:
        if not _lies_there(connection, copy):
            continue
        if not isinstance(state, CopyState):
            issues.open_issue(connection, _unreadable(copy, state), at_ms=now_ms)
            continue
        issues.close_issue(connection, UNREADABLE, copy.path)
        proved_at_ms = now_ms if state is CopyState.PRESENT else copy.proved_at_ms
        copies.put(
            connection,
            msgspec.structs.replace(copy, state=state, proved_at_ms=proved_at_ms, evidence=Evidence.REREAD),
        )
        if state is CopyState.PRESENT and copy.state is CopyState.PRESENT:
            continue
        journal.append(connection, f"copy_{state.value}", at_ms=now_ms, resource_id=copy.resource_id, path=copy.path)
        if state is CopyState.PRESENT:
            issues.close_issue(connection, "archive.damaged", copy.path)
        else:
            issues.open_issue(connection, _issue(copy, state), at_ms=now_ms)


def _lies_there(connection: sqlite3.Connection, copy: Copy) -> bool:
    now = copies.of_resource(connection, copy.resource_id)
    return any(one.volume == copy.volume and one.path == copy.path for one in now)


def _unreadable(copy: Copy, error: NeedsHuman | Permanent) -> Issue:
    return Issue(
        key=UNREADABLE,
        subject=copy.path,
        severity=Severity.ERROR,
        message=message("The archived file {path} is not readable: {reason}.", path=copy.path, reason=error.text),
        remedy=getattr(error, "remedy", "") or message("Check that path on the disk."),
    )


def _issue(copy: Copy, state: CopyState) -> Issue:
    return Issue(
        key="archive.damaged",
        subject=copy.path,
        severity=Severity.ERROR,
        message=message("The archived file {path} is missing.", path=copy.path)
        if state is CopyState.MISSING
        else message("The archived file {path} is damaged: its content has changed.", path=copy.path),
        remedy=message("Restore it from another copy; mediabox never changes an original. Check the disk."),
    )
