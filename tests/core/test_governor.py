"""The box rests when it is hot, short of memory, on battery or busy, and says so in a person's words."""

import asyncio

import pytest
from patience import PATIENCE_S

from mediabox.config.sections import Work as Limits
from mediabox.contracts import Needs
from mediabox.core.governor import HOME_RESERVE_BYTES, Governor, strain
from mediabox.errors import NeedsHuman

GIB = 2.0**30


class Reading:
    """A probe that reads what the test says."""

    def __init__(self, name: str, value: float | None) -> None:
        self.name, self.value = name, value

    def read(self) -> float | None:
        return self.value


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ({"thermal": 81.2}, "the processor is at 81 °C, the limit is 75 °C"),
        ({"memory": 50.0 * 2**20}, "50 MiB of memory free, the limit is 64 MiB"),
        ({"on_battery": 1.0}, "the box is running on battery"),
        ({"load": 3.46}, "the load is 3.5 per core, the limit is 3"),
        ({"thermal": 74.0, "memory": GIB, "on_battery": 0.0, "load": 2.9}, None),
        ({"thermal": None, "memory": None, "on_battery": None, "load": None}, None),
        ({}, None),
    ],
)
def test_says_what_speaks_against_working(readings: dict[str, float | None], said: str | None) -> None:
    found = strain(Limits(pause_on_battery=True, max_load_per_core=3.0), readings)
    assert (None if found is None else str(found)) == said


def test_zero_switches_a_limit_off() -> None:
    off = Limits(max_load_per_core=0, max_temperature_c=0, min_free_memory_mb=0, pause_on_battery=False)

    assert strain(off, {"thermal": 120.0, "memory": 0.0, "on_battery": 1.0, "load": 99.0}) is None


async def test_work_waits_for_the_box_to_cool_and_goes_on() -> None:
    heat = Reading("thermal", 90.0)
    governor = Governor(Limits(), {"thermal": heat})
    governor.look()
    waiting = asyncio.ensure_future(governor.permit(Needs(cpu=True)))
    await asyncio.sleep(0)

    assert not waiting.done()
    assert str(governor.waiting_for) == "waiting: the processor is at 90 °C, the limit is 75 °C"
    await governor.permit(Needs())  # needs neither processor nor disk
    heat.value = 60.0
    governor.look()
    await asyncio.wait_for(waiting, PATIENCE_S)
    assert governor.waiting_for is None


async def test_a_pause_outlasts_a_cool_processor() -> None:
    governor = Governor(Limits(), {})
    governor.pause("paused by a person")
    governor.look()

    assert governor.waiting_for == "paused by a person"
    governor.resume()
    await asyncio.wait_for(governor.permit(Needs(disk=True)), PATIENCE_S)


async def test_one_run_ends_as_soon_as_the_catalogue_has_no_room() -> None:
    room = Reading("home_room", float(HOME_RESERVE_BYTES - 1))

    with pytest.raises(NeedsHuman, match=r"only 20\.0 MB free on the disk of the home folder"):
        await asyncio.wait_for(Governor(Limits(), {"home_room": room}).run(ends_when_full=True), PATIENCE_S)


async def test_listing_waits_for_room_and_goes_on() -> None:
    room = Reading("home_room", 0.0)
    governor = Governor(Limits(), {"home_room": room})
    assert not governor.may_open()
    waiting = asyncio.ensure_future(governor.await_room())
    await asyncio.sleep(0)
    assert not waiting.done()

    room.value = float(HOME_RESERVE_BYTES)
    assert governor.may_open()

    await asyncio.wait_for(waiting, PATIENCE_S)
    assert governor.waiting_for is None
