"""A hung disk holds a thread, never the daemon."""

import asyncio
import threading

import pytest

from mediabox.sources.folder import blocking
from mediabox.sources.folder.blocking import BlockingCall, BlockingCalls


async def test_gives_the_result_and_passes_the_error_on() -> None:
    assert await BlockingCalls(stall_s=10).run(lambda _: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await BlockingCalls(stall_s=10).run(lambda _: 1 // 0)


async def test_a_thread_that_hangs_is_left_behind_and_no_other_is_sent_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocking, "STOP_S", 0.01)
    back = threading.Event()
    sent = []
    crew = BlockingCalls(stall_s=0.01)

    with pytest.raises(TimeoutError):
        await crew.run(lambda _: back.wait(10))
    with pytest.raises(TimeoutError):
        await crew.run(lambda _: sent.append("another"))
    assert sent == []

    back.set()
    await asyncio.wait(crew._hung)
    await crew.run(lambda _: sent.append("again"))
    assert sent == ["again"]


async def test_slow_work_that_shows_signs_of_life_is_waited_for() -> None:
    def work(call: BlockingCall) -> str:
        tick = threading.Event()
        for _ in range(20):
            call.beats += 1
            tick.wait(0.01)
        return "whole"

    assert await BlockingCalls(stall_s=0.1).run(work) == "whole"


async def test_a_cancelled_errand_is_told_and_waited_for() -> None:
    begun, told = threading.Event(), []

    def work(call: BlockingCall) -> None:
        begun.set()
        tick = threading.Event()
        while not call.is_stopped:
            tick.wait(0.001)
        told.append(True)

    running = asyncio.ensure_future(BlockingCalls(stall_s=10).run(work))
    await asyncio.to_thread(begun.wait, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert told == [True]
