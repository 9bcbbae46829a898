"""Wait for something, but not for ever. Apart from `clock`, which decoder children load: they need no loop."""

import asyncio
from collections.abc import Awaitable


async def ends_within(awaited: Awaitable[object], timeout_s: float) -> bool:
    """Whether it ended in that time; after that it is cancelled."""
    try:
        async with asyncio.timeout(timeout_s):
            await awaited
    except TimeoutError:
        return False
    return True
