"""Whether another process sees that an event loop turns, and that one does not."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mediabox import heartbeat
from mediabox.__main__ import main
from mediabox.cli import status
from mediabox.core import surroundings

LOOP = """
import asyncio, sys, time
from mediabox.heartbeat import Heartbeat
if sys.argv[1] == "stuck":  # its loop turned last a minute ago
    now = time.monotonic
    time.monotonic = lambda: now() - 60
async def main():
    with Heartbeat(lambda: "waiting: the processor is at 81 °C"):
        print("beats", flush=True)
        await asyncio.to_thread(input)
asyncio.run(main())
"""


def started(how: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", LOOP, how]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "beats\n"
    return process


def test_a_loop_that_turns_is_not_stuck_and_one_without_a_heartbeat_is_not_judged() -> None:
    with started("well") as process:
        life = heartbeat.life_of(process.pid)
        process.communicate("\n")

    assert life is not None
    assert life.stuck_s is None
    assert life.waiting_for == "waiting: the processor is at 81 °C"
    assert heartbeat.life_of(os.getpid()) is None
    assert heartbeat.life_of(process.pid) is None  # it has ended


def test_a_reason_too_long_to_show_is_cut_not_broken() -> None:
    async def shown() -> heartbeat.Life | None:
        with heartbeat.Heartbeat(lambda: "ä" * 999):
            return heartbeat.life_of(os.getpid())

    assert asyncio.run(shown()).waiting_for == "ä" * 252


def test_a_name_that_is_no_utf_8_stops_no_heartbeat() -> None:
    async def shown() -> heartbeat.Life | None:
        with heartbeat.Heartbeat(lambda: "waiting for caf\udce9"):
            return heartbeat.life_of(os.getpid())

    assert asyncio.run(shown()).waiting_for == "waiting for caf?"


def test_a_loop_that_has_not_turned_for_long_is_an_issue_with_what_to_do(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started("stuck") as process:
        monkeypatch.setattr(surroundings, "running", lambda home: process.pid)

        found = status.status_of(made)

        process.communicate("\n")
    [stuck] = [issue for issue in found.issues if "stuck" in issue.key]
    assert "has not responded for 1 minute" in str(stuck.message)
    assert f"kill -9 {process.pid}" in str(stuck.remedy)


def test_why_a_running_box_waits_is_in_the_first_line_of_status(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with started("well") as process:
        monkeypatch.setattr(surroundings, "running", lambda home: process.pid)

        main(["status", "--home", str(made)])

        process.communicate("\n")
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"mediabox is running (process {process.pid}), waiting: the processor is at 81 °C"
