"""A clock that can be moved, so that an hour or a month passes when a test says so."""

from mediabox.clock import Clock


class SimulatedClock(Clock):
    """Runs with the real clock from where it was put, or stands still at `at_ms` until moved."""

    def __init__(self, *, at_ms: int | None = None) -> None:
        super().__init__()
        self._stands_at_ms = at_ms
        self._shift_ms = 0
        self._jump_ms = 0

    def wall_ms(self) -> int:
        now_ms = super().wall_ms() if self._stands_at_ms is None else self._stands_at_ms
        return now_ms + self._shift_ms + self._jump_ms

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self._shift_ms / 1000

    def running_ms(self) -> int:
        return super().running_ms() + self._shift_ms

    def jump(self, seconds: float) -> None:
        """Set the wall clock, forwards or back; no time has passed."""
        self._jump_ms += round(seconds * 1000)

    def advance(self, seconds: float) -> None:
        """Let this much time have passed."""
        self._shift_ms += round(seconds * 1000)
