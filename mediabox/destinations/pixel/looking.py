"""Ask Syncthing no more than needed how the deliveries stand.

On a Pi each file costs some milliseconds. A file that lies in the outbox unchanged and is
known to be on the phone is asked for in a sweep every few minutes; at once are asked what
is gone from the outbox, what the phone does not need any more, and what it needs again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.contracts import Made
from mediabox.destinations.pixel.evidence import Peers, Reading, Standing, read
from mediabox.model.delivery import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from mediabox.contracts import Outbox
    from mediabox.destinations.pixel.folder import Phone, PhoneFolder
    from mediabox.model.delivery import Delivery

SWEEP_S = 600.0


class Looking:
    """Over one phone's folder. Remembers when it swept, which versions it hashed, and what had not come yet."""

    def __init__(self, folder: PhoneFolder, outbox: Outbox) -> None:
        self._folder, self._outbox = folder, outbox
        self._swept_s: float | None = None
        self._sequence = 0
        self.needed: frozenset[str] = frozenset()  # what the phone had still to fetch at the last look
        self._ours: set[tuple[int, str]] = set()  # delivery and version: the phone's, with our bytes
        self._absent_ms: dict[int, int] = {}  # delivery: when the phone was last seen without it
        self._held_ms: dict[int, int] = {}  # and with it

    async def readings(
        self, out: Sequence[Delivery], phone: Phone, *, changed: Container[str] = (), now_ms: int = 0
    ) -> list[Reading]:
        """One for each delivery. `changed`: names to be asked for at once. Raises Away, NeedsHuman, Retryable."""
        now_s = asyncio.get_running_loop().time()
        is_sweep = self._swept_s is None or now_s - self._swept_s >= SWEEP_S
        here = await self._outbox.files()
        to_ask = await self._to_ask(out, here, phone, changed)
        asked = list(out) if is_sweep else to_ask
        files = await self._folder.files(one.name for one in asked)
        if is_sweep:  # one that failed is made up for by the next look
            self._swept_s = now_s
        peers = Peers(box=await self._folder.client.my_id(), phone=phone.device_id)
        known = {one.id for one in asked}
        readings = [
            read(one, files.get(one.name), peers, is_here=one.name in here) if one.id in known else _as_before(one)
            for one in out
        ]
        if phone.is_connected and any(_is_lacking(one) for one in readings):
            self._swept_s = None  # there may be more
        await self._announce(readings)
        looked_into = [await self._looked_into(one) for one in readings]
        if phone.is_connected:
            self._absent_ms = _noted(self._absent_ms, looked_into, _is_awaited, now_ms)
            self._held_ms = _noted(self._held_ms, looked_into, _is_held, now_ms)
        return [
            one._replace(
                absent_at_ms=self._absent_ms.get(one.delivery.id), held_at_ms=self._held_ms.get(one.delivery.id)
            )
            for one in looked_into
        ]

    async def _to_ask(
        self, out: Sequence[Delivery], here: Container[str], phone: Phone, changed: Container[str]
    ) -> list[Delivery]:
        self.needed = await self._needed(phone)
        samples = {one.name.rpartition(".")[2]: one.id for one in out} if phone.sequence != self._sequence else {}
        self._sequence = phone.sequence  # it may ignore all files of a kind from now on
        return [
            one
            for one in out
            if one.id in samples.values()
            or one.name not in here
            or one.name in changed
            or (one.state is DeliveryState.STORED) is (one.name in self.needed)
        ]

    async def _needed(self, phone: Phone) -> frozenset[str]:
        """What the phone has still to fetch."""
        if not phone.need_items:
            return frozenset()
        client = self._folder.client
        return frozenset(
            [one.name async for one in client.remote_need(self._folder.folder_id, phone.device_id) if not one.deleted]
        )

    async def _announce(self, readings: Sequence[Reading]) -> None:
        """Published before a crash, and never told."""
        untold = [
            one.delivery.name
            for one in readings
            if one.standing is Standing.UNKNOWN and one.delivery.state is DeliveryState.ACCEPTED
        ]
        if untold:
            await self._folder.announce(*untold)

    async def _looked_into(self, reading: Reading) -> Reading:
        """The phone's index began anew: it has our bytes if they are still those in the outbox."""
        if reading.standing is not Standing.UNSURE:
            return reading
        delivery = reading.delivery
        made = Made(size_bytes=delivery.size_bytes, digest=delivery.digest or "")
        key = (delivery.id, reading.proof)
        is_ours = key in self._ours or await self._outbox.is_whole(delivery.name, made)
        self._ours |= {key} if is_ours else set()
        return reading._replace(standing=Standing.HELD if is_ours else Standing.CHANGED)


def _noted(
    before: Mapping[int, int], readings: Sequence[Reading], is_so: Callable[[Reading], bool], now_ms: int
) -> dict[int, int]:
    """When it was so last, by delivery; 0: never seen so."""
    return {one.delivery.id: now_ms if is_so(one) else before.get(one.delivery.id, 0) for one in readings}


def _is_held(one: Reading) -> bool:
    return one.standing is Standing.HELD


def _is_awaited(one: Reading) -> bool:
    return one.standing is Standing.WAITING and one.delivery.state is DeliveryState.ACCEPTED


def _is_lacking(one: Reading) -> bool:
    return one.standing is Standing.WAITING and one.delivery.state is DeliveryState.STORED


def _as_before(delivery: Delivery) -> Reading:
    standing = Standing.HELD if delivery.state is DeliveryState.STORED else Standing.WAITING
    return Reading(delivery, standing, delivery.proof)
