"""Whether the daemon's event loop still turns, and why work waits, for a command in another process to see.

The daemon writes both into a memory file (memfd_create(2)) every two seconds, which wears
no disk and needs no room on one; others read it through /proc/PID/fd, which the kernel allows to the
same user and to root.
"""

import asyncio
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

from mediabox.message import Text

BEAT_EVERY_S = 2.0
STUCK_AFTER_S = 10.0
_NAME = "mediabox-heartbeat"
# Seconds of CLOCK_MONOTONIC, which all processes of a boot share; why work waits, in UTF-8, filled up with NUL.
_BEAT = struct.Struct("<d504s")


class Life(NamedTuple):
    """What a process showed of itself last."""

    silent_s: float  # since its loop turned
    waiting_for: str | None  # why work waits, for a person

    @property
    def stuck_s(self) -> float | None:
        """For how many seconds it has not moved, if that is too long; None while it works."""
        return self.silent_s if self.silent_s > STUCK_AFTER_S else None


class Heartbeat:
    """Beats while it is entered, as long as the running loop turns. `waiting_for`: why work waits, if it does."""

    def __init__(self, waiting_for: Callable[[], Text | None] = lambda: None) -> None:
        self._waiting_for = waiting_for

    def __enter__(self) -> Self:
        self._fd = os.memfd_create(_NAME)
        self._loop = asyncio.get_running_loop()
        self._beat()
        return self

    def __exit__(self, *_: object) -> None:
        self._next.cancel()
        os.close(self._fd)

    def _beat(self) -> None:
        os.pwrite(self._fd, _BEAT.pack(time.monotonic(), str(self._waiting_for() or "").encode("utf-8", "replace")), 0)
        self._next = self._loop.call_later(BEAT_EVERY_S, self._beat)


def life_of(pid: int) -> Life | None:
    """How process `pid` is; None where it shows no heartbeat."""
    for entry in _descriptors(pid):
        try:
            if os.readlink(entry).startswith(f"/memfd:{_NAME}"):
                beat_s, text = _BEAT.unpack(entry.read_bytes())
                return Life(time.monotonic() - beat_s, text.rstrip(b"\0").decode("utf-8", "ignore") or None)
        except (OSError, struct.error):  # closed meanwhile, not ours to read, or not written yet
            continue
    return None


def _descriptors(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return []
