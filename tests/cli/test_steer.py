"""`mediabox pause`, `resume`, `retry`, beside a daemon in every state and without one."""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.conftest import Say

from mediabox.cli import exits
from mediabox.core import switches
from mediabox.core.home import LOCK, catalogue

LISTENS = "signal.signal(signal.SIGHUP, lambda *_: (print('poked', flush=True), sys.exit(0)))"
HOLDER = """
import fcntl, os, signal, sys, time
lock = open(sys.argv[1], "a+")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.truncate(0); lock.write(str(os.getpid())); lock.flush()
{0}
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(home: Path) -> Iterator[subprocess.Popen[str]]:
    """One that holds the home and does not catch SIGHUP: a daemon still starting, a rebuild."""
    yield from _held(home, "")


@pytest.fixture
def listener(home: Path) -> Iterator[subprocess.Popen[str]]:
    yield from _held(home, LISTENS)


NOT_RUNNING = "mediabox is not running."


def _held(home: Path, listens: str) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", HOLDER.format(listens), str(home / LOCK)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_pause_is_kept_until_it_is_over_and_shown_with_its_end(home: Path, say: Say) -> None:
    paused = say("pause", "1h", home=home)

    assert paused.code == exits.OK
    assert re.fullmatch(rf"Paused until 20.+\. {NOT_RUNNING}\n", paused.out)
    assert "paused by a person until 20" in say("status", home=home).out

    assert say("resume", home=home).out.startswith("Resumed.")
    assert "paused" not in say("status", home=home).out


def test_a_full_listing_is_asked_for_by_the_sources_name(home: Path, say: Say) -> None:
    (home / "mediabox.toml").write_text('[sources.cards]\ntype = "folder"\ntrees = ["/tmp"]\n')

    asked = say("scan", "cards", "--full", home=home)

    assert (asked.code, asked.out) == (
        exits.OK, f"Listing everything again: cards. {NOT_RUNNING}\n")  # fmt: skip
    with catalogue(home) as connection:
        assert switches.is_full_listing_asked(connection, "cards")
    assert say("scan", "nobody", home=home).code == exits.USAGE


def test_nothing_to_resume_or_retry_promises_nothing(home: Path, say: Say) -> None:
    assert say("resume", home=home).out == "mediabox was not paused.\n"
    assert say("retry", home=home).out == "There is nothing to retry.\n"


@pytest.mark.parametrize("duration", ["nonsense", "0s", "1", "h", "1.5h", "999999d"])
def test_what_is_no_duration_is_wrong_usage_and_changes_nothing(duration: str, made: Path, say: Say) -> None:
    said = say("pause", duration, home=made)

    assert said.code == exits.USAGE
    assert "enter a number and s, m, h or d" in said.err
    assert "paused" not in say("status", home=made).out


@pytest.mark.parametrize("verb", ["pause", "resume", "retry"])
def test_without_a_catalogue_there_is_nothing_to_steer(verb: str, tmp_path: Path, say: Say) -> None:
    said = say(verb, home=tmp_path)

    assert said.code == exits.PROBLEM
    assert "there is no catalogue" in said.err


def test_a_daemon_that_listens_is_poked(home: Path, say: Say, listener: subprocess.Popen[str]) -> None:
    assert say("pause", home=home).out == "Paused.\n"

    assert listener.stdout is not None
    assert listener.stdout.readline() == "poked\n"


def test_one_that_does_not_listen_yet_is_left_alive(home: Path, say: Say, holder: subprocess.Popen[str]) -> None:
    assert say("pause", home=home).out == "Paused.\n"

    with pytest.raises(subprocess.TimeoutExpired):
        holder.wait(0.3)


def test_a_number_left_in_the_lock_of_nobody_is_no_daemon(home: Path, say: Say) -> None:
    (home / LOCK).write_text(f"{os.getpid()}\n", encoding="ascii")
    with open(home / LOCK, encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # somebody looks, nobody works

        said = say("retry", home=home)

    assert said.code == exits.OK
    assert said.out == "There is nothing to retry.\n"
