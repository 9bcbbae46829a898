"""How long to wait after failures, in one way for jobs, services, parts that are away and servers that refuse."""

from __future__ import annotations

import random

import msgspec


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Waits that double from `first_s` to `longest_s` with each failure in a row.

    `spread` is the share of a wait that is left to chance, so that many that failed together
    do not come back together: 1 is full jitter (AWS Architecture Blog, "Exponential Backoff And
    Jitter", 2015), 0 none.
    """

    first_s: float
    longest_s: float
    spread: float = 0.0

    def wait_s(self, failures: int, *, asked_s: float | None = None, dice: random.Random | None = None) -> float:
        """Seconds to wait after `failures` earlier ones in a row; never less than the other side asked for."""
        ceiling_s = min(self.longest_s, self.first_s * 2 ** min(failures, 30))
        uniform = dice.uniform if dice else random.uniform
        return max(uniform(ceiling_s * (1 - self.spread), ceiling_s), asked_s or 0.0)
