"""Whether the box lives on its battery."""

from collections.abc import Callable
from typing import Protocol

import psutil


class Battery(Protocol):
    """What `psutil.sensors_battery` returns."""

    power_plugged: bool | None


class OnBattery:
    """1.0 on battery, 0.0 on mains; None without a battery, or when it does not say."""

    name = "on_battery"

    def __init__(self, sensor: Callable[[], Battery | None] = psutil.sensors_battery) -> None:
        self._sensor = sensor

    def read(self) -> float | None:
        try:
            battery = self._sensor()
        except (OSError, ValueError):  # a supply that vanished between two of its files
            return None
        return None if battery is None or battery.power_plugged is None else float(not battery.power_plugged)


PROBE = OnBattery
