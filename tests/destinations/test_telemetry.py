"""A phone's battery, heat and space as a real MQTT broker keeps them."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediabox.clock import Clock
from mediabox.config.fields import Secret
from mediabox.destinations.pixel.settings import Settings
from mediabox.destinations.pixel.telemetry import ASK_EVERY_S, Telemetry, broker_of

BROKER = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/sbin:/bin")
TOPICS = {
    "battery_topic": "ha/pixel/battery",
    "temperature_topic": "ha/pixel/heat",
    "free_space_topic": "ha/pixel/free",
}


class HandClock(Clock):
    """Moved by hand."""

    now_s = 1_000.0

    def monotonic_s(self) -> float:
        return self.now_s


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """The port of a mosquitto that asks for a password."""
    if BROKER is None or shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto and mosquitto-clients are not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(tmp_path / "users"), "box", "pass word"], check=True)
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {tmp_path / 'users'}\nuser root\n"
    )
    running = subprocess.Popen([BROKER, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while running.poll() is None and not answers(port):
            pass
        assert running.poll() is None, "mosquitto does not start"
        yield port
    finally:
        running.kill()
        running.wait()


def answers(port: int) -> bool:
    with socket.socket() as trying:
        trying.settimeout(0.2)
        return trying.connect_ex(("127.0.0.1", port)) == 0


def keep(port: int, topic: str, payload: str) -> None:
    who = ["-h", "127.0.0.1", "-p", str(port), "-u", "box", "-P", "pass word"]
    subprocess.run(["mosquitto_pub", *who, "-t", topic, "-m", payload, "-r", "-q", "1"], check=True)


def settings(port: int, **changes: object) -> Settings:
    url = f"mqtt://box@127.0.0.1:{port}"
    return Settings(**{"mqtt_url": url, "mqtt_password": Secret("pass word")} | TOPICS | changes)


async def test_takes_what_the_broker_keeps(broker: int) -> None:
    keep(broker, "ha/pixel/battery", "81")
    keep(broker, "ha/pixel/heat", '"30.5"')
    keep(broker, "ha/pixel/free", "12.5")

    told = await Telemetry(settings(broker), clock=HandClock()).told()

    assert told is not None
    assert (told.battery_percent, told.celsius, told.free_bytes) == (81.0, 30.5, 12_500_000_000)


async def test_leaves_out_what_is_no_number_or_not_kept(broker: int) -> None:
    keep(broker, "ha/pixel/battery", "unavailable")
    keep(broker, "ha/pixel/heat", "31")

    told = await Telemetry(settings(broker), clock=HandClock()).told()

    assert told is not None
    assert (told.battery_percent, told.celsius, told.free_bytes) == (None, 31.0, None)


async def test_asks_again_only_after_a_while(broker: int) -> None:
    clock = HandClock()
    telemetry = Telemetry(settings(broker), clock=clock)
    keep(broker, "ha/pixel/battery", "50")
    await telemetry.told()
    keep(broker, "ha/pixel/battery", "49")

    before = await telemetry.told()
    clock.now_s += ASK_EVERY_S
    after = await telemetry.told()

    assert before is not None and after is not None
    assert (before.battery_percent, after.battery_percent) == (50.0, 49.0)


async def test_a_wrong_password_and_an_absent_broker_tell_nothing(broker: int) -> None:
    refused = settings(broker, mqtt_password=Secret("wrong"))
    absent = settings(1)

    assert await Telemetry(refused, clock=HandClock()).told() is None
    assert await Telemetry(absent, clock=HandClock()).told() is None


async def test_asks_nobody_when_nothing_is_set_up() -> None:
    assert await Telemetry(Settings(), clock=HandClock()).told() is None


def test_reads_an_address_with_and_without_its_parts() -> None:
    assert broker_of(Settings(mqtt_url="mqtt://ha")) == ("ha", 1883, False, None, None)
    assert broker_of(Settings(mqtt_url="mqtts://me%40home@ha:1234")) == ("ha", 1234, True, "me@home", None)
