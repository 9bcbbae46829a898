"""When an account is looked at again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.waiting import ends_within

if TYPE_CHECKING:
    from mediabox.clock import Clock


AGAIN_S = 60.0


class PollSchedule:
    """Every `poll_s` after the end of a listing, or as soon as somebody asks."""

    def __init__(self, clock: Clock, *, poll_s: float) -> None:
        self._clock = clock
        self._poll_s = poll_s
        self._due_s = clock.monotonic_s()
        self._asked = asyncio.Event()

    def listed(self) -> None:
        """A listing is complete: the next is due a poll later."""
        self._due_s = self._clock.monotonic_s() + self._poll_s

    def failed(self) -> None:
        """A listing ended early: not before a minute, so that whoever follows us never turns in a circle."""
        self._due_s = self._clock.monotonic_s() + min(self._poll_s, AGAIN_S)

    def ask(self) -> None:
        """Look now: a person asked, or signed in."""
        self._asked.set()

    async def wait(self, timeout_s: float) -> bool:
        """True when a look is due, False after `timeout_s` without."""
        left_s = max(0.0, self._due_s - self._clock.monotonic_s())
        if not await ends_within(self._asked.wait(), min(left_s, timeout_s)):
            return left_s <= timeout_s
        self._asked.clear()
        return True
