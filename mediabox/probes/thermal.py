"""How hot the hottest sensor of the box is."""

from pathlib import Path

# Sensors without a chip behind them read -273, -128, 0 or 255; silicon is dead long before 150.
SANE_C = range(1, 150)


class Thermal:
    """Degrees Celsius, the maximum of all thermal zones and hardware monitors.

    Kernel documentation: thermal/sysfs-api (`temp`) and hwmon/sysfs-interface
    (`temp*_input`), both in thousandths of a degree.
    """

    name = "thermal"

    def __init__(self, root: Path = Path("/")) -> None:
        self._sys = root / "sys/class"

    def read(self) -> float | None:
        sensors = [*self._sys.glob("thermal/thermal_zone*/temp"), *self._sys.glob("hwmon/hwmon*/temp*_input")]
        readings = [celsius for sensor in sensors if (celsius := _read(sensor)) is not None]
        return max(readings, default=None)


def _read(sensor: Path) -> float | None:
    try:
        celsius = int(sensor.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):  # a sensor may be asleep (ENODATA), busy (EAGAIN) or not wired (EINVAL)
        return None
    return celsius if int(celsius) in SANE_C else None


PROBE = Thermal
