"""What a delivery is made of: its files as the archive holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.contracts import Member, Parcel
from mediabox.core.catalogue import describe
from mediabox.durable.opening import opened_in_thread
from mediabox.errors import Permanent
from mediabox.model.asset import ResourceState
from mediabox.model.delivery import DeliveryState
from mediabox.store import assets, deliveries, examined

if TYPE_CHECKING:
    import sqlite3

    from mediabox.durable.volume import Volume
    from mediabox.model.asset import Resource
    from mediabox.store.database import Database


class Parcels:
    """What the stage `deliver` asks the catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def parcel(self, delivery_id: int) -> Parcel | None:
        """None when it is not to be made any more. Raises Permanent when a file of it has left the archive."""
        return await self._database.read(lambda connection: parcel(connection, delivery_id))


def parcel(connection: sqlite3.Connection, delivery_id: int) -> Parcel | None:
    """See `Parcels.parcel`."""
    delivery = deliveries.find(connection, delivery_id)
    if delivery is None or delivery.state is not DeliveryState.ADMITTED:
        return None
    described = describe(connection, delivery.asset_id)
    return Parcel(
        delivery=delivery,
        first=_member(connection, delivery.resource_id),
        clip=_member(connection, delivery.clip_id) if delivery.clip_id is not None else None,
        capture_time=described.record.capture_time if described else None,
        place=described.record.place if described else None,
    )


def _member(connection: sqlite3.Connection, resource_id: int) -> Member:
    resource = assets.resource(connection, resource_id)
    if resource is None or resource.state is not ResourceState.ARCHIVED or resource.path is None:
        raise Permanent(f"{resource.name if resource else resource_id} is not in the archive any more")
    return Member(resource=resource, facts=examined.facts(connection, resource_id))


class ArchivedOriginals:
    """`contracts.Originals` on the archive's volume."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    async def open(self, resource: Resource) -> int:
        return await opened_in_thread(self._open, resource)

    def _open(self, resource: Resource) -> int:
        self._volume.prove()
        return self._volume.open_file(resource.path or "")
