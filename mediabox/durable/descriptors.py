"""Descriptors that are closed again, whatever happens meanwhile; and folders whose names are made durable."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def open_descriptor(path: str | Path, flags: int = READ, *, dir_fd: int | None = None) -> Iterator[int]:
    """A file to be read, or with `DIRECTORY` a folder. Raises OSError."""
    descriptor = os.open(path, flags, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def sync_folder(path: str | Path, *, dir_fd: int | None = None) -> None:
    """Make the names in a folder durable. Below an open folder no link is taken for one. Raises OSError."""
    with open_descriptor(path, DIRECTORY if dir_fd is None else DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd) as folder:
        os.fsync(folder)
