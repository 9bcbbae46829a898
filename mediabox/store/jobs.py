"""The queue: one row for each step still to run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mediabox.message import Text, from_stored, stored
from mediabox.model.job import Job, JobRequest

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

_OF_OTHERS = ("describe", "manifest", "trash", "recover")  # their subjects are numbers of another kind, or may be
FARTHEST_MS = 86_400_000  # nothing is put off for longer than a day
# All that names a job: a number alone is given again to another one once its own is done.
_BY = "WHERE id = ? AND step = ? AND subject = ?"
_COLUMNS = "id, step, subject, attempts, not_before_ms, priority, last_error, state, again"


def _job(row: tuple[Any, ...]) -> Job:
    return Job(
        id=row[0],
        step=row[1],
        subject=row[2],
        attempts=row[3],
        not_before_ms=row[4],
        priority=row[5],
        last_error=from_stored(row[6]) if row[6] is not None else None,
        is_failed=row[7] == "failed",
        asked_again=row[8],
    )


def _named(job: Job) -> tuple[int, str, str]:
    return job.id, job.step, job.subject


def add(connection: sqlite3.Connection, request: JobRequest, *, renews: bool = True) -> Job | None:
    """Queue a step; None when the same step for the same subject is queued already, and not for later.

    That one may be running, and have looked before what asks for it now was written: it is
    counted as asked again, and runs once more unless it was handed out after that (`renews`).
    One that was given up, or that waits after an error, is tried anew: what it failed on may
    be another thing by now.
    """
    row = connection.execute(
        "INSERT INTO job (step, subject, priority, not_before_ms) VALUES (?,?,?,?) "
        f"ON CONFLICT (step, subject) DO NOTHING RETURNING {_COLUMNS}",
        (request.step, request.subject, request.priority, request.not_before_ms),
    ).fetchone()
    if row is not None:
        return _job(row)
    by = (request.step, request.subject)
    if renews:
        connection.execute("UPDATE job SET again = again + 1 WHERE step = ? AND subject = ?", by)
    row = connection.execute(
        "UPDATE job SET state = 'ready', attempts = 0, not_before_ms = ?1 WHERE step = ?2 AND subject = ?3 "
        f"AND (last_error IS NOT NULL OR not_before_ms > ?1) RETURNING {_COLUMNS}",
        (request.not_before_ms, *by),
    ).fetchone()
    return _job(row) if row else None


def due(
    connection: sqlite3.Connection,
    step: str,
    *,
    now_ms: int,
    limit: int,
    skip: Collection[int] = (),
    without_sources: Collection[str] = (),
) -> list[Job]:
    """The next jobs of a step that may run now, best first.

    Leaves out ids in `skip` and resources of `without_sources` (names, or `NAME/TREE` for those
    whose remote_id begins so). What would have to wait for longer than any back-off is due: the
    clock was set back.
    """
    absent, names = "", tuple[str, ...]()
    if without_sources:
        names = tuple(without_sources)
        marks = ",".join("?" * len(names))
        absent = (
            "AND NOT EXISTS (SELECT 1 FROM resource JOIN source ON source.id = source_id "
            f"WHERE resource.id = CAST(subject AS INTEGER) AND (source.name IN ({marks}) "
            f"OR source.name || '/' || substr(remote_id, 1, instr(remote_id || '/', '/') - 1) IN ({marks}))) "
        )
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM job WHERE step = ? AND state = 'ready' "
        f"AND (not_before_ms <= ? OR not_before_ms > ?) {absent}"
        "ORDER BY priority DESC, id LIMIT ?",
        (step, now_ms, now_ms + FARTHEST_MS, *names, *names, limit + len(skip)),
    )
    return [_job(row) for row in rows if row[0] not in skip][:limit]


def next_due_ms(connection: sqlite3.Connection) -> int | None:
    """When the next waiting job may run (Unix ms); 0 when one may run now; None when none is ready."""
    row = connection.execute("SELECT min(not_before_ms) FROM job WHERE state = 'ready'").fetchone()
    return None if row[0] is None else int(row[0])


def finish(connection: sqlite3.Connection, job: Job) -> None:
    """Done; or once more when it was asked for after it was handed out."""
    if connection.execute(f"DELETE FROM job {_BY} AND again = ?", (*_named(job), job.asked_again)).rowcount == 0:
        _begin_anew(connection, job)


def hurry(connection: sqlite3.Connection, *, but: Collection[str] = ()) -> int:
    """Let jobs that only wait for company, not after an error, run now, except those of some steps; how many."""
    return connection.execute(
        "UPDATE job SET not_before_ms = 0 WHERE state = 'ready' AND last_error IS NULL AND not_before_ms > 0 "
        f"AND step NOT IN ({','.join('?' * len(but))})",
        tuple(but),
    ).rowcount


def postpone(connection: sqlite3.Connection, job: Job, *, not_before_ms: int, error: Text, counts: bool) -> None:
    """Try later. `counts`: whether this was an attempt (being away is not)."""
    connection.execute(
        f"UPDATE job SET not_before_ms = ?, last_error = ?, attempts = attempts + ? {_BY}",
        (not_before_ms, stored(error), int(counts), *_named(job)),
    )


def fail(connection: sqlite3.Connection, job: Job, error: Text) -> bool:
    """Keep as failed: a person or `mediabox retry` decides.

    False when it has ended already, or was asked for after it was handed out and runs once more: nothing failed then.
    """
    failed = connection.execute(
        f"UPDATE job SET state = 'failed', last_error = ?, attempts = attempts + 1 {_BY} AND again = ?",
        (stored(error), *_named(job), job.asked_again),
    )
    if failed.rowcount == 0:
        _begin_anew(connection, job)
    return failed.rowcount == 1


def _begin_anew(connection: sqlite3.Connection, job: Job) -> None:
    connection.execute(f"UPDATE job SET attempts = 0, last_error = NULL {_BY}", _named(job))


def retry_failed(connection: sqlite3.Connection) -> int:
    """Queue every failed and every waiting job anew, as if it had never run; how many."""
    cursor = connection.execute(
        "UPDATE job SET state = 'ready', attempts = 0, not_before_ms = 0 WHERE state = 'failed' OR not_before_ms > 0"
    )
    return cursor.rowcount


def counts(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """How many jobs there are by (step, state)."""
    rows = connection.execute("SELECT step, state, count(*) FROM job GROUP BY step, state")
    return {(step, state): number for step, state, number in rows}


def of_resource(connection: sqlite3.Connection, resource_id: int) -> list[Job]:
    """What is still to be done with one resource: every step but those whose subject is an asset or a folder."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM job WHERE subject = ? AND step NOT IN ({','.join('?' * len(_OF_OTHERS))}) ORDER BY id",
        (str(resource_id), *_OF_OTHERS),
    )
    return [_job(row) for row in rows]
