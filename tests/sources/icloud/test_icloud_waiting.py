"""When the next look is due, and how fast bytes may come: in virtual time."""

import asyncio

from virtual_time import LoopClock, run_virtually

from mediabox.sources.icloud.bandwidth import Bandwidth
from mediabox.sources.icloud.schedule import PollSchedule


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_looks_at_once_then_every_poll() -> None:
    async def story() -> None:
        schedule = PollSchedule(LoopClock(), poll_s=900)
        assert await schedule.wait(3600)
        assert now_s() == 0
        schedule.listed()

        assert not await schedule.wait(300)
        assert now_s() == 300
        assert await schedule.wait(3600)
        assert now_s() == 900

    run_virtually(story())


def test_whoever_asks_is_heard_at_once_and_once() -> None:
    async def story() -> None:
        schedule = PollSchedule(LoopClock(), poll_s=900)
        schedule.listed()
        asyncio.get_running_loop().call_later(7, schedule.ask)

        assert await schedule.wait(3600)
        assert now_s() == 7
        assert not await schedule.wait(100)

    run_virtually(story())


def test_after_a_failed_look_the_next_is_a_minute_later() -> None:
    async def story() -> None:
        schedule = PollSchedule(LoopClock(), poll_s=900)
        schedule.failed()

        assert await schedule.wait(3600)
        assert now_s() == 60

    run_virtually(story())


def test_bandwidth_is_shared_by_all_who_spend() -> None:
    async def story() -> None:
        bandwidth = Bandwidth(LoopClock(), bytes_per_s=1_000_000)

        async def spend() -> None:
            for _ in range(10):
                await bandwidth.spend(500_000)

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(spend())

        assert 18 <= now_s() <= 20.5

    run_virtually(story())


def test_without_a_limit_nobody_waits() -> None:
    async def story() -> None:
        await Bandwidth(LoopClock(), bytes_per_s=None).spend(10**12)

        assert now_s() == 0

    run_virtually(story())
