"""How a decoding child is started: its lanes, its command, what it sees of the box; and why one cannot be."""

import errno
import os
import site
import socket
import struct
import subprocess
import sys
from pathlib import Path

from mediabox.errors import MediaboxError, NeedsHuman, Retryable
from mediabox.native.profiles import Profile

_TRANSFER_LIMIT_S = 30  # an answer that has begun to arrive; its largest takes milliseconds
_SHORT_OF = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EINTR, errno.EIO)  # it may come right


def lane_pairs(count: int) -> tuple[list[socket.socket], list[socket.socket]]:
    """Our ends, which give up on a transfer that stalls, and the child's."""
    limit = struct.pack("@ll", _TRANSFER_LIMIT_S, 0)
    near, far = [], []
    for _ in range(count):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        near.append(ours)
        far.append(theirs)
    return near, far


def spawn(command: list[str], lanes: tuple[int, ...], stderr: int) -> "subprocess.Popen[bytes]":
    """The child, with its ends of the lanes and nothing else. Raises OSError."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        pass_fds=lanes,
        env=_environment(),
        cwd="/",
    )


def _environment() -> dict[str, str]:
    """Only what decoding needs: no credentials, no paths of the household's."""
    environment = {
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",  # ldconfig, to find libseccomp
        "MALLOC_ARENA_MAX": "2",  # 94 -> 88 MB and the least CPU with two lanes (performance, 5.8)
        "OPENBLAS_NUM_THREADS": "1",  # each would map 32 MiB
        "VIPS_CONCURRENCY": "1",  # our lanes are the concurrency
        "VIPS_BLOCK_UNTRUSTED": "1",  # libvips: only loaders its authors fuzz
        "VIPS_DISC_THRESHOLD": "4g",  # above 100 MB it would write to /tmp, and a child cannot
    }
    home = str(Path(__file__).resolve().parents[2])
    if home not in site.getsitepackages():  # a checkout: the child would not find us
        environment["PYTHONPATH"] = home
    if "TZ" in os.environ:
        environment["TZ"] = os.environ["TZ"]
    return environment


def unstartable(profile: Profile, err: OSError) -> MediaboxError:
    """Why the system did not start it, and whether it may come right."""
    if err.errno in _SHORT_OF:
        return Retryable(f"the {profile} decoder cannot be started: {err}")
    return unavailable(profile, str(err))


def unavailable(profile: Profile, reason: str) -> NeedsHuman:
    """It will not start however often it is tried: an interpreter or library is missing, damaged or not for us."""
    return NeedsHuman(
        f"the {profile} decoder cannot be started: {reason}",
        issue="sandbox.unavailable",
        subject=str(profile),
        remedy=f"Install mediabox and its libraries anew, readable and executable for its user ({sys.executable}); "
        "`mediabox doctor` starts each decoder. Nothing is lost, the files wait.",
    )
