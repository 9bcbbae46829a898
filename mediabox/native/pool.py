"""One profile's child: started when wanted, shared by the lanes, replaced when lost or old, let go when idle."""

import threading
import time
from collections.abc import Callable, Sequence

from mediabox.native import wire
from mediabox.native.child_process import ChildLimits, ChildProcess


class Pool:
    """At most one living child. `start` and `stop` may block; all but `idle_s` is for threads.

    A child to be replaced is first left by all its lanes: two at once would need
    twice the memory, which a small box does not have.
    """

    def __init__(
        self, start: Callable[[], ChildProcess], stop: Callable[[ChildProcess], None], *, recycle_after: int
    ) -> None:
        self._start = start
        self._stop = stop
        self._recycle_after = recycle_after
        self._changed = threading.Condition()  # guards everything below
        self._child: ChildProcess | None = None
        self._free: list[int] = []
        self._served = 0
        self._is_spent = False
        self._idle_since_s = time.monotonic()

    def call(self, call: wire.Call, *, descriptors: Sequence[int], limits: ChildLimits) -> wire.Received:
        """Make one call on a lane of its own. Raises Lost as `ChildProcess.call`, Retryable as its start does."""
        child, lane = self._borrow()
        is_spent = False
        try:
            received = child.call(lane, call, descriptors=descriptors, limits=limits)
            is_spent = isinstance(received.answer, wire.Examined) and received.answer.is_spent
        finally:
            self._give_back(lane, is_spent=is_spent)
        return received

    def greet(self) -> wire.Hello:
        """What the child said when it was ready."""
        child, lane = self._borrow()
        self._give_back(lane, is_spent=False)
        return child.hello

    def idle_s(self) -> float | None:
        """Seconds since the last call ended; 0 while one is under way, None without a child. Waits for nothing."""
        if not self._changed.acquire(blocking=False):
            return 0.0  # a child is being started or stopped, which may take seconds
        try:
            if self._child is None:
                return None
            return 0.0 if self._is_busy() else time.monotonic() - self._idle_since_s
        finally:
            self._changed.release()

    def let_go(self, *, idle_for_s: float = 0) -> None:
        """Stop the child if nothing has used it for that long."""
        with self._changed:
            if self._child is not None and not self._is_busy() and time.monotonic() - self._idle_since_s >= idle_for_s:
                self._dismiss()

    def _borrow(self) -> tuple[ChildProcess, int]:
        with self._changed:
            while True:
                if self._child is not None and self._must_go(self._child) and not self._is_busy():
                    self._dismiss()
                if self._child is None:
                    self._child = self._start()
                    self._free = list(range(self._child.lane_count))
                    self._served, self._is_spent = 0, False
                if self._free and not self._must_go(self._child):
                    self._served += 1
                    return self._child, self._free.pop()
                self._changed.wait()

    def _give_back(self, lane: int, *, is_spent: bool) -> None:
        with self._changed:
            self._free.append(lane)
            self._is_spent = self._is_spent or is_spent
            self._idle_since_s = time.monotonic()
            self._changed.notify_all()

    def _must_go(self, child: ChildProcess) -> bool:
        return child.is_lost or self._is_spent or self._served >= self._recycle_after

    def _is_busy(self) -> bool:
        return self._child is not None and len(self._free) < self._child.lane_count

    def _dismiss(self) -> None:
        if self._child is not None:
            child, self._child = self._child, None
            self._stop(child)
