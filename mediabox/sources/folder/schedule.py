"""When a folder source should be listed again, if nothing tells earlier."""

from mediabox.clock import Clock
from mediabox.model.backoff import Backoff
from mediabox.sources.folder.settings import Settings

SHARE = 20  # listing at intervals takes at most a twentieth of the time


class RescanSchedule:
    """Counts from the end of the last listing, in monotonic seconds."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._due_s: float | None = None
        self._started_s = 0.0
        self._settling = Backoff(first_s=settings.settle_s, longest_s=settings.poll_s)
        self._unsettled = 0  # listings in a row that left files out

    def begin(self) -> None:
        self._started_s = self._clock.monotonic_s()

    def end(self, *, is_watched: bool, unsettled: int) -> None:
        """A listing ended. `is_watched`: the kernel tells of whatever comes now."""
        now = self._clock.monotonic_s()
        regular = self._settings.rescan_s if is_watched else self._settings.poll_s
        wait_s = max(regular, SHARE * (now - self._started_s))
        if unsettled:
            # Soon, then less and less often: a recording that runs for hours must not cost a listing every 5 s.
            wait_s = min(wait_s, self._settling.wait_s(self._unsettled))
        self._unsettled = self._unsettled + 1 if unsettled else 0
        self._due_s = now + wait_s

    def due_in_s(self) -> float:
        """Seconds until the next listing is due; 0 before the first."""
        return 0.0 if self._due_s is None else max(0.0, self._due_s - self._clock.monotonic_s())
