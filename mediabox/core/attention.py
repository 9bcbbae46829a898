"""A running box listens: to what people switched, and to what they ask of its sources.

They write to the store and poke the daemon (decision 0006); who is not poked looks
every minute all the same.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from mediabox.contracts import SigningIn
from mediabox.core import requests, switches
from mediabox.errors import NeedsHuman, Retryable
from mediabox.message import message
from mediabox.model.request import Look, Step
from mediabox.model.sign_in import SignInResult
from mediabox.waiting import ends_within

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mediabox.clock import Clock
    from mediabox.contracts import Source
    from mediabox.core.governor import Governor
    from mediabox.model.sign_in import SignInStep
    from mediabox.store.database import Database

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

    async def mind(self, look: Callable[[], Awaitable[object]]) -> None:
        """Look, and again whenever somebody pokes or a minute is over."""
        ear = self._ear()
        while True:
            await look()
            await _rest(ear)

    async def mind_requests(self, sources: Mapping[str, Source], look: Callable[[str], None]) -> None:
        """Have each source do what people ask of it, one after the other; none waits for another source.

        `look`: has a source listed now.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.mind(partial(self._refuse_strangers, sources)))
            for source in sources.values():
                tasks.create_task(self.mind(partial(self._carry_out_all, source, look)))

    async def _refuse_strangers(self, sources: Mapping[str, Source]) -> None:
        parts = {requests.part_of(name) for name in sources}
        await self._database.write(partial(requests.refuse_strangers, parts=parts, now_ms=self._now()))

    async def _carry_out_all(self, source: Source, look: Callable[[str], None]) -> None:
        part = requests.part_of(source.name)
        while (asked := await self._database.write(partial(requests.take, part=part, now_ms=self._now()))) is not None:
            result = await self._carry_out(source, asked.step, look)
            settle = partial(requests.settle, request=asked, result=result, now_ms=self._now())
            await self._database.write(settle)

    async def _carry_out(self, source: Source, step: Step, look: Callable[[str], None]) -> SignInResult:
        if isinstance(step, Look):
            look(source.name)
            return SignInResult(is_done=True)
        if not isinstance(source, SigningIn):
            return SignInResult(is_done=False, message=message("{source} needs no sign-in.", source=source.name))
        return await take_step(source, step)

    def _now(self) -> int:
        return self._clock.wall_ms()

    def _ear(self) -> asyncio.Event:
        ear = asyncio.Event()
        self._ears.append(ear)
        return ear


async def _rest(ear: asyncio.Event) -> None:
    """Until somebody pokes, or it is time to look again."""
    ear.clear()
    await ends_within(ear.wait(), LOOK_EVERY_S)


async def take_step(source: SigningIn, step: SignInStep) -> SignInResult:
    """What came of it, also where nothing could."""
    try:
        return await source.sign_in(step)
    except NeedsHuman as error:  # its issue says so as well
        return SignInResult(is_done=False, message=error.text, remedy=error.remedy)
    except Retryable as error:
        return SignInResult(is_done=False, is_for_later=True, message=error.text)
