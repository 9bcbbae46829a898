"""Wait for something, but not for ever. Apart from `clock`, which decoder children load: they need no loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple, Unpack

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


async def run_to_its_end(work: Callable[[Unpack[Args]], Result], *given: *Args) -> Result:
    """Run in a thread, and wait for it even when cancelled: what it writes to is taken back afterwards."""
    future = asyncio.get_running_loop().run_in_executor(None, work, *given)
    try:
        await asyncio.wait({future})
    finally:
        if not future.done():
            await asyncio.wait({future}, timeout=STOP_S)
    return future.result()
