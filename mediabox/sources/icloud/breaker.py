"""Stops asking a server that refuses: closed, open for a while, then one probe decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.model.backoff import Backoff

if TYPE_CHECKING:
    import random

    from mediabox.clock import Clock

FIRST_S = 4.0  # the ceiling of the first pause
LONGEST_S = 3600.0  # also the longest Retry-After that is believed
SHORTEST_S = 1.0
PROBE_LOOK_S = 0.5  # how often those who wait look whether the probe is back


class Breaker:
    """One for each thing that can refuse. Not for several threads.

    Invariant: between a refusal and the end of its pause nothing passes, and after the
    pause exactly one caller passes until its answer is known.
    """

    def __init__(self, clock: Clock, *, dice: random.Random, longest_s: float = LONGEST_S) -> None:
        self._clock = clock
        self._backoff = Backoff(first_s=FIRST_S, longest_s=longest_s, spread=1.0)
        self._dice = dice
        self._open_until_s = 0.0
        self._opened_at_s = -1.0
        self._refusals = 0  # in a row, or nearly so
        self._is_open = False
        self._has_probe = False

    @property
    def is_open(self) -> bool:
        return self._is_open

    def wait_s(self) -> float:
        """Seconds until a call may pass; 0: it may pass now."""
        if not self._is_open:
            return 0.0
        left_s = self._open_until_s - self._clock.monotonic_s()
        if left_s > 0:
            return left_s
        return PROBE_LOOK_S if self._has_probe else 0.0

    def enter(self) -> bool:
        """Let a call pass that `wait_s` allows. True: it is the probe, and must be ended by one of the next three."""
        is_probe = self._is_open
        self._has_probe = self._has_probe or is_probe
        return is_probe

    def succeeded(self, *, is_probe: bool) -> None:
        """The answer was no refusal. Calls from before the pause say nothing about its end."""
        if is_probe:
            self._is_open = self._has_probe = False
            self._refusals //= 2  # a server that refuses every other call is not asked ever faster
        elif not self._is_open:
            self._refusals = 0

    def abandoned(self, *, is_probe: bool) -> None:
        """The call ended without an answer; another may be the probe."""
        if is_probe:
            self._has_probe = False

    def refused(self, *, began_s: float, is_probe: bool, retry_after_s: float | None) -> None:
        """Open, for the time asked for or a jittered, doubling one, whichever is longer.

        Calls that were under way together count as one refusal.
        """
        now_s = self._clock.monotonic_s()
        asked_s = min(max(retry_after_s or 0.0, 0.0), LONGEST_S)
        if is_probe or began_s >= self._opened_at_s or not self._is_open:
            asked_s = self._backoff.wait_s(self._refusals, asked_s=max(asked_s, SHORTEST_S), dice=self._dice)
            self._refusals += 1
            self._opened_at_s = now_s
        self._open_until_s = max(self._open_until_s, now_s + asked_s)
        self._is_open = True
        if is_probe:
            self._has_probe = False
