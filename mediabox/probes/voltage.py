"""Whether a Raspberry Pi gets too little voltage now: the commonest cause of damaged cards and disks that drop off."""

from pathlib import Path

UNDER_VOLTAGE_NOW = 0x1  # bit 0 of get_throttled, https://www.raspberrypi.com/documentation/computers/os.html


class UnderVoltage:
    """1.0 while the supply is below its limit (4.63 V), 0.0 while it is not; None on other boards.

    The kernel's alarm (driver raspberrypi-hwmon) where there is one, else the firmware's word.
    """

    name = "under_voltage"

    def __init__(self, root: Path = Path("/")) -> None:
        self._sys = root / "sys"

    def read(self) -> float | None:
        for monitor in self._sys.glob("class/hwmon/hwmon*"):
            if _text(monitor / "name") == "rpi_volt" and (alarm := _text(monitor / "in0_lcrit_alarm")) in {"0", "1"}:
                return float(alarm)
        for throttled in self._sys.glob("devices/platform/soc*/soc*:firmware/get_throttled"):
            try:
                return float(bool(int(_text(throttled), 16) & UNDER_VOLTAGE_NOW))  # hexadecimal, without 0x
            except ValueError:
                continue
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


PROBE = UnderVoltage
