"""How far away iCloud is, and how fast its content host. Instant by default; a bench sets the line to compare on."""

from __future__ import annotations

import asyncio


class Line:
    """Seconds to the first byte and bytes a second, each connection for itself. None is as fast as it goes.

    `carried_bytes` counts what was sent in all, whether or not anybody was still there to take it.
    """

    def __init__(self) -> None:
        self.first_byte_s = 0.0
        self.bytes_per_s: float | None = None
        self.carried_bytes = 0

    async def answer(self) -> None:
        """Until the first byte of a file."""
        await self.reach()

    async def reach(self) -> None:
        """Until the first byte of any answer."""
        if self.first_byte_s:
            await asyncio.sleep(self.first_byte_s)

    async def carry(self, length: int) -> None:
        if self.bytes_per_s:
            await asyncio.sleep(length / self.bytes_per_s)
        self.carried_bytes += length
