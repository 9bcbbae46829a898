"""Prove, just before something irreversible, that the archive still holds a resource's bytes (invariant I8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.core.timeline import untimely
from mediabox.core.verification import record
from mediabox.errors import Permanent
from mediabox.message import message
from mediabox.model.asset import ResourceState
from mediabox.model.ledger import CopyState
from mediabox.store import assets, copies, gate

if TYPE_CHECKING:
    import sqlite3

    from mediabox.clock import Clock
    from mediabox.core.archive import Archive
    from mediabox.model.asset import Resource
    from mediabox.store.database import Database


class ArchiveProofs:
    """What the `remove` stage asks."""

    def __init__(self, database: Database, archive: Archive, clock: Clock) -> None:
        self._database, self._archive, self._clock = database, archive, clock

    async def prove(self, resource: Resource) -> None:
        """Read the kept copy of these bytes again, past the cache, and renew its proof.

        Raises Permanent when there is none or it is not whole; Away when its volume is;
        NeedsHuman while the clock is not to be believed (I13).
        """
        if not self._clock.is_trusted():
            raise untimely(
                message(
                    "{name} is archived but kept at its source: the clock is earlier than past events",
                    name=resource.name,
                )
            )
        kept = resource.duplicate_of or resource.id
        known = await self._database.read(lambda connection: copies.of_resource(connection, kept))
        keeper = await self._database.read(lambda connection: assets.resource(connection, kept))
        is_archived = keeper is not None and keeper.state is ResourceState.ARCHIVED  # the trash keeps nothing for long
        whole = [
            copy for copy in known if is_archived and copy.state is CopyState.PRESENT and copy.digest == resource.digest
        ]
        told = await self._database.read(lambda connection: _digests(connection, {resource.id, kept}))
        if told - {resource.digest}:
            raise Permanent(
                message("{name} has another SHA-256 than in the journal; the source's file is kept", name=resource.name)
            )
        if not whole:
            raise Permanent(message("{name} has no verified copy; the source's file is kept", name=resource.name))
        copy = whole[0]
        await self._archive.confirm(copy)
        now_ms = self._clock.wall_ms()
        await self._database.write(lambda connection: record(connection, [(copy, CopyState.PRESENT)], now_ms=now_ms))


def _digests(connection: sqlite3.Connection, resource_ids: set[int]) -> set[str]:
    """What the journal says of these bytes: whoever can write the catalogue can write a digest there."""
    stories = (gate.story(connection, one).sha256 for one in resource_ids)
    return {digest for digest in stories if digest is not None}
