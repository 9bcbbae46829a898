"""The only clock. A Raspberry Pi has no battery behind its clock, so the wall may be wrong.

`wall_ms` is for showing and for ordering by eye. Waits and time-outs use
`monotonic_s`. Nothing that releases or expires may happen while `is_trusted` is
False (invariant I13).
"""

import ctypes
import time
from datetime import UTC, datetime
from pathlib import Path

# Newer than any clock that was never set and older than any build of this program:
# a Pi without network starts at 1970 or at its image's build date.
EARLIEST_SANE_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z


# systemd-timesyncd(8) makes it once the clock was set by NTP; `/run` is new at each start.
_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
_DIFFERS_MS = 10_000  # `btime` is in whole seconds
_UNSYNCHRONISED, _TIME_ERROR = 0x40, 5  # adjtimex(2): STA_UNSYNC in `status`, TIME_ERROR as the answer


class _Timex(ctypes.Structure):
    """The beginning of adjtimex(2)'s struct; all zero it only asks, and needs no right."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset_freq_maxerror_esterror", ctypes.c_long * 4),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


class Clock:
    """Wall and monotonic time. Replaced by a simulated one in tests."""

    def __init__(self) -> None:
        self._not_before_ms = EARLIEST_SANE_MS

    def wall_ms(self) -> int:
        """Unix time in milliseconds, as the system believes it."""
        return time.time_ns() // 1_000_000

    def local_day(self) -> str:
        """Today where the box is: an ISO date."""
        return datetime.fromtimestamp(self.wall_ms() / 1000, tz=UTC).astimezone().date().isoformat()

    def monotonic_s(self) -> float:
        """Seconds since some start; never jumps, stops during suspend."""
        return time.monotonic()

    def running_ms(self) -> int:
        """How long the box has been running, suspend included, by the kernel: setting a clock does not change it."""
        return int(float(Path("/proc/uptime").read_text(encoding="ascii").split()[0]) * 1000)

    def boot(self) -> str:
        """Which start of the box this is: `running_ms` of two of them have nothing in common."""
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def is_synchronised(self) -> bool:
        """Whether the network keeps the system's clock right (timesyncd, chrony, ntpd), and ours is the system's."""
        answer = _Timex()
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(answer))
        if state < 0:  # the sandbox of the service forbids even asking
            return _SYNCHRONISED.exists() and self._is_the_systems()
        return state < _TIME_ERROR and not answer.status & _UNSYNCHRONISED and self._is_the_systems()

    def _is_the_systems(self) -> bool:
        """Whether the kernel's own time of its start says the same: a clock faked by LD_PRELOAD does not."""
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        started_s = next((int(line.split()[1]) for line in lines if line.startswith("btime ")), 0)  # proc(5)
        return abs(self.wall_ms() - started_s * 1000 - self.running_ms()) < _DIFFERS_MS

    def witness(self, at_ms: int) -> None:
        """Learn of a time that has certainly passed (the newest journal row)."""
        self._not_before_ms = max(self._not_before_ms, at_ms)

    def is_trusted(self) -> bool:
        """Whether the wall clock is at or after every time known to have passed."""
        return self.wall_ms() >= self._not_before_ms
