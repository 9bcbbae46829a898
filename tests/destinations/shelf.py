"""The smallest destination there could be: a folder, and somebody who takes from it. Obeys `contracts.Destination`."""

from __future__ import annotations

from collections.abc import Sequence

from destinations.making_of import Archive
from mediabox.contracts import Capabilities, Deliverable, Look, Parcel
from mediabox.durable.outbox import OutboxFolder
from mediabox.durable.volume import Volume
from mediabox.errors import Away
from mediabox.model.delivery import Delivered, Delivery, DeliveryState, Form, Room, Sighting, Wish
from mediabox.model.recipe import Part, Recipe, Span

SHELF_BYTES = 10_000_000


class Taker:
    """Whoever takes: remembers everything, whatever happens to the box."""

    def __init__(self) -> None:
        self.is_here = True
        self.took: list[str] = []
        self.let_go: set[str] = set()
        self.known: set[str] = set()  # what it was told of

    def tell(self, name: str) -> None:
        if name not in self.known:
            self.known.add(name)
            self.took.append(name)


class ShelfDestination:
    """Takes at once, and shows by itself what it has."""

    rules = "1"
    capabilities = Capabilities()

    def __init__(self, volume: Volume, archive: Archive, taker: Taker) -> None:
        self.name = "shelf"
        self._outbox, self._archive, self._taker = OutboxFolder(volume), archive, taker

    def plan(self, asset: Deliverable) -> Sequence[Wish]:
        return [
            Wish(resource_id=one.resource.id, name=one.resource.name, size_bytes=one.resource.size_bytes or 0)
            for one in asset.members
            if one.resource.id not in asset.sent
        ]

    async def room(self) -> Room:
        self._ask()
        return Room(most_bytes=SHELF_BYTES)

    async def deliver(self, parcel: Parcel) -> Delivered:
        self._ask()
        await self._outbox.prepare()
        resource, name = parcel.first.resource, parcel.delivery.name
        with self._archive.opened(resource) as first:
            recipe = Recipe(
                pieces=(Span(part=Part.FIRST, offset=0, length=resource.size_bytes or 0),), media_type="image/jpeg"
            )
            made = await self._outbox.assemble(name, recipe, {Part.FIRST: first}, {Part.FIRST: resource.digest or ""})
        if name not in self._taker.let_go:
            await self._outbox.publish(name, made, modified_at_ms=None)
            self._taker.tell(name)
        return Delivered(
            delivery_id=parcel.delivery.id, form=Form.ORIGINAL, size_bytes=made.size_bytes, digest=made.digest
        )

    async def look(self, out: Sequence[Delivery], *, has_stored: bool) -> Look:
        self._ask()
        here = await self._outbox.files()
        found = [self._sighting(one, is_here=one.name in here) for one in out]
        return Look(sightings=tuple(one for one in found if one is not None))

    def _sighting(self, delivery: Delivery, *, is_here: bool) -> Sighting | None:
        if delivery.name in self._taker.let_go:
            state = DeliveryState.FREED
        elif not is_here:
            state = DeliveryState.DOUBTED
        elif delivery.state is DeliveryState.ACCEPTED and delivery.name in self._taker.known:
            state = DeliveryState.STORED
        else:
            return None
        return Sighting(delivery_id=delivery.id, state=state, proof="the shelf says so", note="somebody took it")

    async def withdraw(self, delivery: Delivery) -> None:
        self._ask()
        await self._outbox.remove(delivery.name)

    async def wait(self, timeout_s: float) -> bool:
        return False

    async def close(self) -> None:
        """Nothing is held."""

    def _ask(self) -> None:
        if not self._taker.is_here:
            raise Away("the shelf is away", part="destination:shelf")
