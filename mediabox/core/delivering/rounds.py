"""How often a person has still to empty a destination's window until everything has gone, and how long that takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from mediabox.store import deliveries

if TYPE_CHECKING:
    import sqlite3

DAY_MS = 86_400_000
LATELY_DAYS = 14  # by the pace of the last two weeks


class Rounds(msgspec.Struct, frozen=True, kw_only=True):
    """`taps`: rounds of Free up space still to tap, with what is there. `days`: None where no pace is known."""

    taps: int
    waiting_bytes: int
    days: int | None = None


def rounds_of(connection: sqlite3.Connection, destination: str, *, window_bytes: int, now_ms: int) -> Rounds:
    """From what waits, what is there, and what arrived lately."""
    waiting = deliveries.queued_bytes(connection, destination)
    there = sum(deliveries.bytes_out(connection, destination, since_ms=now_ms))
    arrived, first_ms = deliveries.arrived_since(connection, destination, since_ms=now_ms - LATELY_DAYS * DAY_MS)
    pace = arrived / max(1.0, (now_ms - first_ms) / DAY_MS) if arrived else 0.0
    return Rounds(
        taps=math.ceil((waiting + there) / window_bytes),
        waiting_bytes=waiting,
        days=math.ceil(waiting / pace) if pace else None,
    )
