"""What all accounts share of the household's line: how many downloads at once, how many bytes a second.

One line leads to the house, so two accounts are not twice as kind to it as one. Where
they are set differently, the most streams and the tightest limit count, for all together.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.sources.icloud.bandwidth import Bandwidth

if TYPE_CHECKING:
    from mediabox.clock import Clock
    from mediabox.sources.icloud.settings import Settings

MEGABYTE = 1_000_000


class Household:
    """Made once, joined by every account when it is built. Not for several threads."""

    def __init__(self, clock: Clock) -> None:
        self.bandwidth = Bandwidth(clock, bytes_per_s=None)
        self.lanes = asyncio.Semaphore(0)
        self._streams = 0

    def join(self, settings: Settings) -> None:
        """One more account: widen the lanes to its `streams`, tighten the limit to its `bandwidth`."""
        for _ in range(settings.streams - self._streams):
            self.lanes.release()
        self._streams = max(self._streams, settings.streams)
        if settings.bandwidth is not None:
            self.bandwidth.tighten(settings.bandwidth * MEGABYTE)
