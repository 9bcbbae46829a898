"""Small real file systems that fill up, vanish and are swapped. They skip where mounting is not allowed."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest
from patience import PATIENCE_S


@contextmanager
def tmpfs(path: Path, *, size_bytes: int, inodes: int = 0) -> Iterator[Path]:
    """A file system of that size (rounded up to pages) and number of inodes (0: no limit) at `path`."""
    path.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size_bytes},nr_inodes={inodes},mode=755", "tmpfs", str(path))
    try:
        yield path
    finally:
        unmount(path)


class Socket:
    """A mount point disks are plugged into and pulled from. `path` is the socket; a disk is any folder (bind mount)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._plugged = 0  # os.path.ismount does not see a bind mount of the same file system
        path.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._plugged:
            self.pull()

    def plug(self, disk: Path) -> None:
        disk.mkdir(parents=True, exist_ok=True)
        _mount("--bind", str(disk), str(self.path))
        self._plugged += 1

    def pull(self) -> None:
        """As `umount -l`: open descriptors go on working, the path shows the bare, writable mount point."""
        unmount(self.path)
        self._plugged -= 1

    def swap(self, disk: Path) -> None:
        self.pull()
        self.plug(disk)


def remount_read_only(path: Path) -> None:
    """What the kernel does to a failing disk."""
    _mount("-o", "remount,ro", str(path))


def unmount(path: Path) -> None:
    subprocess.run(["umount", "-l", str(path)], check=True, timeout=PATIENCE_S)


def _mount(*arguments: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    if done.returncode:
        pytest.skip(f"mount {' '.join(arguments)}: {done.stderr.strip()}")
