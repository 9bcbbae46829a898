"""What an MQTT broker keeps of the phone: battery, temperature, free space.

Home Assistant's `mqtt_statestream` publishes the companion app's sensors as retained
messages, one number each, so that a short visit now and then is enough: connect, take what
is kept, go. A broker that is away tells nothing, and holds nothing up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from mediabox.log import get_logger
from mediabox.model.delivery import DeviceReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiomqtt

    from mediabox.clock import Clock
    from mediabox.destinations.pixel.settings import Settings

log = get_logger(__name__)

ASK_EVERY_S = 120.0
VISIT_S = 5.0  # to connect and be given what is kept
GB = 1_000_000_000
PORTS = {"mqtt": 1883, "mqtts": 8883}


class Broker(NamedTuple):
    """Where to ask, as whom."""

    host: str
    port: int
    is_encrypted: bool
    user: str | None
    password: str | None


class Telemetry:
    """Of one phone. Asks at most every two minutes."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._topics = {
            topic: field
            for topic, field in (
                (settings.battery_topic, "battery_percent"),
                (settings.temperature_topic, "celsius"),
                (settings.free_space_topic, "free_gb"),
            )
            if topic
        }
        self._asked_s: float | None = None
        self._told: DeviceReport | None = None
        self._is_away = False

    async def told(self) -> DeviceReport | None:
        """What the broker had when it was asked last; None when it is not set up, or never answered."""
        now_s = self._clock.monotonic_s()
        if not self._settings.mqtt_url or not self._topics:
            return None
        if self._asked_s is None or now_s - self._asked_s >= ASK_EVERY_S:
            self._asked_s = now_s
            await self._ask()
        return self._told

    async def _ask(self) -> None:
        try:
            kept = await asyncio.wait_for(self._visit(broker_of(self._settings)), VISIT_S)
        except (OSError, TimeoutError) as error:
            self._miss(str(error) or "no answer in time")
            return
        self._is_away = False
        readings = read(kept, self._topics)
        if readings:
            self._told = _told(readings, at_ms=self._clock.wall_ms())

    async def _visit(self, broker: Broker) -> Mapping[str, bytes]:
        """The retained message of each topic. Raises OSError."""
        import aiomqtt

        kept: dict[str, bytes] = {}
        try:
            async with aiomqtt.Client(
                broker.host,
                broker.port,
                username=broker.user,
                password=broker.password,
                tls_params=aiomqtt.TLSParameters() if broker.is_encrypted else None,
                timeout=VISIT_S,
            ) as client:
                for topic in self._topics:
                    await client.subscribe(topic, qos=1)
                await _gather(client, kept, len(self._topics))
        except aiomqtt.MqttError as error:
            raise OSError(str(error)) from error
        return kept

    def _miss(self, reason: str) -> None:
        if not self._is_away:  # once when it goes
            log.warning("phone_telemetry_away", reason=reason)
        self._is_away = True


async def _gather(client: aiomqtt.Client, kept: dict[str, bytes], count: int) -> None:
    """Until every topic has told something, or nothing more comes: retained messages come right after subscribing."""
    try:
        async with asyncio.timeout(VISIT_S / 5):
            async for message in client.messages:
                kept[str(message.topic)] = bytes(message.payload) if isinstance(message.payload, bytes) else b""
                if len(kept) == count:
                    return
    except TimeoutError:
        return


def read(kept: Mapping[str, bytes], fields: Mapping[str, str]) -> dict[str, float]:
    """Numbers by field; what is none (`unavailable`, `unknown`) is left out."""
    numbers = {fields[topic]: _number(payload) for topic, payload in kept.items() if topic in fields}
    return {field: number for field, number in numbers.items() if number is not None}


def _told(readings: Mapping[str, float], *, at_ms: int) -> DeviceReport:
    free_gb = readings.get("free_gb")
    return DeviceReport(
        at_ms=at_ms,
        battery_percent=readings.get("battery_percent"),
        celsius=readings.get("celsius"),
        free_bytes=int(free_gb * GB) if free_gb is not None else None,
    )


def _number(payload: bytes) -> float | None:
    try:
        number = float(payload.decode("ascii").strip().strip('"'))
    except (UnicodeDecodeError, ValueError):
        return None
    return number if -273 <= number < 1e9 else None  # neither nan nor infinity nor nonsense


def broker_of(settings: Settings) -> Broker:
    """From `mqtt://user@host:1883`."""
    parts = urlsplit(settings.mqtt_url)
    return Broker(
        host=parts.hostname or "localhost",
        port=parts.port or PORTS[parts.scheme],
        is_encrypted=parts.scheme == "mqtts",
        user=unquote(parts.username) if parts.username else None,
        password=settings.mqtt_password.reveal() if settings.mqtt_password else None,
    )
