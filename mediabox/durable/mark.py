"""What an interrupted fetch may be continued from: a note beside its bytes in the spool.

The length of a file that was being written says neither which version its bytes are
of nor whether a power cut forgot some of them. The note says both: continue only the
same version, from its end while the system that wrote it still runs (a killed process
leaves its pages in the cache), else from the last synced byte.
"""

import os
from functools import cache
from pathlib import Path

import msgspec

from mediabox.durable.descriptors import open_descriptor
from mediabox.durable.temporary import unlink_quietly, write_temporary

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # random(4): another one after each boot
_MOST_BYTES = 4096


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """`synced_bytes` from the beginning are on the disk. `boot` is the system's run that wrote the rest."""

    version: str
    boot: str
    synced_bytes: int = 0


@cache
def boot_id() -> str:
    """This run of the system; '' where it has no name, which then equals no other."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def put(path: str, mark: Mark, *, dir_fd: int) -> None:
    """Write the note whole. Not synced: one that a power cut forgets means beginning anew. Raises OSError."""
    temp = f"{path}.new"
    write_temporary(temp, msgspec.json.encode(mark), dir_fd=dir_fd, sync=False)
    os.rename(temp, path, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)


def usable_bytes(path: str, version: str, *, held_bytes: int, dir_fd: int) -> int:
    """How many of the held bytes may be continued from for this version. Raises OSError."""
    mark = _read(path, dir_fd=dir_fd)
    if mark is None or mark.version != version:
        return 0
    is_same_run = bool(mark.boot) and mark.boot == boot_id()
    return held_bytes if is_same_run else min(held_bytes, mark.synced_bytes)


def forget(path: str, *, dir_fd: int) -> None:
    """Remove the note, if there is one. Raises OSError."""
    unlink_quietly(path, dir_fd=dir_fd)


def _read(path: str, *, dir_fd: int) -> Mark | None:
    try:
        with open_descriptor(path, dir_fd=dir_fd) as descriptor:
            return msgspec.json.decode(os.read(descriptor, _MOST_BYTES), type=Mark)
    except (FileNotFoundError, msgspec.DecodeError):  # none, or torn by a power cut
        return None
