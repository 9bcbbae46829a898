"""The only clock. A Raspberry Pi has no battery behind its clock, so the wall may be wrong.

`wall_ms` is for showing and for ordering by eye. Waits and time-outs use
`monotonic_s`. Nothing that releases or expires may happen while `is_trusted` is
False (invariant I13).
"""

import time

# Newer than any clock that was never set and older than any build of this program:
# a Pi without network starts at 1970 or at its image's build date.
EARLIEST_SANE_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z


class Clock:
    """Wall and monotonic time. Replaced by a simulated one in tests."""

    def __init__(self) -> None:
        self._not_before_ms = EARLIEST_SANE_MS

    def wall_ms(self) -> int:
        """Unix time in milliseconds, as the system believes it."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Seconds since some start; never jumps, stops during suspend."""
        return time.monotonic()

    def witness(self, at_ms: int) -> None:
        """Learn of a time that has certainly passed (the newest journal row)."""
        self._not_before_ms = max(self._not_before_ms, at_ms)

    def is_trusted(self) -> bool:
        """Whether the wall clock is at or after every time known to have passed."""
        return self.wall_ms() >= self._not_before_ms
