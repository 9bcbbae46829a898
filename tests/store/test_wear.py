"""An SD card dies of writing: how much a file costs it, by tables, indexes and the size of a page."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.model.job import JobRequest
from mediabox.model.ledger import Copy, CopyState, Evidence
from mediabox.store import assets, copies, examined, jobs, journal, schema
from mediabox.store.database import Database, open_beside
from mediabox.store.transaction import transaction

THERE, COMING = 500, 10
MOST_BYTES = 80_000  # a file that comes alone, five commits; 226,000 with pages of 4 KiB
VOLUME = "6b1f7c30-0000-4000-8000-000000000000"


def test_a_file_that_comes_alone_costs_few_pages(connection: sqlite3.Connection, taken_in: Callable[..., int]) -> None:
    log = Path(connection.execute("PRAGMA database_list").fetchone()[2] + "-wal")
    with transaction(connection):
        for number in range(THERE):
            list(steps(connection, taken_in, number))
    before = os.path.getsize(log)

    for number in range(THERE, THERE + COMING):
        for _ in committed(connection, steps(connection, taken_in, number)):
            pass

    assert 0 < os.path.getsize(log) - before <= COMING * MOST_BYTES


def committed(connection: sqlite3.Connection, commits: Iterator[None]) -> Iterator[None]:
    """Each step of `commits` in a transaction of its own."""
    is_over = False
    while not is_over:
        with transaction(connection):
            is_over = next(commits, StopIteration) is StopIteration
        yield


def steps(connection: sqlite3.Connection, taken_in: Callable[..., int], number: int) -> Iterator[None]:
    """What a file leaves in the catalogue, one commit after the other."""
    path = f"2024/2024-07/IMG_{number:04d}.JPG"
    resource = taken_in(f"IMG_{number:04d}.JPG", kind=Kind.PICTURE)
    digest = hashlib.sha256(path.encode()).hexdigest()
    job = jobs.add(connection, JobRequest(step="fetch", subject=str(resource)))
    journal.append(connection, "seen", at_ms=number, resource_id=resource)
    yield
    assets.set_staged(connection, resource, digest=digest, size_bytes=50_000)
    job = follow(connection, job, "examine", resource)
    yield
    facts = Facts(kind=Kind.PICTURE, media_type="image/jpeg", caption="x" * 500)
    examined.put_facts(connection, resource, facts)
    assets.reserve(connection, resource, path, f"{path}.xmp")
    job = follow(connection, job, "file", resource)
    yield
    copies.put(
        connection,
        Copy(
            resource_id=resource,
            volume=VOLUME,
            path=path,
            size_bytes=50_000,
            digest=digest,
            evidence=Evidence.REREAD,
            proved_at_ms=number,
            state=CopyState.PRESENT,
        ),
    )
    assets.set_archived(connection, resource, number)
    job = follow(connection, job, "describe", resource)
    yield
    jobs.finish(connection, job)


def follow(connection: sqlite3.Connection, job: object, step: str, resource: int) -> object:
    """The step is done and noted, the next one is queued."""
    journal.append(connection, step, at_ms=1, resource_id=resource, path="2024/2024-07/IMG_0001.JPG")
    jobs.finish(connection, job)
    return jobs.add(connection, JobRequest(step=step, subject=str(resource)))


async def test_a_catalogue_of_an_older_version_keeps_its_pages_and_opens(tmp_path: Path) -> None:
    path = tmp_path / "mediabox.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as older:
        older.execute("PRAGMA page_size = 4096")
        older.executescript("\n".join(schema.migrations()[:5]) + "PRAGMA user_version = 5;")

    async with Database(path) as database:
        assert await database.read(schema.version) == len(schema.migrations())
        assert await database.write(pages) == (4096, schema.LOG_BYTES)


async def test_a_new_catalogue_has_small_pages_and_its_log_is_bounded(database: Database) -> None:
    assert await database.write(pages) == (schema.PAGE_BYTES, schema.LOG_BYTES)
    with open_beside(database.path, write=True) as beside:
        assert pages(beside) == (schema.PAGE_BYTES, schema.LOG_BYTES)


def pages(connection: sqlite3.Connection) -> tuple[int, int]:
    """The size of a page, and of the log at which it is written back into the database."""
    page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    return page_bytes, page_bytes * connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0]


@pytest.mark.parametrize(
    "question",
    [
        "SELECT id FROM resource WHERE digest = ?",
        "SELECT path FROM written WHERE asset_id = ? AND digest IS NOT NULL",
        "SELECT state, sum(size_bytes) FROM resource GROUP BY state",
        "SELECT state, count(*) FROM resource GROUP BY state",
    ],
)
def test_what_indexes_leave_out_nobody_asks_for(connection: sqlite3.Connection, question: str) -> None:
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}", ("x",) * question.count("?"))]

    assert all("INDEX" in step for step in plan), plan
