"""What the catalogue knows of a destination's device: how much is still to come, and what a person has to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.core import switches
from mediabox.core.delivering.rounds import Rounds, rounds_of
from mediabox.model.delivery import Counted, Delivery, DeliveryState, DeviceReport
from mediabox.store import deliveries

if TYPE_CHECKING:
    import sqlite3


class DeviceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One destination's."""

    rounds: Rounds  # of freeing its room, with the days left
    counted: Counted | None  # the number a person read off it last
    report: DeviceReport | None  # its battery and room, as somebody told within the last hour
    unverified: int  # files that a person has to look at
    held: int  # files it has and has not let go


def device(connection: sqlite3.Connection, destination: str, *, window_bytes: int, now_ms: int) -> DeviceFigures:
    """`window_bytes`: how much may be there and not let go yet, by its settings."""
    return DeviceFigures(
        rounds=rounds_of(connection, destination, window_bytes=window_bytes, now_ms=now_ms),
        counted=switches.count_of(connection, destination),
        report=switches.device_of(connection, destination, now_ms=now_ms),
        unverified=deliveries.in_state_count(connection, destination, DeliveryState.DOUBTED),
        held=deliveries.in_state_count(connection, destination, DeliveryState.STORED),
    )


def unverified(connection: sqlite3.Connection, destination: str) -> list[Delivery]:
    """What is gone from it so that it may never have been backed up, oldest first."""
    return deliveries.in_state(connection, destination, DeliveryState.DOUBTED)
