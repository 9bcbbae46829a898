"""What one conversion may take of the box. Light: the daemon reads this.

Measured per second of 1920 x 1440 HEVC at 30 frames a second, one thread, decoded and
encoded: 2.3 s on one x86-64 core of this decade. A Pi 4's core takes about six times
that, a 4K video at 60 frames a second reduced to 1080p about four times as long again.
"""

from mediabox.native.child_process import Limits

MEMORY_BYTES = 1 << 30  # a child's budget: the decoder's and x264's frames of 4K take 400 MB


_START_S = 60.0
_STILL_S = 240.0  # a 120 MP picture decoded and encoded whole on a Pi 3
_PER_SECOND_S = 60.0
_UNKNOWN_S = 1800.0  # of play: a length nobody states
_PER_MEGABYTE_S = 0.5  # of a source whose stated length is too short to be true; also the disk's own time


def limits_of(media_type: str, *, size_bytes: int, duration_s: float | None) -> Limits:
    """Wall and processor time for one file; both of the one thread that works on it."""
    allowed = _START_S + size_bytes / 1e6 * _PER_MEGABYTE_S
    if media_type.startswith("video/") or media_type == "application/mxf":
        allowed += _PER_SECOND_S * (_UNKNOWN_S if duration_s is None else duration_s)
    else:
        allowed += _STILL_S
    return Limits(wall_s=2 * allowed, cpu_s=allowed)
