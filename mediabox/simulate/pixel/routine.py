"""A phone's days: its time passes with the world's, and what a script or its owner's habits say happens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from mediabox.errors import Retryable
from mediabox.simulate.pixel.obeying import carry_out
from mediabox.simulate.pixel.orders import FreeUp, Launch, Scan, Timed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mediabox.clock import Clock
    from mediabox.simulate.pixel.orders import Done, Order
    from mediabox.simulate.pixel.phone import Phone

_STEP_S = 0.5  # of the world's time


class Auto(msgspec.Struct, frozen=True, kw_only=True):
    """An owner who looks after the phone. Seconds of the phone's time; 0: never."""

    free_up_every_s: float = 60.0
    sleep_every_s: float = 0.0  # doze is interrupted this often
    awake_s: float = 120.0


class Routine:
    """`tell` is called with every order that was carried out and what it did."""

    def __init__(
        self,
        phone: Phone,
        clock: Clock,
        *,
        speed: float = 1.0,
        script: Sequence[Timed] = (),
        auto: Auto | None = None,
        tell: Callable[[Order, Done], None] | None = None,
    ) -> None:
        """`speed`: phone seconds for each of the world's."""
        self._phone = phone
        self._clock = clock
        self._speed = speed
        self._script = list(script)
        self._auto = auto
        self._tell = tell
        self._line_due_s = self._script[0].after_s if self._script else 0.0
        self._free_up_due_s = auto.free_up_every_s if auto else 0.0
        self._now_s = 0.0

    async def run(self, ended: asyncio.Event) -> None:
        """Live until `ended` is set."""
        if self._auto is not None and self._auto.sleep_every_s:
            await self._phone.doze(every_s=self._auto.sleep_every_s, window_s=self._auto.awake_s)
        last_s = self._clock.monotonic_s()
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _STEP_S)
            now_s = self._clock.monotonic_s()
            await self.step((now_s - last_s) * self._speed)
            last_s = now_s

    async def step(self, seconds: float) -> None:
        """Let so much of the phone's time pass, with all that falls into it."""
        self._now_s += seconds
        await self._phone.tick(seconds)
        while self._script and self._now_s >= self._line_due_s:
            await self._order(self._script.pop(0).order)
            self._line_due_s += self._script[0].after_s if self._script else 0.0
        if self._auto is not None and self._auto.free_up_every_s and self._now_s >= self._free_up_due_s:
            self._free_up_due_s = self._now_s + self._auto.free_up_every_s
            for order in (Launch(), Scan(), FreeUp()):
                await self._order(order)

    async def _order(self, order: Order) -> None:
        """An order that cannot be carried out now (the picture is gone, Syncthing down) was given in vain."""
        with contextlib.suppress(KeyError, OSError, Retryable):
            done = await carry_out(self._phone, order)
            if self._tell is not None:
                self._tell(order, done)
