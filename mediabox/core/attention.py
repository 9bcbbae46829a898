"""A running box listens: to what people switched, and to what they answered its sources.

They write to the store and poke the daemon (decision 0006); who is not poked looks
every minute all the same.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from mediabox.core import answers, switches
from mediabox.errors import NeedsHuman, Retryable
from mediabox.log import get_logger
from mediabox.waiting import ends_within

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mediabox.clock import Clock
    from mediabox.contracts import Source
    from mediabox.core.governor import Governor
    from mediabox.store.database import Database

log = get_logger(__name__)

LOOK_EVERY_S = 60.0


class Attention:
    """Services that never end."""

    def __init__(self, database: Database, governor: Governor, clock: Clock) -> None:
        self._database, self._governor, self._clock = database, governor, clock
        self._ears: list[asyncio.Event] = []

    def poke(self) -> None:
        """Somebody changed something: look now."""
        for ear in self._ears:
            ear.set()

    async def mind_switches(self, wake: Callable[[], None]) -> None:
        """Pause and go on as people say; `wake` whoever looks at the queue."""
        ear = self._ear()
        while True:
            held = await self._database.read(partial(switches.rest_at, now_ms=self._clock.wall_ms()))
            if held is None:
                self._governor.resume()
            else:
                self._governor.pause("paused by a person")
            wake()
            await _rest(ear)

    async def mind(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look, and again whenever somebody pokes or a minute is over."""
        ear = self._ear()
        while True:
            await look()
            await _rest(ear)

    async def mind_answers(self, sources: Mapping[str, Source]) -> None:
        """Hand each answer to the source that asked; it may take a minute over it."""
        ear = self._ear()
        while True:
            for name, source in sources.items():
                await self._hand_over(name, source)
            await _rest(ear)

    async def _hand_over(self, name: str, source: Source) -> None:
        """Everything said to a source, one after the other: none takes the place of another."""
        while True:
            take = partial(answers.take_answer, account=name, now_ms=self._clock.wall_ms())
            text = await self._database.write(take)
            if text is None:
                return
            outcome = await self._tell(source, text)
            await self._database.write(partial(answers.settle_answer, account=name, outcome=outcome))

    async def _tell(self, source: Source, text: str) -> answers.Outcome:
        try:
            await source.told(text)
        except NeedsHuman as error:  # its issue says so as well
            return answers.Outcome(message=str(error), remedy=error.remedy)
        except Retryable as error:
            log.warning("answer_not_taken", source=source.name, reason=str(error))
            return answers.Outcome(message=str(error), is_for_later=True)
        return answers.Outcome()

    def _ear(self) -> asyncio.Event:
        ear = asyncio.Event()
        self._ears.append(ear)
        return ear


async def _rest(ear: asyncio.Event) -> None:
    """Until somebody pokes, or it is time to look again."""
    ear.clear()
    await ends_within(ear.wait(), LOOK_EVERY_S)
