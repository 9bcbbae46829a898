"""`mediabox run` as a person meets it; the daemon itself has `tests/whole`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import ROOT, Say, program

from mediabox.cli import exits
from mediabox.model.issue import Issue, Severity
from mediabox.model.status import Accounting
from mediabox.surfaces.terminal import line, printable

VERBS = ("run", "status", "where", "verify", "rebuild", "retry", "pause", "resume", "doctor", "config", "pipeline")


def test_a_second_run_changes_nothing_and_says_so_in_the_same_words(home: Path, media: Path) -> None:
    first, second = (
        program("run", "--once", "--pictures", str(media / "library"), "--home", str(home)) for _ in range(2)
    )

    assert (first.code, first.out) == (second.code, second.out)
    assert f"  The archive is {home / 'archive'}\n" in second.out
    assert ", 1 duplicate, 0 quarantined, 0 pending." in second.out
    assert second.err == ""


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_the_exit_codes(verb: str, say: Say) -> None:
    said = say(verb, "--help")

    assert said.code == exits.OK
    assert "--home DIR" in said.out
    assert "75 try again later" in " ".join(said.out.split())


def test_the_version_is_told(say: Say) -> None:
    assert say("--version").out.startswith("mediabox ")


@pytest.mark.parametrize("words", [("bogus",), ("status", "--bogus"), ("pause", "-5h")])
def test_wrong_usage_has_its_own_exit_code(words: tuple[str, ...], say: Say) -> None:
    assert say(*words).code == exits.USAGE


def test_a_folder_that_is_not_one_is_refused_before_anything_is_made(tmp_path: Path, say: Say) -> None:
    (tmp_path / "a.jpg").touch()

    for name, what in (("a.jpg", "that is a file, not a folder"), ("nope", "there is no such folder")):
        said = say("run", "--once", "--pictures", str(tmp_path / name), home=tmp_path / "home")

        assert said.code == exits.PROBLEM
        assert what in said.err
    assert not (tmp_path / "home").exists()


def test_no_source_at_all_is_told_how_to_name_one(tmp_path: Path, say: Say) -> None:
    said = say("run", "--once", home=tmp_path)

    assert said.code == exits.PROBLEM
    assert "--pictures DIR" in said.err
    assert "[sources.pictures]" in said.err


def test_pictures_inside_the_archive_need_a_person(home: Path) -> None:
    said = program("run", "--once", "--pictures", str(home / "archive"), "--home", str(home))

    assert said.code == exits.NEEDS_PERSON
    assert f"! {home / 'archive'} is inside the archive" in said.out
    assert "What to do: Choose the folder the photos come from" in said.out


def test_a_configured_tree_that_is_away_is_for_later(made: Path, tmp_path: Path) -> None:
    (tmp_path / "mediabox.toml").write_text(
        '[sources.a]\ntype = "folder"\ntrees = ["/nowhere/at/all"]\n', encoding="utf-8"
    )

    said = program("run", "--once", "--home", str(tmp_path))

    assert said.code == exits.TRY_LATER
    assert "! /nowhere/at/all: No such file or directory. Nothing is treated as deleted." in said.out


def test_an_account_that_was_never_signed_in_needs_a_person(tmp_path: Path) -> None:
    (tmp_path / "mediabox.toml").write_text(
        '[sources.anna]\ntype = "icloud"\napple_id = "anna@example.com"\n', encoding="utf-8"
    )

    said = program("run", "--once", "--home", str(tmp_path))  # without password or session nobody is asked

    assert said.code == exits.NEEDS_PERSON
    assert "mediabox auth icloud anna" in said.out
    assert program("status", "--home", str(tmp_path)).code == exits.NEEDS_PERSON
    assert program("auth", "code", "123456", "--home", str(tmp_path)).code == exits.NEEDS_PERSON


def test_a_reader_who_has_seen_enough_is_no_error(made: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-m", "mediabox", "status", "--home", str(made)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(argv, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False, env=environment)

    assert (done.returncode, done.stderr) == (exits.OK, "")


def test_a_full_disk_behind_the_output_is_said_in_a_line(made: Path) -> None:
    argv = [sys.executable, "-m", "mediabox", "status", "--home", str(made)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment)

    assert done.returncode == exits.PROBLEM
    assert done.stderr.splitlines() == ["mediabox: [Errno 28] No space left on device"]


@pytest.mark.parametrize("columns", [10, 20, 40, 79, 200])
def test_the_progress_line_fits_any_terminal(columns: int) -> None:
    counts = Accounting(taken_in=12_345, archived=9_000, duplicate=1, quarantined=44, pending=3_300)

    shown = line(counts, rate_per_min=480, waiting_for=None, columns=columns)

    assert len(shown) <= columns
    assert shown.lstrip("[#.] ").startswith("9,045 of"[:columns])


def test_the_progress_line_says_why_work_waits() -> None:
    shown = line(Accounting(taken_in=2, pending=2), rate_per_min=0, waiting_for="paused by a person", columns=79)

    assert shown == f"[{'.' * 30}] 0 of 2 files, paused by a person"


def test_an_issue_is_said_above_the_line_once_and_drives_no_terminal() -> None:
    issue = Issue(key="a.b", subject="", severity=Severity.WARNING, message="esc\x1b[31m")

    assert printable(issue.message) == "esc?[31m"


def test_what_a_box_started_by_hand_writes_is_for_nobody_else(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 a")
    argv = [sys.executable, "-m", "mediabox", "run", "--once", "--pictures", str(pictures)]
    argv += ["--home", str(tmp_path / "home")]

    subprocess.run(argv, check=True, umask=0o022, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True)

    assert (tmp_path / "home/mediabox.db").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o750
