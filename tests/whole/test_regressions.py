"""Stories that once went wrong, each found by a test of this folder or by reading for it."""

import argparse
import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from mediabox.__main__ import main
from mediabox.cli import exits, rebuild
from mediabox.core import failures, pipeline
from mediabox.core.home import locked
from mediabox.durable.spool import SpoolFolder
from mediabox.errors import Away, NeedsHuman
from mediabox.model.issue import Issue, Severity
from mediabox.model.job import JobRequest
from mediabox.native.worker import MediaWorkers
from mediabox.shell import Shell
from mediabox.store import issues, jobs, schema
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


def test_a_picture_that_was_gone_before_it_was_read_is_taken_in_when_it_comes_back(box: Household) -> None:
    """With its old time, as from a bin: it is not the picture that was refused."""
    box.found({"a.jpg": JPEG, "other.jpg": JPEG + b"2"})
    assert killed_at("fetch.poured", box.home, {})
    for path in box.pictures.iterdir():
        path.rename(path.with_suffix(".tmp"))
    run(box)
    for path in box.pictures.iterdir():
        path.rename(path.with_suffix(".jpg"))

    run(box)

    box.assert_sound()
    assert ask(box, "SELECT DISTINCT state FROM resource") == [("archived",)]


# ---------------------------------------------------------------- decoders


def test_a_decoder_that_cannot_be_started_is_said_and_the_files_wait(box: Household) -> None:
    box.found({"a.jpg": JPEG, "b.jpg": JPEG + b"b"})

    with locked(box.home):
        broken = Shell(box.home, workers=lambda threads: MediaWorkers(threads, command=("/nowhere/python",)))
        asyncio.run(broken.run(once=True))

    assert ask(box, "SELECT key, subject FROM issue") == [("sandbox.unavailable", "picture")]
    assert ask(box, "SELECT count(*) FROM resource WHERE state = 'staged'") == [(2,)]
    run(box)
    assert ask(box, "SELECT key FROM issue") == []
    box.assert_sound()


# ---------------------------------------------------------------- the catalogue


def test_an_archive_with_files_is_not_taken_for_a_new_one(box: Household) -> None:
    box.found({"a.jpg": JPEG})
    run(box)
    for path in box.home.glob("mediabox.db*"):
        path.unlink()

    with pytest.raises(NeedsHuman, match="a second time") as refusal:
        run(box)

    assert "mediabox rebuild" in str(refusal.value.remedy)


def test_half_a_rebuild_is_not_taken_for_a_catalogue(box: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    box.found({f"{number}.jpg": JPEG + b"%d" % number for number in range(3)})
    run(box)
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(TableExaminer, "examine", lambda *_: os._exit(9))
        monkeypatch.setattr(rebuild, "MediaWorkers", lambda _: TableExaminer({}))
        rebuild.run(argparse.Namespace(home=str(box.home), archive=None, json=False))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

    with pytest.raises(NeedsHuman, match="was interrupted"):
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

    assert "nothing has been taken in yet" in capsys.readouterr().err


def test_an_upgrade_cut_short_is_made_again(box: Household, capsys: pytest.CaptureFixture[str]) -> None:
    """What the first attempt put aside may be half a file: it is neither used nor in the way."""
    box.found({"a.jpg": JPEG})
    with closing(sqlite3.connect(box.home / "mediabox.db")) as connection:
        scripts = schema.migrations()
        connection.executescript(scripts[0] + "PRAGMA user_version = 1;")
    newest = len(scripts)
    (box.home / f"mediabox.db.before-{newest}").write_bytes(b"half")
    assert main(["status", "--home", str(box.home)]) == exits.PROBLEM
    assert "`mediabox run` upgrades it" in capsys.readouterr().err

    run(box)

    box.assert_sound()
    assert (box.home / f"mediabox.db.before-{newest}").read_bytes() == b"half"
    assert (box.home / f"mediabox.db.before-{newest}-2").exists()


def test_an_empty_file_of_no_known_kind_is_counted_as_left_alone(box: Household) -> None:
    box.found({"notes": b""})

    run(box)

    assert [row[0].partition("/")[2] for row in ask(box, "SELECT remote_id FROM ignored")] == ["notes"]


# ---------------------------------------------------------------- jobs


def test_a_failure_that_healed_is_no_open_issue(box: Household) -> None:
    box.found({"a.jpg": JPEG})
    assert killed_at("fetch.synced", box.home, {})
    issue = Issue(key=failures.FAILED, subject="fetch:1", severity=Severity.ERROR, message="", remedy="")
    with closing(sqlite3.connect(box.home / "mediabox.db")) as connection, connection:
        issues.open_issue(connection, issue, at_ms=1)
        connection.execute("UPDATE job SET last_error = 'busy' WHERE step = 'fetch'")

    run(box)

    assert ask(box, "SELECT key FROM issue") == []


def test_a_run_to_the_end_does_what_was_queued_while_it_looked(box: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking at the table and calling itself idle, a listing may have brought something."""
    box.found({"a.jpg": JPEG})
    loops: list[Callable[[], object]] = []

    def hurry(connection: sqlite3.Connection, **named: object) -> int:
        if loops:
            jobs.add(connection, JobRequest(step="describe", subject="77"))
            loops.pop()()
            return 0
        return really_hurry(connection, **named)

    really_hurry, really_run = jobs.hurry, pipeline.Pipeline.run

    async def wired(self: pipeline.Pipeline) -> None:
        loops.append(partial(asyncio.get_running_loop().call_soon_threadsafe, self.wake))
        await really_run(self)

    monkeypatch.setattr(jobs, "hurry", hurry)
    monkeypatch.setattr(pipeline.Pipeline, "run", wired)

    run(box)

    assert ask(box, "SELECT step, subject FROM job") == []


def test_what_is_found_published_after_a_power_cut_is_read_only_again(box: Household) -> None:
    """The name may have reached the disk when the mode had not."""
    box.found({"a.jpg": JPEG})
    assert killed_at("file.linked", box.home, {})
    next(iter(archived_originals(box.archive))).chmod(0o644)

    run(box)

    box.assert_sound()


def test_a_run_to_the_end_lets_go_of_what_it_held_before_it_ends(
    box: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Letting go takes its time; the run used to end as soon as the last result was written down."""
    really_discard = SpoolFolder.discard

    async def slowly(self: SpoolFolder, resource_id: int) -> None:
        await asyncio.sleep(0.2)
        await really_discard(self, resource_id)

    box.found({"a.jpg": JPEG})
    run(box)
    box.found({"duplicate.jpg": JPEG})  # fetched, found to be kept already, let go: nothing follows
    monkeypatch.setattr(SpoolFolder, "discard", slowly)

    run(box)

    box.assert_sound()
