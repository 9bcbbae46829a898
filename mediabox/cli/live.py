"""Ask the running box what only it knows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from mediabox.durable.local_socket import connect
from mediabox.model.live import Live
from mediabox.surfaces.local_socket import LIVE, NAME

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 0.2  # a box that is busier than this is asked through the store alone
MOST_BYTES = 4 << 20


def live_of(home: Path, *, patience_s: float = PATIENCE_S) -> Live | None:
    """What the box at `home` is doing; None when nobody answers in that time."""
    try:
        return msgspec.json.decode(_asked(home, LIVE, until_s=time.monotonic() + patience_s), type=Live)
    except (OSError, msgspec.DecodeError):  # it does not run, is another version, or is not ours to ask
        return None


def _asked(home: Path, request: bytes, *, until_s: float) -> bytes:
    answer = bytearray()
    with connect(home, NAME, timeout_s=max(until_s - time.monotonic(), 0.001)) as connection:
        connection.sendall(request + b"\n")
        while len(answer) < MOST_BYTES:
            connection.settimeout(max(until_s - time.monotonic(), 0.001))
            if not (more := connection.recv(65536)):
                break
            answer += more
    return bytes(answer)
