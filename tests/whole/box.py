"""A household for tests: a home, an archive, a folder of pictures, and the box that works on them.

    box = Household(tmp_path)
    box.found(FAMILY)
    box.run()
    box.assert_sound()

`run` starts the real daemon with its real children. `run(real=False)` and everything in
`plain_box` put a table in the place of the children, for the runs that are many.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from patience import PATIENCE_S

from whole.soundness import Original, assert_sound, originals_below

ROOT = Path(__file__).resolve().parents[2]
OURS = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}  # environment of every program started


class Household:
    """One home folder with its configuration. `sources` is what the owner had, `moves` whether the box clears up."""

    def __init__(
        self, root: Path, *, home: Path | None = None, archive: Path | None = None, moves: bool = False
    ) -> None:
        self.home = home or root / "home"
        self.archive = archive or root / "archive"
        self.pictures = root / "pictures"
        self.moves = moves
        self.poll_s = 60.0  # as in life
        self.table = root / "facts.json"
        self.sources: dict[Path, Original] = {}

    def found(self, files: Mapping[str, bytes | Path]) -> None:
        """Lay out the pictures (name -> content, or a file to copy) and write the configuration."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.pictures.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            self.add(name, content)
        self.sources = originals_below(self.pictures)
        (self.home / "mediabox.toml").write_text(self.configuration(), encoding="utf-8")

    def add(self, name: str, content: bytes | Path) -> Path:
        path = self.pictures / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy2(content, path)
        else:
            path.write_bytes(content)
        return path

    def configuration(self) -> str:
        return (
            f'[archive]\npath = "{self.archive}"\n[work]\nthreads = 1\n[sources.pictures]\ntype = "folder"\n'
            f'trees = ["{self.pictures}"]\nmode = "{"move" if self.moves else "keep"}"\nsettle_s = 0\nwatch = "poll"\n'
            f"poll_s = {self.poll_s}\n"
        )

    # ------------------------------------------------------------ the program

    def command(self, *, real: bool = True) -> list[str]:
        """How to run it to its end; without `real` children the facts come from the table."""
        if real:
            return [sys.executable, "-m", "mediabox", "run", "--once", "--quiet", "--home", str(self.home)]
        return [sys.executable, "-m", "whole.plain_box", str(self.home), str(self.table)]

    def start(
        self, *, real: bool = True, env: Mapping[str, str] | None = None, once: bool = True, log: Path | None = None
    ) -> subprocess.Popen[str]:
        """A process whose words are in pipes, or, if nobody is going to read those, at the end of file `log`."""
        argv = self.command(real=real)
        argv = argv if once else [word for word in argv if word != "--once"]
        environment = os.environ | OURS | dict(env or {})
        if log is None:
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            return subprocess.Popen(argv, env=environment, text=True, start_new_session=True, **pipes)
        with log.open("ab") as stream:
            return subprocess.Popen(
                argv, env=environment, text=True, start_new_session=True, stdout=stream, stderr=stream
            )

    def run(self, *, real: bool = True, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """To its end, or to the end an armed fault puts to it."""
        with self.start(real=real, env=env) as process:
            try:
                stdout, stderr = process.communicate(timeout=PATIENCE_S)
            finally:
                kill(process)
            return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def say(self, *words: str) -> str:
        """What a command answers, whatever its exit code."""
        argv = [sys.executable, "-m", "mediabox", *words, "--home", str(self.home)]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE_S).stdout

    def status(self) -> dict[str, Any]:
        return json.loads(self.say("status", "--json"))

    def finish(self, *, real: bool = False) -> None:
        """After a disaster: try at once what would wait for its back-off, and run to the end."""
        if (self.home / "mediabox.db").exists():
            self.say("retry")
        done = self.run(real=real)
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}"

    def assert_sound(self) -> None:
        assert_sound(self.home, self.sources, moved=self.moves)


def kill(process: subprocess.Popen[str]) -> None:
    """As a power cut: the daemon and whatever it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(PATIENCE_S)


def is_stopped(running: subprocess.Popen[str]) -> bool:
    """Whether it stands still where a failpoint stopped it (proc(5): the field behind the name)."""
    assert running.poll() is None, "it ended before it came to the failpoint"
    return Path(f"/proc/{running.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def wait_until(is_true: Callable[[], object], *, timeout_s: float = PATIENCE_S) -> None:
    """Poll what another process does; fail when it never does it."""
    until = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)


def full_pipe() -> tuple[int, int]:
    """A pipe that takes nothing more, as of a log whose reader hangs."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)  # as a service manager or a shell hands it over
    return reader, writer
