"""Measure whole processes: CPU, wall clock and memory of a command with everything it starts.

    measure.py [--items N] [--runs 3] [--vs "OTHER COMMAND"] -- COMMAND...

Prints one JSON line for each command. With `--vs` the two are run in turn, A B A B, so
that a busy machine is busy for both; only the ratio of such a pair means anything.

- CPU seconds are the kernel's own account (`getrusage`) of every process that ended.
  This process is a child sub-reaper (`prctl(2)`, PR_SET_CHILD_SUBREAPER), so helpers whose
  parent is gone are counted, too.
- Memory is the highest sum over the tree of the proportional set size (`smaps_rollup`),
  looked at every 50 ms: shared pages are counted once.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shlex
import signal
import statistics
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
LOOK_EVERY_S = 0.05
STRAGGLERS_S = 5.0  # how long what the command left behind may take to end by itself


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `processes` is the most seen at once, `answer` the last line it printed."""

    status: int
    cpu_s: float
    wall_s: float
    peak_bytes: int
    processes: int
    answer: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. `items` is what its cost is divided by; `before` runs unmeasured, for a clean slate."""

    name: str
    argv: tuple[str, ...]
    items: int = 1
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    environment: dict[str, str] = {}


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Medians over the runs of one command."""

    name: str
    runs: int
    items: int
    cpu_ms_per_item: float
    wall_ms_per_item: float
    peak_mib: float
    processes: int


def tree(root: int) -> list[int]:
    """Every living descendant of a process."""
    found, waiting = [], [root]
    while waiting:
        parent = waiting.pop()
        with suppress(OSError):  # a process may end while we look
            for task in os.listdir(f"/proc/{parent}/task"):
                children = Path(f"/proc/{parent}/task/{task}/children").read_text().split()
                waiting += [int(child) for child in children]
                found += [int(child) for child in children]
    return found


def proportional_bytes(process: int) -> int:
    """Proportional set size; 0 for a process that has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


class Watch(threading.Thread):
    """Looks at everything this process started until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._over = threading.Event()
        self.peak_bytes = 0
        self.processes = 0

    def run(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            alive = tree(os.getpid())
            self.processes = max(self.processes, len(alive))
            self.peak_bytes = max(self.peak_bytes, sum(proportional_bytes(process) for process in alive))

    def stop(self) -> None:
        self._over.set()
        self.join()


def become_subreaper() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def reap_stragglers() -> None:
    """Wait for processes the command left behind; end those that stay."""
    deadline = time.monotonic() + STRAGGLERS_S
    while True:
        try:
            process, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if process == 0:
            if time.monotonic() > deadline:
                for orphan in tree(os.getpid()):
                    with suppress(ProcessLookupError):
                        os.kill(orphan, signal.SIGKILL)
            time.sleep(0.02)


def _environment() -> dict[str, str]:
    """This process's own, but byte code may be kept: nobody's program compiles itself at every start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure(command: Command) -> Measure:
    """Run it once. When it fails, the end of its output goes to standard error."""
    if command.before:
        command.before()
    become_subreaper()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with subprocess.Popen(
        command.argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment() | command.environment,
    ) as process:
        watch = Watch()
        watch.start()
        output, _ = process.communicate()
        wall_s = time.perf_counter() - start
        watch.stop()
    reap_stragglers()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        sys.stderr.write(f"{command.name} ended with {process.returncode}: {output.decode(errors='replace')[-2000:]}\n")
    elif command.after:
        command.after()
    return Measure(
        status=process.returncode,
        cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        wall_s=wall_s,
        peak_bytes=watch.peak_bytes,
        processes=watch.processes,
        answer="".join(output.decode(errors="replace").splitlines()[-1:]),
    )


def paired(commands: Sequence[Command], runs: int) -> list[list[Measure]]:
    """Run all commands in turn, `runs` times; the answer is by command. Raises RuntimeError when one fails."""
    by_command: list[list[Measure]] = [[] for _ in commands]
    for _ in range(runs):
        for measures, command in zip(by_command, commands, strict=True):
            seen = measure(command)
            if seen.status:
                raise RuntimeError(f"{command.name} ended with {seen.status}")
            measures.append(seen)
    return by_command


def summarise(command: Command, measures: Sequence[Measure]) -> Summary:
    return Summary(
        name=command.name,
        runs=len(measures),
        items=command.items,
        cpu_ms_per_item=statistics.median(one.cpu_s for one in measures) / command.items * 1000,
        wall_ms_per_item=statistics.median(one.wall_s for one in measures) / command.items * 1000,
        peak_mib=statistics.median(one.peak_bytes for one in measures) / 2**20,
        processes=max(one.processes for one in measures),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--vs")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    commands = [Command(name="A", argv=tuple(options.command), items=options.items)]
    if options.vs:
        commands.append(Command(name="B", argv=tuple(shlex.split(options.vs)), items=options.items))
    for command, measures in zip(commands, paired(commands, options.runs), strict=True):
        print(json.dumps(msgspec.to_builtins(summarise(command, measures))))


if __name__ == "__main__":
    main()
