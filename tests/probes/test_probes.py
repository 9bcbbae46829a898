"""Readings from made-up boxes: text as the kernel writes it, and everything that may be missing or wrong."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from mediabox.probes import all_probes
from mediabox.probes.load import Load
from mediabox.probes.memory import Memory
from mediabox.probes.power import OnBattery
from mediabox.probes.thermal import Thermal


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_every_probe_is_found_by_its_name_and_reads_this_machine_without_raising() -> None:
    probes = all_probes()

    readings = {name: probe.read() for name, probe in probes.items()}

    assert set(probes) == {"home_room", "load", "memory", "thermal", "on_battery"}
    assert readings["load"] is not None
    assert readings["memory"] is not None
    assert readings["memory"] > 1 << 20


@pytest.mark.parametrize("probe", [Load, Memory, Thermal])
def test_a_box_without_the_sensor_reads_as_none(probe: type, tmp_path: Path) -> None:
    assert probe(tmp_path).read() is None


@pytest.mark.parametrize("text", ["", "\n", "nonsense", "\0\0", "ü"])
def test_a_file_that_says_nothing_sensible_reads_as_none(text: str, tmp_path: Path) -> None:
    for path in ("proc/loadavg", "proc/meminfo", "sys/class/thermal/thermal_zone0/temp"):
        write(tmp_path, path, text)

    assert [probe(tmp_path).read() for probe in (Load, Memory, Thermal)] == [None] * 3


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


@pytest.mark.parametrize(
    ("battery", "on_battery"),
    [
        (None, None),
        (SimpleNamespace(power_plugged=True), 0.0),
        (SimpleNamespace(power_plugged=False), 1.0),
        (SimpleNamespace(power_plugged=None), None),
    ],
)
def test_battery_and_mains_as_psutil_tells_them(battery: object, on_battery: float | None) -> None:
    assert OnBattery(lambda: battery).read() == on_battery


def test_a_battery_that_vanishes_while_it_is_read_reads_as_none() -> None:
    def vanished() -> None:
        raise FileNotFoundError

    assert OnBattery(vanished).read() is None
