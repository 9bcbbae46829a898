"""Stories that once went wrong, each found by a test of this folder or by reading for it."""

import argparse
import asyncio
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from mediabox.__main__ import main
from mediabox.cli import exits, rebuild
from mediabox.clock import Clock
from mediabox.contracts import Needs, Outcome, Setback, Staged, Work
from mediabox.core import intake, pipeline
from mediabox.core.bus import Bus
from mediabox.core.commit import Committer
from mediabox.core.governor import Governor, Limits
from mediabox.core.issues import IssueBook
from mediabox.core.lane import Lane
from mediabox.core.parts import Parts, part_of
from mediabox.durable.spool import SpoolFolder
from mediabox.errors import Away, NeedsHuman
from mediabox.model.asset import Kind, RemoteAsset, RemoteResource
from mediabox.model.issue import Issue, Severity
from mediabox.model.job import Job, JobRequest
from mediabox.store import assets, issues, jobs
from mediabox.store.database import Database
from whole.box import Household
from whole.examiner import TableExaminer
from whole.plain_box import WrongClock, killed_at, run_to_the_end
from whole.soundness import archived_originals

T = TypeVar("T")
JPEG = b"\xff\xd8\xff\xe0"
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def box(tmp_path: Path) -> Household:
    return Household(tmp_path)


def run(box: Household) -> None:
    run_to_the_end(box.home, {})


def ask(box: Household, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(box.home / "mediabox.db")) as connection:
        return connection.execute(question).fetchall()


# ---------------------------------------------------------------- bytes


def test_what_was_half_fetched_is_not_the_beginning_of_another_version(box: Household) -> None:
    box.found({"a.jpg": JPEG + b"first" * 1000})
    assert killed_at("fetch.poured", box.home, {})

    box.found({"a.jpg": JPEG + b"other" * 2000})
    run(box)

    box.assert_sound()


def test_duplicates_are_removed_from_a_source_that_moves(box: Household) -> None:
    box.moves = True
    box.found({"a.jpg": JPEG, "b.jpg": JPEG})

    run(box)

    assert not list(box.pictures.iterdir())
    box.assert_sound()


@pytest.mark.parametrize("days", [-30, -20_000])
def test_nothing_is_removed_while_the_clock_is_behind(box: Household, days: int) -> None:
    box.moves = True
    box.found({"a.jpg": JPEG + b"a"})
    run(box)
    box.found({"b.jpg": JPEG + b"b"})

    run_to_the_end(box.home, {}, clock=WrongClock(days * DAY_MS))

    assert (box.pictures / "b.jpg").exists()
    assert len(archived_originals(box.archive)) == 2
    assert ask(box, "SELECT key FROM issue") == [("clock.not_set",)]
    run(box)
    assert not (box.pictures / "b.jpg").exists()
    assert ask(box, "SELECT key FROM issue") == []
    box.assert_sound()


def test_a_rendition_that_cannot_be_written_keeps_no_picture_from_the_archive(box: Household) -> None:
    box.found({"a.jpg": JPEG})
    (box.home / "renditions").write_bytes(b"in the way")

    run(box)

    box.assert_sound()


def test_what_cannot_be_let_go_after_filing_ends_nothing(box: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Away("the disk went", part="volume:archive")

    box.found({"a.jpg": JPEG})
    with monkeypatch.context() as patched:
        patched.setattr(SpoolFolder, "discard_now", refuse)
        run(box)
    assert list((box.archive / ".mediabox/spool").iterdir())

    run(box)

    box.assert_sound()


# ---------------------------------------------------------------- the catalogue


def test_an_archive_with_files_is_not_taken_for_a_new_one(box: Household) -> None:
    box.found({"a.jpg": JPEG})
    run(box)
    for path in box.home.glob("mediabox.db*"):
        path.unlink()

    with pytest.raises(NeedsHuman, match="a second time") as refusal:
        run(box)

    assert "mediabox rebuild" in refusal.value.remedy


def test_half_a_rebuild_is_not_taken_for_a_catalogue(box: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    box.found({f"{number}.jpg": JPEG + b"%d" % number for number in range(3)})
    run(box)
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(TableExaminer, "examine", lambda *_: os._exit(9))
        monkeypatch.setattr(rebuild, "MediaWorkers", lambda _: TableExaminer({}))
        rebuild.run(argparse.Namespace(home=str(box.home), archive=None, json=False))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

    with pytest.raises(NeedsHuman, match="cut short"):
        run(box)
    monkeypatch.setattr(rebuild, "MediaWorkers", lambda _: TableExaminer({}))
    assert rebuild.run(argparse.Namespace(home=str(box.home), archive=None, json=False)) == exits.OK
    run(box)

    box.assert_sound()


def test_a_rebuild_has_written_what_a_crash_left_unwritten(box: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture without sidecar, a folder without its list of digests."""
    box.found({"a.jpg": JPEG})
    assert killed_at("file.committed", box.home, {})
    monkeypatch.setattr(rebuild, "MediaWorkers", lambda _: TableExaminer({}))

    assert rebuild.run(argparse.Namespace(home=str(box.home), archive=None, json=False)) == exits.OK
    run(box)

    box.assert_sound()


def test_commands_say_so_when_the_catalogue_is_empty(box: Household, capsys: pytest.CaptureFixture[str]) -> None:
    box.found({})
    (box.home / "mediabox.db").touch()

    assert main(["status", "--home", str(box.home)]) == exits.PROBLEM

    assert "nothing was ever taken in" in capsys.readouterr().err


def test_an_empty_file_of_no_known_kind_is_counted_as_left_alone(box: Household) -> None:
    box.found({"notes": b""})

    run(box)

    assert [row[0].partition("/")[2] for row in ask(box, "SELECT remote_id FROM ignored")] == ["notes"]


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
    intake.take_in(connection, assets.source_id(connection, "card"), asset, now_ms=1)


def work_for(connection: sqlite3.Connection, resource_id: int, step: str = "fetch") -> Work:
    job = next(job for job in jobs.of_resource(connection, resource_id) if job.step == step)
    return Work(job=job, resource=assets.resource(connection, resource_id))


def committer() -> Committer:
    return Committer(rules=(), clock=Clock(), moving_sources=())


@pytest.mark.parametrize(
    "outcome", [Outcome(staged=Staged(digest="0" * 64, size_bytes=1)), Outcome(quarantine="is gone")]
)
def test_a_version_listed_while_the_one_before_is_read_is_read_too(tmp_path: Path, outcome: Outcome) -> None:
    """Else its bytes are never fetched; and a source that moves would remove them for the old one's digest."""

    def story(connection: sqlite3.Connection) -> tuple[str, list[Job]]:
        take_in(connection, listed("1"))
        under_way = work_for(connection, 1)
        take_in(connection, listed("2"))
        committer().apply(connection, under_way, outcome, handed_out={under_way.job.id})
        row = assets.resource(connection, 1)
        return (row.state, row.version), jobs.of_resource(connection, 1)

    state, left = with_catalogue(tmp_path, story)

    assert state == ("seen", "2")
    assert [job.step for job in left] == ["fetch"]


def test_duplicates_of_staged_bytes_that_were_lost_are_read_again(tmp_path: Path) -> None:
    """The file they were duplicates of may be another one by then."""

    def story(connection: sqlite3.Connection) -> dict[int, str]:
        staged = Outcome(staged=Staged(digest="0" * 64, size_bytes=1))
        for name in ("a.jpg", "b.jpg"):
            take_in(connection, listed("1", name))
        for resource_id in (1, 2):
            committer().apply(connection, work_for(connection, resource_id), staged, handed_out=())
        examining = work_for(connection, 1, "examine")
        committer().apply(connection, examining, Outcome(setback=Setback.LOST), handed_out={examining.job.id})
        return {one: [job.step for job in jobs.of_resource(connection, one)] for one in (1, 2)}

    assert with_catalogue(tmp_path, story) == {1: ["fetch"], 2: ["fetch"]}


# ---------------------------------------------------------------- jobs


def test_a_step_that_was_given_up_is_tried_anew_when_it_is_asked_for_again(tmp_path: Path) -> None:
    def story(connection: sqlite3.Connection) -> list[Job]:
        request = JobRequest(step="manifest", subject="2024")
        job = jobs.add(connection, request)
        assert job is not None
        jobs.fail(connection, job.id, "the disk was odd")
        jobs.add(connection, request)
        return jobs.due(connection, "manifest", now_ms=1, limit=9)

    assert [job.attempts for job in with_catalogue(tmp_path, story)] == [0]


def test_a_clock_that_is_set_back_does_not_put_off_a_retry_for_a_month(tmp_path: Path) -> None:
    def story(connection: sqlite3.Connection) -> list[Job]:
        job = jobs.add(connection, JobRequest(step="fetch", subject="1"))
        assert job is not None
        jobs.postpone(connection, job.id, not_before_ms=31 * DAY_MS, error="busy", counts=True)
        return jobs.due(connection, "fetch", now_ms=1 * DAY_MS, limit=9)

    assert with_catalogue(tmp_path, story)


def test_a_failure_that_healed_is_no_open_issue(box: Household) -> None:
    box.found({"a.jpg": JPEG})
    assert killed_at("fetch.synced", box.home, {})
    issue = Issue(key=pipeline.FAILED, subject="fetch:1", severity=Severity.ERROR, message="", remedy="")
    with closing(sqlite3.connect(box.home / "mediabox.db")) as connection, connection:
        issues.open_issue(connection, issue, at_ms=1)
        connection.execute("UPDATE job SET last_error = 'busy' WHERE step = 'fetch'")

    run(box)

    assert ask(box, "SELECT key FROM issue") == []


async def test_a_step_that_needs_a_person_rests_as_a_part_of_its_own(tmp_path: Path) -> None:
    """Else its jobs run again at once, for ever."""
    work = Work(job=Job(id=1, step="examine", subject="1"))
    error = NeedsHuman("nothing confines a decoder", issue="sandbox.missing")
    async with Database(tmp_path / "mediabox.db") as database:
        clock = Clock()
        parts = Parts(clock, IssueBook(database, Bus(), clock))

        await parts.trip(part_of(work, error), error)

        assert parts.resting(work) == "step:examine"


def test_a_run_to_the_end_does_what_was_queued_while_it_looked(box: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking at the table and calling itself idle, a listing may have brought something."""
    box.found({"a.jpg": JPEG})
    loops: list[Callable[[], object]] = []

    def hurry(connection: sqlite3.Connection) -> int:
        if loops:
            jobs.add(connection, JobRequest(step="describe", subject="77"))
            loops.pop()()
            return 0
        return really_hurry(connection)

    really_hurry, really_run = jobs.hurry, pipeline.Pipeline.run

    async def wired(self: pipeline.Pipeline) -> None:
        loops.append(partial(asyncio.get_running_loop().call_soon_threadsafe, self.wake))
        await really_run(self)

    monkeypatch.setattr(jobs, "hurry", hurry)
    monkeypatch.setattr(pipeline.Pipeline, "run", wired)

    run(box)

    assert ask(box, "SELECT step, subject FROM job") == []


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        ("fetch", Outcome(quarantine="a.jpg is gone")),
        ("fetch", Outcome(staged=Staged(digest="0" * 64, size_bytes=1))),
        ("file", Outcome(setback=Setback.OBSTRUCTED)),
        ("file", Outcome(setback=Setback.LOST)),
    ],
)
def test_a_step_that_ran_twice_takes_nothing_back(tmp_path: Path, step: str, outcome: Outcome) -> None:
    def story(connection: sqlite3.Connection) -> tuple[str, str | None]:
        take_in(connection, listed("1"))
        committer().apply(
            connection, work_for(connection, 1), Outcome(staged=Staged(digest="1" * 64, size_bytes=1)), handed_out=()
        )
        assets.reserve(connection, 1, "2024/a.jpg", None)
        assets.set_archived(connection, 1, 5)
        late = Work(job=Job(id=99, step=step, subject="1"), resource=assets.resource(connection, 1))

        committer().apply(connection, late, outcome, handed_out=())

        row = assets.resource(connection, 1)
        return row.state, row.path, row.digest

    assert with_catalogue(tmp_path, story) == ("archived", "2024/a.jpg", "1" * 64)


class Chain:
    """A stage whose jobs each ask for the one five on; it knows which it was given."""

    name, after, needs = "fetch", (), Needs()
    length = 100

    def __init__(self) -> None:
        self.ran: list[int] = []
        self.has_run = threading.Event()

    async def run(self, work: Work) -> Outcome:
        number = int(work.job.subject)
        self.ran.append(number)
        self.has_run.set()
        follows = (JobRequest(step="fetch", subject=str(number + 5)),) if number + 5 <= self.length else ()
        return Outcome(next_jobs=follows)

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
            widths={"fetch": 2},
            committer=committer(),
            governor=Governor(Limits(), {}),
            parts=Parts(clock, issue_book),
            issues=issue_book,
            bus=bus,
            clock=clock,
        )
        for first in range(1, 6):  # ids of jobs are used again, so a single chain would hide it
            await database.write(partial(jobs.add, request=JobRequest(step="fetch", subject=str(first))))
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


def test_what_is_found_published_after_a_power_cut_is_read_only_again(box: Household) -> None:
    """The name may have reached the disk when the mode had not."""
    box.found({"a.jpg": JPEG})
    assert killed_at("file.linked", box.home, {})
    next(iter(archived_originals(box.archive))).chmod(0o644)

    run(box)

    box.assert_sound()
