"""Let work run when the box can take it, and say in a person's words why it waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.errors import NeedsHuman
from mediabox.message import Text, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mediabox.config.sections import Work as Limits
    from mediabox.contracts import Needs, Probe

READ_EVERY_S = 5.0
OPEN_BYTES = 1_000_000  # a write-ahead log and its index, to begin with
HOME_RESERVE_BYTES = 20_000_000  # the catalogue of 10,000 files, or its write-ahead log in a busy hour


class Governor:
    """Reads the probes every few seconds; `permit` returns when nothing speaks against the work."""

    def __init__(self, limits: Limits, probes: Mapping[str, Probe]) -> None:
        self.limits, self._probes = limits, probes
        self._paused: Text | None = None
        self._strained: Text | None = None
        self._lacks_room: Text | None = None
        self._changed = asyncio.Event()

    async def permit(self, needs: Needs) -> None:
        """Return at once for work that needs neither processor nor disk, else when the box is fit for it."""
        while (needs.cpu or needs.disk) and self.waiting_for is not None:
            await self._changed.wait()

    async def await_room(self) -> None:
        """Return as soon as the catalogue has room to grow."""
        while self._lacks_room is not None:
            await self._changed.wait()

    def may_open(self) -> bool:
        """Whether the catalogue can be opened at all on the home folder's disk; else why not is what work waits for."""
        self.look()
        room_bytes = self._probes["home_room"].read()
        return room_bytes is None or room_bytes >= OPEN_BYTES

    @property
    def waiting_for(self) -> Text | None:
        """Why work waits, for a person; None when it does not."""
        if self._paused is not None:
            return self._paused
        reason = self._lacks_room or self._strained
        return message("waiting: {reason}", reason=reason) if reason is not None else None

    @property
    def is_paused(self) -> bool:
        """By a person."""
        return self._paused is not None

    def pause(self, reason: Text) -> None:
        self._paused = reason
        self._tell()

    def resume(self) -> None:
        self._paused = None
        self._tell()

    async def run(self, *, ends_when_full: bool = False) -> None:
        """Keep reading the probes.

        `ends_when_full`: raise NeedsHuman `home.full` once the catalogue has no room left, for a run nobody waits for.
        """
        while True:
            self.look()
            if ends_when_full and self._lacks_room:
                raise NeedsHuman(self._lacks_room, issue="home.full", remedy=message("Free up space on that disk."))
            await asyncio.sleep(READ_EVERY_S)

    def look(self) -> None:
        """Read the probes once."""
        readings = {name: probe.read() for name, probe in self._probes.items()}
        self._lacks_room, self._strained = lack_of_room(readings), strain(self.limits, readings)
        self._tell()

    def _tell(self) -> None:
        """Whoever waits asks again, now, and then for the next change."""
        self._changed.set()
        self._changed = asyncio.Event()


def lack_of_room(readings: Mapping[str, float | None]) -> Text | None:
    """Why nothing may be taken in: the catalogue needs its reserve to write down what is under way (I21). Pure."""
    room_bytes = readings.get("home_room")
    if room_bytes is None or room_bytes >= HOME_RESERVE_BYTES:
        return None
    return message(
        "only {free:bytes} free on the disk of the home folder; {reserve:bytes} are reserved for the catalogue",
        free=room_bytes,
        reserve=HOME_RESERVE_BYTES,
    )


def strain(limits: Limits, readings: Mapping[str, float | None]) -> Text | None:
    """What speaks against working now, from one reading of each probe. Pure."""
    load, heat = readings.get("load"), readings.get("thermal")
    memory, battery = readings.get("memory"), readings.get("on_battery")
    if heat is not None and limits.max_temperature_c and heat > limits.max_temperature_c:
        return message(
            "the processor is at {heat:n} °C, the limit is {limit:n} °C",
            heat=round(heat),
            limit=round(limits.max_temperature_c),
        )
    if memory is not None and limits.min_free_memory_mb and memory < limits.min_free_memory_mb * 2**20:
        return message(
            "{free:n} MiB of memory free, the limit is {limit:n} MiB",
            free=round(memory / 2**20),
            limit=limits.min_free_memory_mb,
        )
    if battery and limits.pause_on_battery:
        return message("the box is running on battery")
    if load is not None and limits.max_load_per_core and load > limits.max_load_per_core:
        return message(
            "the load is {load:n} per core, the limit is {limit:n}", load=round(load, 1), limit=limits.max_load_per_core
        )
    return None
