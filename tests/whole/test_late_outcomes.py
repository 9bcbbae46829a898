"""A step's outcome may come late, or twice: what it says must still be true when it is written down."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from mediabox.assembly import STAGES
from mediabox.clock import Clock
from mediabox.config.sections import Work as Limits
from mediabox.contracts import Quarantine, Setback, Stage, Staged, StepResult, Subject, Work
from mediabox.core import intake, pipeline
from mediabox.core.bus import Bus
from mediabox.core.commit import Committer
from mediabox.core.governor import Governor
from mediabox.core.issues import IssueBook
from mediabox.core.lane import Lane
from mediabox.core.parts import Parts, part_of
from mediabox.errors import NeedsHuman
from mediabox.model.asset import Kind, RemoteAsset, RemoteResource
from mediabox.model.job import Job, JobRequest
from mediabox.store import assets, jobs, listings
from mediabox.store.database import Database

T = TypeVar("T")
DAY_MS = 86_400_000


# ---------------------------------------------------------------- outcomes that come late


def with_catalogue(tmp_path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    async def inside() -> T:
        async with Database(tmp_path / "mediabox.db") as database:
            return await database.write(work)

    return asyncio.run(inside())


def listed(version: str, name: str = "a.jpg") -> RemoteAsset:
    file = RemoteResource(remote_id=f"t/{name}", version=version, name=name, kind=Kind.PICTURE)
    return RemoteAsset(remote_id=file.remote_id, resources=(file,))


def take_in(connection: sqlite3.Connection, asset: RemoteAsset) -> None:
    intake.take_in(connection, listings.source_id(connection, "card"), asset, now_ms=1)


def work_for(connection: sqlite3.Connection, resource_id: int, step: str = "fetch") -> Work:
    job = next(job for job in jobs.of_resource(connection, resource_id) if job.step == step)
    return Work(job=job, resource=assets.resource(connection, resource_id))


def committer(stages: Sequence[type[Stage]] = tuple(STAGES)) -> Committer:
    return Committer(stages=stages, rules=(), clock=Clock(), moving_sources=())


@pytest.mark.parametrize(
    "outcome", [StepResult(Staged(digest="0" * 64, size_bytes=1)), StepResult(Quarantine("is gone"))]
)
def test_a_version_listed_while_the_one_before_is_read_is_read_too(tmp_path: Path, outcome: StepResult) -> None:
    """Else its bytes are never fetched; and a source that moves would remove them for the old one's digest."""

    def story(connection: sqlite3.Connection) -> tuple[str, list[Job]]:
        take_in(connection, listed("1"))
        under_way = work_for(connection, 1)
        take_in(connection, listed("2"))
        committer().apply(connection, under_way, outcome)
        row = assets.resource(connection, 1)
        return (row.state, row.version), jobs.of_resource(connection, 1)

    state, left = with_catalogue(tmp_path, story)

    assert state == ("seen", "2")
    assert [job.step for job in left] == ["fetch"]


def test_duplicates_of_staged_bytes_that_were_lost_are_read_again(tmp_path: Path) -> None:
    """The file they were duplicates of may be another one by then."""

    def story(connection: sqlite3.Connection) -> dict[int, str]:
        staged = StepResult(Staged(digest="0" * 64, size_bytes=1))
        for name in ("a.jpg", "b.jpg"):
            take_in(connection, listed("1", name))
        for resource_id in (1, 2):
            committer().apply(connection, work_for(connection, resource_id), staged)
        examining = work_for(connection, 1, "examine")
        committer().apply(connection, examining, StepResult(Setback.LOST))
        return {one: [job.step for job in jobs.of_resource(connection, one)] for one in (1, 2)}

    assert with_catalogue(tmp_path, story) == {1: ["fetch"], 2: ["fetch"]}


# ---------------------------------------------------------------- jobs


def test_a_step_that_was_given_up_is_tried_anew_when_it_is_asked_for_again(tmp_path: Path) -> None:
    def story(connection: sqlite3.Connection) -> list[Job]:
        request = JobRequest(step="manifest", subject="2024")
        job = jobs.add(connection, request)
        assert job is not None
        jobs.fail(connection, job, "the disk was odd")
        jobs.add(connection, request)
        return jobs.due(connection, "manifest", now_ms=1, limit=9)

    assert [job.attempts for job in with_catalogue(tmp_path, story)] == [0]


def test_a_clock_that_is_set_back_does_not_put_off_a_retry_for_a_month(tmp_path: Path) -> None:
    def story(connection: sqlite3.Connection) -> list[Job]:
        job = jobs.add(connection, JobRequest(step="fetch", subject="1"))
        assert job is not None
        jobs.postpone(connection, job, not_before_ms=31 * DAY_MS, error="busy", counts=True)
        return jobs.due(connection, "fetch", now_ms=1 * DAY_MS, limit=9)

    assert with_catalogue(tmp_path, story)


async def test_a_step_that_needs_a_person_rests_as_a_part_of_its_own(tmp_path: Path) -> None:
    """Else its jobs run again at once, for ever."""
    work = Work(job=Job(id=1, step="examine", subject="1"))
    error = NeedsHuman("nothing confines a decoder", issue="sandbox.missing")
    async with Database(tmp_path / "mediabox.db") as database:
        clock = Clock()
        parts = Parts(clock, IssueBook(database, Bus(), clock))

        await parts.trip(part_of(work, error), error)

        assert parts.resting(work) == "step:examine"


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        ("fetch", StepResult(Quarantine("a.jpg is gone"))),
        ("fetch", StepResult(Staged(digest="0" * 64, size_bytes=1))),
        ("file", StepResult(Setback.OBSTRUCTED)),
        ("file", StepResult(Setback.LOST)),
    ],
)
def test_a_step_that_ran_twice_takes_nothing_back(tmp_path: Path, step: str, outcome: StepResult) -> None:
    def story(connection: sqlite3.Connection) -> tuple[str, str | None]:
        take_in(connection, listed("1"))
        committer().apply(connection, work_for(connection, 1), StepResult(Staged(digest="1" * 64, size_bytes=1)))
        assets.reserve(connection, 1, "2024/a.jpg", None)
        assets.set_archived(connection, 1, 5)
        late = Work(job=Job(id=99, step=step, subject="1"), resource=assets.resource(connection, 1))

        committer().apply(connection, late, outcome)

        row = assets.resource(connection, 1)
        return row.state, row.path, row.digest

    assert with_catalogue(tmp_path, story) == ("archived", "2024/a.jpg", "1" * 64)


class Chain(Stage):
    """A stage whose jobs each ask for the one five on; it knows which it was given."""

    name, subject, width = "chain", Subject.ASSET, 2
    length = 100

    def __init__(self) -> None:
        self.ran: list[int] = []
        self.has_run = threading.Event()

    async def run(self, work: Work) -> StepResult:
        number = int(work.job.subject)
        self.ran.append(number)
        self.has_run.set()
        follows = (JobRequest(step="chain", subject=str(number + 5)),) if number + 5 <= self.length else ()
        return StepResult(next_jobs=follows)

    async def committed(self, works: object) -> None:
        """Nothing is held."""


class SlowEyes(Database):
    """What a look at the table saw is old by the time it is told."""

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        found = await super().read(work)
        for _ in range(30):
            await super().read(lambda _: None)
        return found


async def test_no_job_runs_twice_when_a_look_at_the_table_is_overtaken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found as a file in the archive that the catalogue called quarantined: its second fetch had found it gone."""
    stage, clock, bus = Chain(), Clock(), Bus()
    really_due = jobs.due

    def due(connection: sqlite3.Connection, *rest: object, **named: object) -> list[Job]:
        stage.has_run.clear()
        stage.has_run.wait(0.02)  # what is handed out was noted before; what there is, is read after
        return really_due(connection, *rest, **named)

    monkeypatch.setattr(jobs, "due", due)
    async with SlowEyes(tmp_path / "mediabox.db") as database:
        issue_book = IssueBook(database, bus, clock)
        line = pipeline.Pipeline(
            database=database,
            stages=[stage],
            committer=committer([Chain]),
            governor=Governor(Limits(), {}),
            parts=Parts(clock, issue_book),
            issues=issue_book,
            bus=bus,
            clock=clock,
        )
        for first in range(1, 6):  # ids of jobs are used again, so a single chain would hide it
            await database.write(partial(jobs.add, request=JobRequest(step="chain", subject=str(first))))
        running = asyncio.create_task(line.run())
        line.wake()
        await line.idle()
        running.cancel()

    assert sorted(stage.ran) == list(range(1, stage.length + 1))


async def test_a_job_that_the_table_showed_first_is_not_offered_again(tmp_path: Path) -> None:
    """Found as two copies of one picture: both runs met the other's file, and one took it for a stranger's."""
    async with Database(tmp_path / "mediabox.db") as database:
        clock = Clock()
        lane = Lane("file", Parts(clock, IssueBook(database, Bus(), clock)), asyncio.Event())
        work = Work(job=Job(id=1, step="file", subject="1"))

        lane.fill([work])
        lane.offer(work)

        assert len(lane) == 1
