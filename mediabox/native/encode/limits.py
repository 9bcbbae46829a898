"""What one conversion may take of the box. Light: the daemon reads this.

Measured, one thread, decoding and encoding: 1.7 s of one x86-64 core for a second of
1920 x 1440 HEVC at 30 frames, 5 s when it is tone mapped. A Pi 4's core takes about six
times that; a second of 4K at 60 frames about five times as long again.
"""

from mediabox.native.child_process import ChildLimits

_START_S = 60.0
_STILL_S = 240.0  # a 120 MP picture decoded and encoded whole on a Pi 3
_PER_SECOND_S = 100.0
_LEAST_BYTES_PER_S = 125_000  # of a video: 1 Mbit/s; what nobody has timed yet is taken to be as long as that
_DISK_BYTES_PER_S = 2_000_000  # read and written on a slow card while the box is busy


def limits_of(media_type: str, *, size_bytes: int, duration_s: float | None = None) -> ChildLimits:
    """Wall and processor time for one file; processor time of the one thread that works on it."""
    allowed_s = _START_S + size_bytes / _DISK_BYTES_PER_S
    if media_type.startswith("video/") or media_type == "application/mxf":
        allowed_s += _PER_SECOND_S * (size_bytes / _LEAST_BYTES_PER_S if duration_s is None else duration_s)
    else:
        allowed_s += _STILL_S
    return ChildLimits(wall_s=2 * allowed_s, cpu_s=allowed_s)
