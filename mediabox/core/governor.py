"""Let work run when the box can take it, and say in a person's words why it waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from mediabox.errors import NeedsHuman

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mediabox.contracts import Needs, Probe

READ_EVERY_S = 5.0
WAITING = "waiting: "
OPEN_BYTES = 1_000_000  # a write-ahead log and its index, to begin with
HOME_RESERVE_BYTES = 20_000_000  # the catalogue of 10,000 files, or its write-ahead log in a busy hour


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """When to wait; 0 switches a limit off."""

    load_per_core: float = 0.0  # one-minute load average for each core
    celsius: float = 75.0  # a Pi 4 slows itself down at 80
    free_memory_mb: int = 64  # MiB available
    on_battery: bool = False  # wait while the box runs on battery


class Governor:
    """Reads the probes every few seconds; `permit` returns when nothing speaks against the work."""

    def __init__(self, limits: Limits, probes: Mapping[str, Probe]) -> None:
        self._limits, self._probes = limits, probes
        self._may_run = asyncio.Event()
        self._may_run.set()
        self._paused: str | None = None
        self._strained: str | None = None
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def permit(self, needs: Needs) -> None:
        """Return at once for work that needs neither processor nor disk, else when the box is fit for it."""
        if needs.cpu or needs.disk:
            await self._may_run.wait()

    async def await_room(self) -> None:
        """Return as soon as the catalogue has room to grow."""
        await self._has_room.wait()

    def may_open(self) -> bool:
        """Whether the catalogue can be opened at all on the home folder's disk; else why not is what work waits for."""
        self.look()
        room_bytes = self._probes["home_room"].read()
        return room_bytes is None or room_bytes >= OPEN_BYTES

    @property
    def waiting_for(self) -> str | None:
        """Why work waits, for a person; None when it does not."""
        return self._paused or self._strained

    def pause(self, reason: str) -> None:
        self._paused = reason
        self._show()

    def resume(self) -> None:
        self._paused = None
        self._show()

    async def run(self, *, ends_when_full: bool = False) -> None:
        """Keep reading the probes.

        `ends_when_full`: raise NeedsHuman `home.full` once the catalogue has no room left, for a run nobody waits for.
        """
        while True:
            self.look()
            if ends_when_full and self._strained and not self._has_room.is_set():
                message = self._strained.removeprefix(WAITING)
                raise NeedsHuman(message, issue="home.full", remedy="Free space on that disk.")
            await asyncio.sleep(READ_EVERY_S)

    def look(self) -> None:
        """Read the probes once."""
        readings = {name: probe.read() for name, probe in self._probes.items()}
        lacks_room = lack_of_room(readings)
        self._strained = lacks_room or strain(self._limits, readings)
        _show(self._has_room, is_so=lacks_room is None)
        self._show()

    def _show(self) -> None:
        _show(self._may_run, is_so=self.waiting_for is None)


def _show(event: asyncio.Event, *, is_so: bool) -> None:
    if is_so:
        event.set()
    else:
        event.clear()


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
    if heat is not None and limits.celsius and heat > limits.celsius:
        return f"{WAITING}the processor is at {heat:.0f} °C, the limit is {limits.celsius:.0f} °C"
    if memory is not None and limits.free_memory_mb and memory < limits.free_memory_mb * 2**20:
        return f"{WAITING}{memory / 2**20:.0f} MiB of memory are free, the limit is {limits.free_memory_mb} MiB"
    if battery and limits.on_battery:
        return f"{WAITING}the box runs on battery"
    if load is not None and limits.load_per_core and load > limits.load_per_core:
        return f"{WAITING}the load is {load:.1f} for each core, the limit is {limits.load_per_core:.1f}"
    return None
