"""A limit on bytes a second for all downloads together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediabox.clock import Clock

BURST_S = 1.0  # what may come at once after a quiet time


class Bandwidth:
    """Call `spend` for what was read; it returns when the next may be."""

    def __init__(self, clock: Clock, *, bytes_per_s: float | None) -> None:
        self._clock = clock
        self._bytes_per_s = bytes_per_s
        self._due_s = clock.monotonic_s()

    def tighten(self, bytes_per_s: float) -> None:
        """Not faster than this either."""
        self._bytes_per_s = min(bytes_per_s, self._bytes_per_s or bytes_per_s)

    async def spend(self, size_bytes: int) -> None:
        if self._bytes_per_s is None:
            return
        now_s = self._clock.monotonic_s()
        self._due_s = max(self._due_s, now_s - BURST_S) + size_bytes / self._bytes_per_s
        if self._due_s > now_s:
            await asyncio.sleep(self._due_s - now_s)
