"""Let work run when the box can take it, and say in a person's words why it waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.errors import NeedsHuman

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mediabox.config.sections import Work as Limits
    from mediabox.contracts import Needs, Probe

READ_EVERY_S = 5.0
WAITING = "waiting: "
OPEN_BYTES = 1_000_000  # a write-ahead log and its index, to begin with
HOME_RESERVE_BYTES = 20_000_000  # the catalogue of 10,000 files, or its write-ahead log in a busy hour


class Governor:
    """Reads the probes every few seconds; `permit` returns when nothing speaks against the work."""

    def __init__(self, limits: Limits, probes: Mapping[str, Probe]) -> None:
        self.limits, self._probes = limits, probes
        self._paused: str | None = None
        self._strained: str | None = None
        self._lacks_room: str | None = None
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
    def waiting_for(self) -> str | None:
        """Why work waits, for a person; None when it does not."""
        return self._paused or self._lacks_room or self._strained

    @property
    def is_paused(self) -> bool:
        """By a person."""
        return self._paused is not None

    def pause(self, reason: str) -> None:
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
                message = self._lacks_room.removeprefix(WAITING)
                raise NeedsHuman(message, issue="home.full", remedy="Free space on that disk.")
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


def lack_of_room(readings: Mapping[str, float | None]) -> str | None:
    """Why nothing may be taken in: the catalogue needs its reserve to write down what is under way (I21). Pure."""
    room_bytes = readings.get("home_room")
    if room_bytes is None or room_bytes >= HOME_RESERVE_BYTES:
        return None
    return (
        f"{WAITING}{room_bytes / 1e6:.1f} MB are free on the disk of the home folder, "
        f"the last {HOME_RESERVE_BYTES / 1e6:.0f} MB are kept for the catalogue"
    )


def strain(limits: Limits, readings: Mapping[str, float | None]) -> str | None:
    """What speaks against working now, from one reading of each probe. Pure."""
    load, heat = readings.get("load"), readings.get("thermal")
    memory, battery = readings.get("memory"), readings.get("on_battery")
    if heat is not None and limits.max_temperature_c and heat > limits.max_temperature_c:
        return f"{WAITING}the processor is at {heat:.0f} °C, the limit is {limits.max_temperature_c:.0f} °C"
    if memory is not None and limits.min_free_memory_mb and memory < limits.min_free_memory_mb * 2**20:
        return f"{WAITING}{memory / 2**20:.0f} MiB of memory are free, the limit is {limits.min_free_memory_mb} MiB"
    if battery and limits.pause_on_battery:
        return f"{WAITING}the box runs on battery"
    if load is not None and limits.max_load_per_core and load > limits.max_load_per_core:
        return f"{WAITING}the load is {load:.1f} for each core, the limit is {limits.max_load_per_core:.1f}"
    return None
