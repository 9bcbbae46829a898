"""Open a file in a thread, so that the descriptor is never lost when whoever wanted it gives up meanwhile."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable

Args = ParamSpec("Args")


async def opened_in_thread(open_: Callable[Args, int], /, *args: Args.args, **kwargs: Args.kwargs) -> int:
    """What `open_` returns; the caller closes it. When cancelled, it is closed as soon as it is open."""
    landing = _Landing()
    try:
        return await asyncio.to_thread(landing.take, lambda: open_(*args, **kwargs))
    except asyncio.CancelledError:
        landing.abandon()
        raise


class _Landing:
    """Where a thread leaves a descriptor: whichever of `take` and `abandon` comes last closes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: int | None = None
        self._is_abandoned = False

    def take(self, open_: Callable[[], int]) -> int:
        descriptor = open_()
        with self._lock:
            self._taken = descriptor
            if self._is_abandoned:
                os.close(descriptor)
        return descriptor

    def abandon(self) -> None:
        with self._lock:
            self._is_abandoned = True
            if self._taken is not None:
                os.close(self._taken)
