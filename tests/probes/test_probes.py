"""Readings from made-up boxes: text as the kernel writes it, and everything that may be missing or wrong."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from mediabox.probes import all_probes
from mediabox.probes.battery import BatteryPercent
from mediabox.probes.load import Load
from mediabox.probes.memory import Memory
from mediabox.probes.power import OnBattery
from mediabox.probes.thermal import Thermal
from mediabox.probes.voltage import UnderVoltage

PI_5 = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
PI_4 = "sys/devices/platform/soc/soc:firmware/get_throttled"


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_every_probe_is_found_by_its_name_and_reads_this_machine_without_raising() -> None:
    probes = all_probes()

    readings = {name: probe.read() for name, probe in probes.items()}

    assert set(probes) == {"home_room", "load", "memory", "thermal", "on_battery", "battery_percent", "under_voltage"}
    assert readings["load"] is not None
    assert readings["memory"] is not None
    assert readings["memory"] > 1 << 20


@pytest.mark.parametrize("probe", [Load, Memory, Thermal, UnderVoltage])
def test_a_box_without_the_sensor_reads_as_none(probe: type, tmp_path: Path) -> None:
    assert probe(tmp_path).read() is None


@pytest.mark.parametrize("text", ["", "\n", "nonsense", "\0\0", "ü"])
def test_a_file_that_says_nothing_sensible_reads_as_none(text: str, tmp_path: Path) -> None:
    for path in ("proc/loadavg", "proc/meminfo", "sys/class/thermal/thermal_zone0/temp", PI_4):
        write(tmp_path, path, text)

    assert [probe(tmp_path).read() for probe in (Load, Memory, Thermal, UnderVoltage)] == [None] * 4


def test_load_is_the_one_minute_average_for_each_core(tmp_path: Path) -> None:
    write(tmp_path, "proc/loadavg", "3.00 2.00 1.00 2/345 6789\n")

    assert Load(tmp_path, cores=4).read() == 0.75


def test_memory_is_what_is_available_in_bytes(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemTotal:  948304 kB\nMemFree:   41236 kB\nMemAvailable:   512000 kB\n")

    assert Memory(tmp_path).read() == 512_000 * 1024


def test_the_hottest_sane_sensor_counts(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "61322\n")
    write(tmp_path, "sys/class/thermal/thermal_zone1/temp", "-274000\n")
    write(tmp_path, "sys/class/hwmon/hwmon0/temp1_input", "48000\n")
    write(tmp_path, "sys/class/hwmon/hwmon1/temp2_input", "255000\n")
    (tmp_path / "sys/class/hwmon/hwmon2/temp1_input").mkdir(parents=True)  # cannot be read, as one that is asleep

    assert Thermal(tmp_path).read() == pytest.approx(61.322)


@pytest.mark.parametrize("path", [PI_4, PI_5])
@pytest.mark.parametrize(("throttled", "reading"), [("0", 0.0), ("1", 1.0), ("50005", 1.0), ("50000", 0.0), ("2", 0.0)])
def test_under_voltage_is_what_the_firmware_says_of_now(
    path: str, throttled: str, reading: float, tmp_path: Path
) -> None:
    write(tmp_path, path, f"{throttled}\n")

    assert UnderVoltage(tmp_path).read() == reading


def test_the_kernels_alarm_goes_before_the_firmwares_word(tmp_path: Path) -> None:
    write(tmp_path, PI_4, "0\n")
    write(tmp_path, "sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    write(tmp_path, "sys/class/hwmon/hwmon0/in0_lcrit_alarm", "0\n")
    write(tmp_path, "sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    write(tmp_path, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")

    assert UnderVoltage(tmp_path).read() == 1.0


@pytest.mark.parametrize(
    ("battery", "on_battery", "percent"),
    [
        (None, None, None),
        (SimpleNamespace(percent=80, power_plugged=True), 0.0, 80.0),
        (SimpleNamespace(percent=41.5, power_plugged=False), 1.0, 41.5),
        (SimpleNamespace(percent=104, power_plugged=None), None, 100.0),
    ],
)
def test_battery_and_mains_as_psutil_tells_them(
    battery: object, on_battery: float | None, percent: float | None
) -> None:
    assert OnBattery(lambda: battery).read() == on_battery
    assert BatteryPercent(lambda: battery).read() == percent


def test_a_battery_that_vanishes_while_it_is_read_reads_as_none() -> None:
    def vanished() -> None:
        raise FileNotFoundError

    assert OnBattery(vanished).read() is None
    assert BatteryPercent(vanished).read() is None
