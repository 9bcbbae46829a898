"""A Unix socket in a folder, of whatever length the folder's path is.

A socket's own path has 107 bytes at most (unix(7), sun_path); through an open descriptor of its folder it is short.
"""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from mediabox.durable.descriptors import DIRECTORY, open_descriptor

if TYPE_CHECKING:
    from pathlib import Path

BACKLOG = 64


def listen(folder: Path, name: str) -> socket.socket:
    """A listening socket `name` in `folder`, in the place of one a crash left. Raises OSError."""
    with open_descriptor(folder, DIRECTORY) as descriptor:
        _discard(name, dir_fd=descriptor)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            listening.bind(f"/proc/self/fd/{descriptor}/{name}")
            listening.listen(BACKLOG)
        except OSError:
            listening.close()
            raise
    return listening


def connect(folder: Path, name: str, *, timeout_s: float) -> socket.socket:
    """A connection to it; each call on it may take so long. Raises OSError."""
    with open_descriptor(folder, DIRECTORY) as descriptor:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout_s)
            connection.connect(f"/proc/self/fd/{descriptor}/{name}")
        except OSError:
            connection.close()
            raise
    return connection


def discard(folder: Path, name: str) -> None:
    """Take the socket's name away, if it is there."""
    with suppress(OSError), open_descriptor(folder, DIRECTORY) as descriptor:
        _discard(name, dir_fd=descriptor)


def _discard(name: str, *, dir_fd: int) -> None:
    """Only a socket: what else has this name is none of ours, and binding fails."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=dir_fd)
