"""Whether the daemon's event loop still turns, for a command in another process to see.

The daemon writes the time into a memory file (memfd_create(2)) every two seconds, which wears
no disk; others read it through /proc/PID/fd, which the kernel allows to the same user and to root.
"""

import asyncio
import os
import struct
import time
from pathlib import Path
from typing import Self

BEAT_EVERY_S = 2.0
STUCK_AFTER_S = 10.0
_NAME = "mediabox-heartbeat"
_TIME = struct.Struct("<d")  # seconds of CLOCK_MONOTONIC, which all processes of a boot share


class Heartbeat:
    """Beats while it is entered, as long as the running loop turns."""

    def __enter__(self) -> Self:
        self._fd = os.memfd_create(_NAME)
        self._loop = asyncio.get_running_loop()
        self._beat()
        return self

    def __exit__(self, *_: object) -> None:
        self._next.cancel()
        os.close(self._fd)

    def _beat(self) -> None:
        os.pwrite(self._fd, _TIME.pack(time.monotonic()), 0)
        self._next = self._loop.call_later(BEAT_EVERY_S, self._beat)


def silent_for_s(pid: int) -> float | None:
    """Seconds since the loop of process `pid` turned last; None where it shows no heartbeat."""
    for entry in _descriptors(pid):
        try:
            if os.readlink(entry).startswith(f"/memfd:{_NAME}"):
                beat_s: float = _TIME.unpack(entry.read_bytes())[0]
                return time.monotonic() - beat_s
        except (OSError, struct.error):  # closed meanwhile, not ours to read, or not written yet
            continue
    return None


def stuck_for_s(pid: int) -> float | None:
    """For how many seconds it has not moved, if that is too long; None while it works."""
    silent_s = silent_for_s(pid)
    return silent_s if silent_s is not None and silent_s > STUCK_AFTER_S else None


def _descriptors(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return []
