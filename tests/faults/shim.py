"""Run any program so that its n-th change below a folder kills it, tears a write or fails.

points = run_under_shim([sys.executable, "script.py"], folder).points
for at in range(1, points + 1):
    run = run_under_shim([sys.executable, "script.py"], folder, at=at, fault=Fault.KILL)
"""

import errno
import functools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

_SOURCE = Path(__file__).with_name("shim.c")


class Fault(StrEnum):
    """What happens at the chosen call. Values are what the shim reads: a word, or an errno."""

    NONE = "none"
    KILL = "kill"  # SIGKILL before the call
    TORN = "torn"  # half of the write, then SIGKILL; other calls: as KILL
    ENOSPC = str(errno.ENOSPC)
    EIO = str(errno.EIO)
    EROFS = str(errno.EROFS)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. `points` counts calls of the whole process tree; `trace` has one `number family path` each."""

    returncode: int
    points: int
    stdout: str
    stderr: str
    trace: tuple[str, ...]

    @property
    def was_killed(self) -> bool:
        return self.returncode == -signal.SIGKILL


@functools.cache
def built_shim() -> Path:
    """The shared library, compiled once per test run. Skips the test where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for the fault shim")
    library = Path(tempfile.mkdtemp(prefix="mediabox-shim-")) / "shim.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"], check=True)
    return library


def shim_environment(
    prefix: Path, *, at: int = 0, fault: Fault = Fault.NONE, only: Sequence[str] = ()
) -> dict[str, str]:
    """What to add to a program's environment, for tests that start it themselves; without count and trace."""
    environment = {
        "LD_PRELOAD": str(built_shim()),
        "MEDIABOX_FAULT_PREFIX": str(prefix.resolve()),
        "MEDIABOX_FAULT_AT": str(at if fault is not Fault.NONE else 0),
        "MEDIABOX_FAULT_KIND": fault.value,
    }
    return environment | ({"MEDIABOX_FAULT_ONLY": ",".join(only)} if only else {})


def run_under_shim(
    argv: Sequence[str],
    prefix: Path,
    at: int = 0,
    fault: Fault = Fault.NONE,
    *,
    only: Sequence[str] = (),
    is_sticky: bool = False,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 60,
) -> Run:
    """Run `argv` with `fault` at the `at`-th change below `prefix` (1 is the first); count only when there is none.

    `only` limits what counts to families: write fsync rename link unlink mkdir truncate
    create. `is_sticky`: errors go on from `at`, as on a disk that stays full. `env` is
    added to ours. Whatever the process left running is killed with it. Raises
    subprocess.TimeoutExpired.
    """
    with tempfile.TemporaryDirectory(prefix="mediabox-run-") as folder:
        count, trace = Path(folder, "count"), Path(folder, "trace")
        count.write_bytes(bytes(8))
        environment = os.environ | dict(env or {}) | shim_environment(prefix, at=at, fault=fault, only=only)
        environment |= {"MEDIABOX_FAULT_COUNT": str(count), "MEDIABOX_FAULT_TRACE": str(trace)}
        environment |= {"MEDIABOX_FAULT_STICKY": "1"} if is_sticky else {}
        returncode, stdout, stderr = _run(argv, environment, timeout_s=timeout_s)
        return Run(
            returncode=returncode,
            points=int.from_bytes(count.read_bytes(), "little"),
            stdout=stdout,
            stderr=stderr,
            trace=tuple(trace.read_text("utf-8", "surrogateescape").splitlines()) if trace.exists() else (),
        )


def _run(argv: Sequence[str], environment: Mapping[str, str], *, timeout_s: float) -> tuple[int, str, str]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
        finally:
            kill_session(process.pid)
        return process.returncode, stdout, stderr


def kill_session(leader: int) -> None:
    """SIGKILL a session started with `start_new_session`, as a power cut ends a daemon and its children together."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return
