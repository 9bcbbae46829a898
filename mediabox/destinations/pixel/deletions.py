"""How deletions come in: whether more of them are to be expected, and how many were believed lately."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

QUIET_S = 30.0  # Syncthing sends a large deletion in parts, some seconds apart
LATELY_S = 600.0


class Deletions:
    """`now_s`: a monotonic clock."""

    def __init__(self, now_s: Callable[[], float], *, quiet_s: float = QUIET_S) -> None:
        self._now_s, self._quiet_s = now_s, quiet_s
        self._pending: frozenset[int] = frozenset()
        self._changed_s = now_s()
        self._believed: deque[tuple[float, int]] = deque()

    def is_quiet(self, gone: Collection[int]) -> bool:
        """Whether the deliveries that are gone are the same as for a while."""
        if frozenset(gone) != self._pending:
            self._pending, self._changed_s = frozenset(gone), self._now_s()
        return self.quiet_for_s >= self._quiet_s

    @property
    def quiet_for_s(self) -> float:
        """Since the last deletion came in, as far as `is_quiet` was told."""
        return self._now_s() - self._changed_s

    def believe(self, count: int) -> None:
        if count:
            self._believed.append((self._now_s(), count))

    @property
    def lately(self) -> int:
        """How many were believed in the last minutes."""
        while self._believed and self._now_s() - self._believed[0][0] > LATELY_S:
            self._believed.popleft()
        return sum(count for _, count in self._believed)
