"""Temporary files beside their final name, and who may write them.

The name follows from the final name, so a step repeated after a crash takes over the
temp it left behind instead of leaving a second one. One writer at a time for each
name keeps two threads from sharing a temp.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

_PREFIX = ".mediabox-"
_SUFFIX = ".tmp"

_turn = threading.Condition()
_taken: set[tuple[object, str]] = set()


def temporary_for(final: str) -> str:
    """The temp's relative path: same directory, hidden, 31 bytes long whatever the final name's length."""
    folder, _, name = final.rpartition("/")
    token = blake2b(os.fsencode(name), digest_size=8).hexdigest()
    temp = f"{_PREFIX}{token}{_SUFFIX}"
    return f"{folder}/{temp}" if folder else temp


def is_temporary(name: str) -> bool:
    """Whether a file name (no folders) is a temp of ours."""
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX)


@contextmanager
def only_writer(place: object, final: str) -> Iterator[None]:
    """Wait until no other thread of this process writes `final` in `place` (a volume's UUID, a root)."""
    key = (place, final)
    with _turn:
        _turn.wait_for(lambda: key not in _taken)
        _taken.add(key)
    try:
        yield
    finally:
        with _turn:
            _taken.discard(key)
            _turn.notify_all()


def write_temporary(temp: str, content: bytes, *, dir_fd: int, sync: bool, mode: int | None = None) -> None:
    """Write a temp whole, replacing one left by a crash. After any error nothing of it is left. Raises OSError.

    `mode`: exactly this one, whatever the umask, and nobody else's until then. `sync` makes the bytes durable
    (not the name). After a failed fsync the kernel may have dropped the dirty pages and call the next fsync a success,
    so the file is thrown away (https://lwn.net/Articles/752063/).
    """
    unlink_quietly(temp, dir_fd=dir_fd)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temp, flags, 0o644 if mode is None else 0o600, dir_fd=dir_fd)
    try:
        try:
            if mode is not None:
                os.fchmod(descriptor, mode)
            write_all(descriptor, content)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        abandon(temp, dir_fd=dir_fd)
        raise


def write_all(descriptor: int, content: bytes | bytearray | memoryview) -> None:
    """Write every byte; write(2) may take fewer than asked near a full disk. Raises OSError."""
    written = os.write(descriptor, content)
    if written == len(content):
        return
    rest = memoryview(content).cast("B")
    while written < len(rest):
        written += os.write(descriptor, rest[written:])


def unlink_quietly(relative: str, *, dir_fd: int) -> bool:
    """Unlink a name that may not exist; whether it did. Raises OSError for anything else."""
    try:
        os.unlink(relative, dir_fd=dir_fd)
    except FileNotFoundError:
        return False
    return True


def abandon(temp: str, *, dir_fd: int) -> None:
    """Unlink a temp while another error is on its way out; that one matters more than this."""
    try:
        os.unlink(temp, dir_fd=dir_fd)
    except OSError:
        return  # the sweep at the next start finds it
