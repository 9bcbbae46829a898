"""Blocking file work in threads, with a way out: a hung network disk holds threads, never the daemon."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

STOP_S = 5.0  # a cancelled call gets this long to notice; SIGTERM to exit is 10 s

T = TypeVar("T")


class BlockingCall:
    """What a thread and the coroutine that waits for it tell each other."""

    def __init__(self) -> None:
        self.is_stopped = False  # set by the coroutine: touch nothing more, return soon
        self.beats = 0  # raised by the thread at each sign of life


class BlockingCalls:
    """Runs calls in the loop's threads, and none at all while an earlier one still hangs."""

    def __init__(self, *, stall_s: float) -> None:
        self._stall_s = stall_s
        self._hung: set[asyncio.Future[Any]] = set()

    async def run(self, work: Callable[[BlockingCall], T]) -> T:
        """The result of `work(call)`.

        Raises TimeoutError when the thread gave no sign of life for `stall_s` seconds, or
        an earlier one still hangs. On that and on cancellation the call is stopped and
        given STOP_S to end, so that no thread goes on pouring into a sink its owner has
        taken back; `work` looks at `is_stopped` before each effect.
        """
        if self._hung:
            raise TimeoutError
        call = BlockingCall()
        future = asyncio.get_running_loop().run_in_executor(None, work, call)
        future.add_done_callback(self._returned)
        try:
            while not future.done():
                beats = call.beats
                await asyncio.wait({future}, timeout=self._stall_s)
                if not future.done() and call.beats == beats:
                    raise TimeoutError
        finally:
            call.is_stopped = True
            if not future.done():
                self._hung.add(future)
                await asyncio.wait({future}, timeout=STOP_S)
        return future.result()

    def _returned(self, future: asyncio.Future[Any]) -> None:
        self._hung.discard(future)
        if not future.cancelled():
            future.exception()  # an abandoned thread's error has nobody to go to
