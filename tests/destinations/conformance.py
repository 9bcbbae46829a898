"""What every destination must do, whatever is behind it. Subclass `DestinationConformance` and give it a `Peer`."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

import msgspec
import pytest
from patience import PATIENCE_S

from destinations.making_of import STILL, digest_of, with_digest
from mediabox.contracts import Deliverable, Destination, Parcel
from mediabox.errors import Away, NeedsHuman, Retryable
from mediabox.model.delivery import Delivered, Delivery, DeliveryState, Form, Sighting

ACCEPTED, STORED, FREED, DOUBTED = (
    DeliveryState.ACCEPTED,
    DeliveryState.STORED,
    DeliveryState.FREED,
    DeliveryState.DOUBTED,
)
NOW_MS = 1_760_000_000_000


class Peer(Protocol):
    """The world behind a destination, as a test may change it."""

    destination: Destination

    def parcel(self, number: int, content: bytes = STILL) -> Parcel:
        """An archived photo and its delivery."""

    async def restart(self) -> None:
        """The box died and started again: `destination` is another one, over the same disks."""

    async def arrived(self) -> list[str]:
        """Names of all that the peer ever took, each time it took it, once nothing more is on its way."""

    async def let_go(self, *names: str) -> None:
        """The peer deletes what is done."""

    async def vanish(self, name: str) -> None:
        """Somebody else than the peer deletes a file."""

    async def offered(self) -> frozenset[str]:
        """What lies there for the peer."""

    async def obstruct(self, name: str) -> None:
        """A stranger's file takes a name."""

    async def leave(self) -> None:
        """It cannot be reached."""

    async def come_back(self) -> None: ...
    async def fill_disk(self) -> None:
        """There is no room for what is made."""

    async def empty_disk(self) -> None: ...
    def cancel_inside(self, task: "asyncio.Task[Delivered]") -> None:
        """Cancel a task as soon as it has begun to make a file."""


class DestinationConformance:
    """The suite."""

    async def test_what_is_delivered_arrives_is_seen_there_and_seen_to_go(self, peer: Peer) -> None:
        delivered = await deliver(peer, peer.parcel(1))
        assert (delivered.state, delivered.digest) == (ACCEPTED, digest_of(STILL))
        assert await peer.offered() == {delivered.name}

        stored = await shown(peer, delivered)
        assert stored.state is STORED
        assert await peer.arrived() == [delivered.name]
        assert await sightings(peer, [stored], has_stored=True) == []  # told once

        await peer.let_go(delivered.name)
        freed = await shown(peer, stored, has_stored=True)
        assert freed.state is FREED
        assert freed.proof

    async def test_delivering_twice_is_delivering_once(self, peer: Peer) -> None:
        parcel = peer.parcel(1)

        first = await peer.destination.deliver(parcel)
        second = await peer.destination.deliver(parcel)

        assert first == second
        await shown(peer, accepted(parcel.delivery, first))
        assert await peer.arrived() == [parcel.delivery.name]

    async def test_a_delivery_goes_on_after_a_restart_in_mid_way(self, peer: Peer) -> None:
        parcel = peer.parcel(1)
        first = await peer.destination.deliver(parcel)
        await peer.restart()

        again = await peer.destination.deliver(parcel)
        stored = await shown(peer, accepted(parcel.delivery, again))
        await peer.restart()
        await peer.let_go(stored.name)

        assert again == first
        assert (await shown(peer, stored, has_stored=True)).state is FREED
        assert await peer.arrived() == [stored.name]

    async def test_what_the_peer_let_go_before_a_crash_was_written_down_is_not_sent_again(self, peer: Peer) -> None:
        parcel = peer.parcel(1)
        delivered = await peer.destination.deliver(parcel)
        await shown(peer, accepted(parcel.delivery, delivered))
        await peer.let_go(parcel.delivery.name)
        await gone(peer, parcel.delivery.name)
        await peer.restart()  # nobody had written anything down

        again = await peer.destination.deliver(parcel)

        assert again == delivered
        assert await peer.offered() == frozenset()
        freed = await shown(peer, accepted(parcel.delivery, again), has_stored=True)
        assert freed.state is FREED
        assert await peer.arrived() == [parcel.delivery.name]

    async def test_away_is_never_gone(self, peer: Peer) -> None:
        stored = await shown(peer, await deliver(peer, peer.parcel(1)))
        parcel = peer.parcel(2)
        await peer.leave()

        with pytest.raises(Away):
            await peer.destination.look([stored], has_stored=True)
        with pytest.raises(Away):
            await peer.destination.deliver(parcel)
        await peer.restart()  # how much room there was a moment ago may be remembered
        with pytest.raises(Away):
            await peer.destination.room()
        assert await peer.destination.wait(0.01) in (True, False)  # whoever waits learns it by the next look

        await peer.come_back()
        assert (await deliver(peer, parcel)).state is ACCEPTED
        assert FREED not in {one.state for one in await sightings(peer, [stored], has_stored=True)}

    async def test_other_bytes_than_archived_are_not_delivered(self, peer: Peer) -> None:
        parcel = peer.parcel(1)
        wrong = msgspec.structs.replace(parcel, first=with_digest(parcel.first, digest_of(b"other")))

        with pytest.raises(Retryable):
            await peer.destination.deliver(wrong)

        assert await peer.offered() == frozenset()
        assert await peer.arrived() == []

    async def test_a_full_disk_is_told_and_nothing_is_lost(self, peer: Peer) -> None:
        parcel = peer.parcel(1)
        await peer.fill_disk()

        with pytest.raises(NeedsHuman) as full:
            await peer.destination.deliver(parcel)

        assert full.value.issue == "volume.full"
        assert await peer.offered() == frozenset()
        await peer.empty_disk()
        assert (await shown(peer, await deliver(peer, parcel))).state is STORED

    async def test_a_cancelled_delivery_can_be_made_again(self, peer: Peer) -> None:
        parcel = peer.parcel(1)
        task = asyncio.ensure_future(peer.destination.deliver(parcel))
        peer.cancel_inside(task)
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await peer.offered() == frozenset()
        delivered = await shown(peer, await deliver(peer, parcel))

        assert delivered.state is STORED
        assert await peer.arrived() == [parcel.delivery.name]

    async def test_a_strangers_file_is_not_replaced(self, peer: Peer) -> None:
        parcel = peer.parcel(1)
        await peer.obstruct(parcel.delivery.name)

        with pytest.raises(FileExistsError):
            await peer.destination.deliver(parcel)

    async def test_what_somebody_else_took_away_proves_nothing(self, peer: Peer) -> None:
        stored = await shown(peer, await deliver(peer, peer.parcel(1)))

        await peer.vanish(stored.name)

        doubted = await shown(peer, stored, has_stored=True)
        assert doubted.state is DOUBTED
        assert doubted.note

    async def test_what_is_withdrawn_goes_from_the_peer_too(self, peer: Peer) -> None:
        stored = await shown(peer, await deliver(peer, peer.parcel(1)))

        await peer.destination.withdraw(stored)
        await peer.destination.withdraw(stored)

        await gone(peer, stored.name)
        assert await peer.offered() == frozenset()

    async def test_several_go_side_by_side(self, peer: Peer) -> None:
        parcels = [peer.parcel(number, STILL + b"%d" % number) for number in range(1, 6)]

        out = await asyncio.gather(*(deliver(peer, parcel) for parcel in parcels))
        for one in out:
            assert (await shown(peer, one, out=out)).state is STORED

        assert sorted(await peer.arrived()) == sorted(one.name for one in out)

    async def test_there_is_room_for_something(self, peer: Peer) -> None:
        room = await peer.destination.room()

        assert room.most_bytes > 0
        assert 0 <= room.backlog_share < 1

    async def test_the_same_asset_is_wished_for_in_the_same_way(self, peer: Peer) -> None:
        parcel = peer.parcel(1)
        asset = Deliverable(asset_id=1, members=(parcel.first,))

        wishes = list(peer.destination.plan(asset))

        assert [one.resource_id for one in wishes] == [1]
        assert list(peer.destination.plan(asset)) == wishes
        assert not peer.destination.plan(msgspec.structs.replace(asset, sent=frozenset({1})))
        assert peer.destination.rules == peer.destination.rules
        assert wishes[0].form is Form.ORIGINAL

    async def test_it_may_be_closed_twice_and_used_again(self, peer: Peer) -> None:
        await deliver(peer, peer.parcel(1))

        await peer.destination.close()
        await peer.destination.close()

        assert (await deliver(peer, peer.parcel(2))).state is ACCEPTED


# ---------------------------------------------------------------- as the daemon does it


def accepted(delivery: Delivery, delivered: Delivered) -> Delivery:
    return msgspec.structs.replace(
        delivery,
        state=ACCEPTED,
        form=delivered.form,
        digest=delivered.digest,
        size_bytes=delivered.size_bytes,
        accepted_at_ms=NOW_MS,
    )


async def deliver(peer: Peer, parcel: Parcel) -> Delivery:
    return accepted(parcel.delivery, await peer.destination.deliver(parcel))


async def sightings(peer: Peer, out: Iterable[Delivery], *, has_stored: bool) -> list[Sighting]:
    return list((await peer.destination.look(list(out), has_stored=has_stored)).sightings)


async def shown(
    peer: Peer, delivery: Delivery, *, has_stored: bool = False, out: Iterable[Delivery] | None = None
) -> Delivery:
    """Look until the destination shows something new of it; the delivery as it is then."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for one in await sightings(peer, out or [delivery], has_stored=has_stored):
                if one.delivery_id == delivery.id:
                    at = {STORED: {"stored_at_ms": NOW_MS}}.get(one.state, {})
                    return msgspec.structs.replace(delivery, state=one.state, proof=one.proof, note=one.note, **at)
            await peer.destination.wait(1.0)


async def gone(peer: Peer, name: str) -> None:
    """Wait until a deletion has reached the box, or has left it."""
    async with asyncio.timeout(PATIENCE_S):
        while name in await peer.offered():
            await peer.destination.wait(1.0)
