"""Read a file back from the disk itself.

A read right after a write is answered from the page cache and proves nothing about
the disk. O_DIRECT goes past it; where a file system refuses that, the file's clean
pages are dropped first (posix_fadvise(2), POSIX_FADV_DONTNEED).
"""

import errno
import mmap
import os
import stat
from collections import deque
from hashlib import sha256

import msgspec

from mediabox.durable.descriptors import READ, open_descriptor
from mediabox.durable.volume import Volume, inside
from mediabox.model.ledger import CopyState

_BLOCK_BYTES = 1 << 20  # a multiple of every sector size; larger blocks gain nothing, smaller ones cost calls
_SPARE_BUFFERS = 2  # 1 MiB each, kept for the next file: faulting in a new one costs as much as reading 300 kB

_spare: deque[mmap.mmap] = deque(maxlen=_SPARE_BUFFERS)


class FileVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found under a name. `digest` and `size_bytes` are of the bytes there; None when there are none."""

    state: CopyState
    digest: str | None = None
    size_bytes: int | None = None


def digest_past_cache(volume: Volume, relative: str) -> tuple[str, int]:
    """SHA-256 (64 hex digits) and length of a file, read from the disk.

    Its bytes must be synced before. Raises FileNotFoundError on a proven volume, Away,
    NeedsHuman `volume.failing` when the disk cannot read it.
    """
    epoch = volume.epoch
    try:
        return _digest(inside(relative), dir_fd=volume.fd)
    except (FileNotFoundError, NotADirectoryError) as err:
        volume.prove(since=epoch)
        raise FileNotFoundError(errno.ENOENT, "no such file", relative) from err
    except OSError as err:
        raise volume.refused(err, f"read back {relative}") from err


def check(volume: Volume, relative: str, *, digest: str, size_bytes: int) -> FileVerdict:
    """Whether the copy is whole, missing or damaged, on a proven volume.

    Raises Away, and NeedsHuman `volume.failing` when the disk answers with an input/output error.
    """
    epoch = volume.epoch
    volume.prove(since=epoch)
    try:
        if not stat.S_ISREG(volume.stat(relative).st_mode):  # a link or folder has taken its name
            return FileVerdict(state=CopyState.DAMAGED)
        found_digest, found_size = digest_past_cache(volume, relative)
    except FileNotFoundError:
        return FileVerdict(state=CopyState.MISSING)
    is_whole = found_digest == digest and found_size == size_bytes
    volume.prove(since=epoch)  # nor may a disk swapped while we read be blamed on the file
    state = CopyState.PRESENT if is_whole else CopyState.DAMAGED
    return FileVerdict(state=state, digest=found_digest, size_bytes=found_size)


def _digest(relative: str, *, dir_fd: int) -> tuple[str, int]:
    flags = READ | os.O_NONBLOCK
    try:
        with open_descriptor(relative, flags | os.O_DIRECT, dir_fd=dir_fd) as descriptor:
            found = _pour_digest(descriptor)
            if found[1] == os.fstat(descriptor).st_size:
                return found
    except OSError as err:
        if err.errno != errno.EINVAL:  # open(2): no O_DIRECT here; read(2): alignment it does not like, after all
            raise
    return _digest_uncached(relative, flags, dir_fd=dir_fd)  # FUSE may also answer short in mid-file


def _digest_uncached(relative: str, flags: int, *, dir_fd: int) -> tuple[str, int]:
    """Through the page cache, emptied of this file before and after."""
    with open_descriptor(relative, flags, dir_fd=dir_fd) as descriptor:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        found = _pour_digest(descriptor, is_direct=False)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return found


def _pour_digest(descriptor: int, *, is_direct: bool = True) -> tuple[str, int]:
    """Hash to the end. The buffer is page-aligned, as O_DIRECT asks."""
    try:
        buffer = _spare.pop()
    except IndexError:
        buffer = mmap.mmap(-1, _BLOCK_BYTES)
    digest, size_bytes = sha256(), 0
    with memoryview(buffer) as block:
        while size := os.readv(descriptor, [block]):
            digest.update(block[:size])
            size_bytes += size
            if is_direct and size % mmap.PAGESIZE:  # the tail: O_DIRECT may refuse to read on from an odd offset
                break
    _spare.append(buffer)
    return digest.hexdigest(), size_bytes
