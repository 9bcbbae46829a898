"""Whether another process sees that an event loop turns, and that one does not."""

import os
import subprocess
import sys
from pathlib import Path

from mediabox import heartbeat
from mediabox.cli import standing

LOOP = """
import asyncio, sys, time
from mediabox.heartbeat import Heartbeat
if sys.argv[1] == "stuck":  # its loop turned last a minute ago
    now = time.monotonic
    time.monotonic = lambda: now() - 60
async def main():
    with Heartbeat():
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
        assert heartbeat.stuck_for_s(process.pid) is None
        assert heartbeat.silent_for_s(process.pid) is not None
        process.communicate("\n")

    assert heartbeat.silent_for_s(os.getpid()) is None
    assert heartbeat.silent_for_s(process.pid) is None  # it has ended


def test_a_loop_that_has_not_turned_for_long_is_an_issue_with_what_to_do(tmp_path: Path, monkeypatch) -> None:
    with started("stuck") as process:
        monkeypatch.setattr(standing, "running", lambda home: process.pid)

        [stuck] = [each for each in standing.found_now(tmp_path, has_archive=False, now_ms=1) if "stuck" in each.key]

        process.communicate("\n")
    assert "has not moved for 6" in stuck.message
    assert f"kill -9 {process.pid}" in stuck.remedy
