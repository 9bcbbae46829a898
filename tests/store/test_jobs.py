"""The queue: each step once for each subject, best first, and once more when it was asked for while it ran."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial

import pytest

from mediabox.model.job import Job, JobRequest
from mediabox.store import jobs
from mediabox.store.database import Database, open_beside
from mediabox.store.transaction import transaction


def test_a_step_is_queued_once_for_a_subject(connection: sqlite3.Connection) -> None:
    first = jobs.add(connection, JobRequest(step="describe", subject="7"))
    again = jobs.add(connection, JobRequest(step="describe", subject="7"))

    assert first is not None
    assert again is None
    assert jobs.counts(connection) == {("describe", "ready"): 1}


def test_what_is_asked_for_while_it_runs_runs_once_more(connection: sqlite3.Connection) -> None:
    running = jobs.add(connection, JobRequest(step="describe", subject="7"))
    jobs.add(connection, JobRequest(step="describe", subject="7"))

    jobs.finish(connection, running)

    [once_more] = jobs.due(connection, "describe", now_ms=0, limit=9)
    assert once_more.id == running.id
    jobs.finish(connection, once_more)
    assert jobs.due(connection, "describe", now_ms=0, limit=9) == []


def test_what_is_handed_out_after_it_was_asked_for_again_runs_once(connection: sqlite3.Connection) -> None:
    for _ in range(3):
        jobs.add(connection, JobRequest(step="describe", subject="7"))

    [job] = jobs.due(connection, "describe", now_ms=0, limit=9)
    jobs.finish(connection, job)

    assert jobs.due(connection, "describe", now_ms=0, limit=9) == []


def test_a_look_before_the_commit_that_asks_again_is_no_answer_to_it(
    connection: sqlite3.Connection, database: Database
) -> None:
    """The look and the commit are on two threads: which came first, only the database knows."""
    with transaction(connection):
        jobs.add(connection, JobRequest(step="describe", subject="7"))
    with closing(open_beside(database.path)) as reader, transaction(connection):
        jobs.add(connection, JobRequest(step="describe", subject="7"))  # in the commit that archives the picture
        [looked] = jobs.due(reader, "describe", now_ms=0, limit=9)  # still sees the catalogue before it
    with transaction(connection):
        jobs.finish(connection, looked)

    assert [job.subject for job in jobs.due(connection, "describe", now_ms=0, limit=9)] == ["7"]


def test_what_fails_though_it_was_asked_for_again_is_tried_again(connection: sqlite3.Connection) -> None:
    running = jobs.add(connection, JobRequest(step="describe", subject="7"))
    jobs.add(connection, JobRequest(step="describe", subject="7"))

    assert not jobs.fail(connection, running, "broken")

    assert [job.id for job in jobs.due(connection, "describe", now_ms=0, limit=9)] == [running.id]


def test_higher_priority_comes_first_and_waiting_jobs_not_at_all(connection: sqlite3.Connection) -> None:
    for subject, priority, not_before_ms in (("1", 0, 0), ("2", 5, 0), ("3", 9, 500), ("4", 5, 0)):
        jobs.add(connection, JobRequest(step="fetch", subject=subject, priority=priority, not_before_ms=not_before_ms))

    assert [job.subject for job in jobs.due(connection, "fetch", now_ms=100, limit=9)] == ["2", "4", "1"]
    assert [job.subject for job in jobs.due(connection, "fetch", now_ms=500, limit=2)] == ["3", "2"]


def test_what_is_handed_out_is_not_handed_out_again(connection: sqlite3.Connection) -> None:
    queued = [jobs.add(connection, JobRequest(step="fetch", subject=str(number))) for number in range(5)]

    due = jobs.due(connection, "fetch", now_ms=0, limit=2, skip={queued[0].id, queued[1].id})

    assert [job.subject for job in due] == ["2", "3"]


def test_jobs_of_an_absent_source_are_left_out(connection: sqlite3.Connection, taken_in) -> None:
    resource = taken_in("IMG_1.JPG")
    jobs.add(connection, JobRequest(step="fetch", subject=str(resource)))

    assert jobs.due(connection, "fetch", now_ms=0, limit=9, without_sources=["pictures"]) == []
    assert len(jobs.due(connection, "fetch", now_ms=0, limit=9, without_sources=["card"])) == 1


def test_jobs_of_an_absent_tree_are_left_out(connection: sqlite3.Connection, taken_in) -> None:
    resource = taken_in("IMG_1.JPG")  # in tree `t`
    jobs.add(connection, JobRequest(step="fetch", subject=str(resource)))

    assert jobs.due(connection, "fetch", now_ms=0, limit=9, without_sources=["pictures/t"]) == []
    for other in ("pictures/u", "card/t", "pictures/t/IMG_1.JPG"):
        assert len(jobs.due(connection, "fetch", now_ms=0, limit=9, without_sources=[other])) == 1


def test_a_failed_job_waits_for_a_person(connection: sqlite3.Connection) -> None:
    job = jobs.add(connection, JobRequest(step="examine", subject="1"))
    jobs.fail(connection, job, "broken")

    assert jobs.due(connection, "examine", now_ms=10_000, limit=9) == []
    assert jobs.retry_failed(connection) == 1
    assert [one.attempts for one in jobs.due(connection, "examine", now_ms=0, limit=9)] == [0]


def test_only_what_waits_for_company_is_hurried(connection: sqlite3.Connection) -> None:
    jobs.add(connection, JobRequest(step="describe", subject="1", not_before_ms=10_000))
    failed = jobs.add(connection, JobRequest(step="describe", subject="2"))
    jobs.postpone(connection, failed, not_before_ms=10_000, error="away", counts=True)

    assert jobs.hurry(connection) == 1

    assert [job.subject for job in jobs.due(connection, "describe", now_ms=0, limit=9)] == ["1"]
    assert jobs.next_due_ms(connection) == 0


def test_what_is_written_for_many_at_once_is_not_hurried_for_one(connection: sqlite3.Connection) -> None:
    for step in ("file", "describe", "manifest"):
        jobs.add(connection, JobRequest(step=step, subject="1", not_before_ms=10_000))

    assert jobs.hurry(connection, but=("describe", "manifest")) == 1

    assert len(jobs.due(connection, "file", now_ms=0, limit=9)) == 1
    assert jobs.due(connection, "describe", now_ms=0, limit=9) == []


@pytest.mark.parametrize(
    "end",
    [
        jobs.finish,
        partial(jobs.fail, error="late"),
        partial(jobs.postpone, not_before_ms=9, error="late", counts=True),
    ],
)
def test_what_ends_twice_touches_no_other_job_that_was_given_its_number(
    connection: sqlite3.Connection, end: Callable[[sqlite3.Connection, Job], object]
) -> None:
    with transaction(connection):
        done = jobs.add(connection, JobRequest(step="file", subject="1"))
        jobs.finish(connection, done)
        other = jobs.add(connection, JobRequest(step="describe", subject="2"))
        assert other.id == done.id

        end(connection, done)

    assert jobs.due(connection, "describe", now_ms=0, limit=9) == [other]


def test_a_job_that_has_ended_cannot_fail(connection: sqlite3.Connection) -> None:
    job = jobs.add(connection, JobRequest(step="file", subject="1"))

    assert jobs.fail(connection, job, "broken")
    jobs.finish(connection, job)
    assert not jobs.fail(connection, job, "broken")
