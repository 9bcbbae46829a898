"""A mounted disk that forgets what was not synced, fails on demand, and can have its power cut.

    with Forgetful() as disk:
        volume = Volume.enroll(disk.path, now_ms=1)
        ...
        disk.fail("enospc")               # ok enospc eio fsync-eio gone hang no-links plain-rename no-rename
        disk.cut_power(luck=0.5, seed=7)  # kill the writers first; mounted again when it returns

Needs /dev/fuse, mfusepy and the right to mount; skips the test elsewhere. Every wait has a limit.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from ctypes.util import find_library
from multiprocessing.connection import Client
from pathlib import Path
from typing import Self

import pytest
from patience import PATIENCE_S

_UNMOUNT = ("umount", "-l") if os.geteuid() == 0 else ("fusermount3", "-uz")  # lazily: never waits for the disk
# mfusepy would rather take libfuse 2 where both are installed.
_FUSE_3 = {"FUSE_LIBRARY_PATH": find_library("fuse3") or ""}
_SERVER = Path(__file__).with_name("forgetful_server.py")


class Forgetful:
    """One disk. `path` is its mount point; what is synced there outlives `cut_power`."""

    def __init__(self) -> None:
        _require_fuse()
        self._folder = Path(tempfile.mkdtemp(prefix="mediabox-forgetful-"))
        self.path = self._folder / "mnt"
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.path.mkdir()
        try:
            self._mount()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._unmount()
        shutil.rmtree(self._folder, ignore_errors=True)

    def fail(self, mode: str) -> None:
        """Answer all that follows in this mode; `ok` ends it. `hang` holds callers until the next mode (or SIGKILL)."""
        self._tell(("mode", mode))

    def cut_power(self, *, luck: float = 0.0, seed: int = 0) -> None:
        """Forget what was not synced, but for a lucky share, and start again. Open descriptors are dead afterwards."""
        self._tell(("cut", luck, seed))
        self._unmount()
        self._mount()

    def pull(self) -> None:
        """Unplug: the bare mount point is what programs find now. Nothing is forgotten."""
        subprocess.run([*_UNMOUNT, str(self.path)], check=True, timeout=PATIENCE_S)

    def libraries(self) -> set[str]:
        """Names of the libfuse files its server has loaded (proc(5): the last field of each mapping)."""
        assert self._server is not None
        maps = Path(f"/proc/{self._server.pid}/maps").read_text(encoding="utf-8").splitlines()
        return {Path(line.split()[-1]).name for line in maps if "libfuse" in line}

    def _tell(self, command: tuple[object, ...]) -> None:
        with Client(str(self._folder / "control"), "AF_UNIX") as connection:
            connection.send(command)
            if not connection.poll(PATIENCE_S):
                raise TimeoutError(f"the disk did not answer to {command}")
            connection.recv()

    def _mount(self) -> None:
        control = self._folder / "control"
        control.unlink(missing_ok=True)
        argv = [sys.executable, str(_SERVER), str(self.path), str(self._folder / "state"), str(control)]
        with open(self._folder / "log", "ab") as log:
            self._server = subprocess.Popen(argv, stdout=log, stderr=log, env=os.environ | _FUSE_3)
        until = time.monotonic() + PATIENCE_S
        while not (os.path.ismount(self.path) and control.exists()):
            if self._server.poll() is not None or time.monotonic() > until:
                pytest.skip(f"cannot mount a FUSE file system: {(self._folder / 'log').read_text()}")
            time.sleep(0.01)

    def _unmount(self) -> None:
        """Kill the server first: whoever hangs in the mount gets ENOTCONN, and umount cannot hang itself."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(PATIENCE_S)
            self._server = None
        subprocess.run([*_UNMOUNT, str(self.path)], check=False, capture_output=True, timeout=PATIENCE_S)


def _require_fuse() -> None:
    if importlib.util.find_spec("mfusepy") is None:
        pytest.skip("mfusepy is not installed")
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as err:
        pytest.skip(f"/dev/fuse cannot be opened: {err.strerror}")
