"""What the runner is doing now, and how fast it was in the last minute: `model.live` shows it."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mediabox.model.status import Rates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediabox.clock import Clock
    from mediabox.contracts import Work

WINDOW_S = 60.0


class Gauge:
    """Counts works while they run, and files as they are archived."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.running: Counter[str] = Counter()  # works by step
        self.streams: Counter[str] = Counter()  # fetches by source
        self._archived: deque[tuple[float, int]] = deque()  # monotonic time and bytes of each

    @contextmanager
    def at_work(self, work: Work) -> Iterator[None]:
        """While the work runs."""
        self._count(work, 1)
        try:
            yield
        finally:
            self._count(work, -1)

    def committed(self, work: Work) -> None:
        """What the work did is in the database."""
        if work.job.step == "file":
            size_bytes = work.resource.size_bytes if work.resource else None
            self._archived.append((self._clock.monotonic_s(), size_bytes or 0))
            self._forget()

    @property
    def rates(self) -> Rates:
        """Of the last minute."""
        self._forget()
        seconds = int(WINDOW_S)
        return Rates(
            files_per_minute=len(self._archived), bytes_per_second=sum(b for _, b in self._archived) // seconds
        )

    def _count(self, work: Work, by: int) -> None:
        self.running[work.job.step] += by
        if work.job.step == "fetch" and work.resource is not None:
            self.streams[work.resource.source] += by

    def _forget(self) -> None:
        since_s = self._clock.monotonic_s() - WINDOW_S
        while self._archived and self._archived[0][0] < since_s:
            self._archived.popleft()
