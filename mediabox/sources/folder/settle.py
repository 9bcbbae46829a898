"""Tell files at rest from files that somebody may still be writing."""

from mediabox.clock import Clock


class Settling:
    """Which files of a listing are at rest.

    At rest is a file that neither its content (mtime) nor its inode (ctime: a rename,
    a copy that sets mtime at its end) changed within `settle_s` of wall time. Where
    wall time cannot say so - a time in the future, from a wrong clock here or there -
    a file is at rest once the same version has been seen for `settle_s` of monotonic
    time. Only such files are remembered, about 100 bytes each.
    """

    def __init__(self, settle_s: float, *, clock: Clock) -> None:
        self._settle_s = settle_s
        self._clock = clock
        self._first_seen: dict[int, float] = {}  # hash of id and version -> monotonic seconds
        self._seen_now: dict[int, float] = {}
        self._started_s = 0.0
        self._limit_ns = 0
        self.unsettled = 0

    def begin(self) -> None:
        """Start a listing. Files that change while it runs are later than this, so they count as changing."""
        self._seen_now = {}
        self._started_s = self._clock.monotonic_s()
        self._limit_ns = self._clock.wall_ms() * 1_000_000 - int(self._settle_s * 1e9)
        self.unsettled = 0

    def is_settled(self, remote_id: str, version: str, *, changed_ns: int) -> bool:
        """Whether the file may be read; `changed_ns` is the later of its mtime and ctime, Unix nanoseconds."""
        if changed_ns <= self._limit_ns:
            return True
        key = hash((remote_id, version))
        first = self._seen_now[key] = self._first_seen.get(key, self._started_s)
        if self._started_s - first >= self._settle_s:
            return True
        self.unsettled += 1
        return False

    def end(self) -> None:
        """The listing is complete: forget the files it did not meet."""
        self._first_seen = self._seen_now
