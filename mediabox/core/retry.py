"""The one back-off of the project."""

from __future__ import annotations

import random

FIRST_S = 5.0
LONGEST_S = 3600.0
ATTEMPTS = 8  # over about two hours; then a person or `mediabox retry` decides
BUG_ATTEMPTS = 3  # an error nobody raised on purpose rarely heals


def delay_s(attempts: int, *, retry_after_s: float | None = None) -> float:
    """Seconds until the next attempt, after `attempts` earlier ones.

    Doubles from FIRST_S to LONGEST_S with full jitter in its upper half, so that many
    jobs that failed together do not come back together; never less than the other
    side asked for.
    """
    ceiling = min(LONGEST_S, FIRST_S * 2 ** min(attempts, 20))
    jittered = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads load, guards nothing
    return max(jittered, retry_after_s or 0.0)
