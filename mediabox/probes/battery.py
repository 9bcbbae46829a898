"""How full the battery of the box is: a laptop's, or a UPS the kernel knows as a battery."""

from collections.abc import Callable
from typing import Protocol

import psutil


class Charge(Protocol):
    """What `psutil.sensors_battery` returns."""

    percent: float


class BatteryPercent:
    """Percent of a full charge, 0 to 100; None without a battery."""

    name = "battery_percent"

    def __init__(self, sensor: Callable[[], Charge | None] = psutil.sensors_battery) -> None:
        self._sensor = sensor

    def read(self) -> float | None:
        try:
            battery = self._sensor()
        except (OSError, ValueError):  # a supply that vanished between two of its files
            return None
        return None if battery is None else min(100.0, max(0.0, float(battery.percent)))


PROBE = BatteryPercent
