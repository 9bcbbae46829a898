"""Wait for something, but not for ever. Apart from `clock`, which decoder children load: they need no loop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple, Unpack

Args = TypeVarTuple("Args")
Result = TypeVar("Result")
STOP_S = 5.0  # what a thread may take to end after a cancellation; SIGTERM to exit is 10 s


async def ends_within(awaited: Awaitable[object], timeout_s: float) -> bool:
    """Whether it ended in that time; after that it is cancelled."""
    try:
        async with asyncio.timeout(timeout_s):
            await awaited
    except TimeoutError:
        return False
    return True


async def together(*awaited: Coroutine[Any, Any, object]) -> None:
    """Until all have ended. Raises what they raise, in a group; then the others were cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for one in awaited:
            tasks.create_task(one)


async def until_first_of(*awaited: Coroutine[Any, Any, object]) -> None:
    """Until one of them has ended; then the others have been cancelled. Raises what they raise, in a group."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one) for one in awaited]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for one in running:
            one.cancel()


async def run_to_its_end(work: Callable[[Unpack[Args]], Result], *given: *Args) -> Result:
    """Run in a thread, and wait for it even when cancelled: what it writes to is taken back afterwards."""
    future = asyncio.get_running_loop().run_in_executor(None, work, *given)
    try:
        await asyncio.wait({future})
    finally:
        if not future.done():
            await asyncio.wait({future}, timeout=STOP_S)
    return future.result()
