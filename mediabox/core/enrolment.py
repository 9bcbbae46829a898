"""Find the archive's volume, and be sure that it is the one: enrolled once, recognised ever after."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.durable.volume import Identity, Volume
from mediabox.errors import NeedsHuman
from mediabox.store import copies, journal, volumes

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from mediabox.clock import Clock
    from mediabox.model.ledger import Copy
    from mediabox.store.database import Database

ROLE = "archive"
SAMPLE = 32  # known files looked for before a volume is believed (invariant I5)


async def archive_volume(database: Database, root: Path, *, clock: Clock, reserve_bytes: int | None = None) -> Volume:
    """Open the archive's volume; enroll it when this catalogue never had one.

    Raises Away when it is not there, NeedsHuman when another one is in its place, or
    when it is ours but the files are gone.
    """
    known = await database.read(lambda connection: volumes.enrolled(connection, ROLE))
    if known is None:
        return await _enroll(database, root, clock=clock, reserve_bytes=reserve_bytes)
    expected = Identity(
        uuid=known.uuid,
        generation=known.generation,
        created_at_ms=known.created_at_ms,
        filesystem=known.filesystem,
    )
    volume = await asyncio.to_thread(Volume.open, root, expected=expected, reserve_bytes=reserve_bytes)
    sample = await database.read(lambda connection: copies.sample(connection, known.uuid, SAMPLE))
    missing = await asyncio.to_thread(_missing, volume, sample)
    if missing * 2 > len(sample):
        volume.close()
        raise _emptied(root, missing, len(sample))
    return volume


async def _enroll(database: Database, root: Path, *, clock: Clock, reserve_bytes: int | None) -> Volume:
    """The marker is durable before its row: after a crash between the two the marker is found and adopted."""
    volume = await asyncio.to_thread(Volume.enroll, root, now_ms=clock.wall_ms(), reserve_bytes=reserve_bytes)
    identity = volume.identity
    row = volumes.Enrolled(identity.uuid, identity.filesystem, identity.generation, identity.created_at_ms)

    def write(connection: sqlite3.Connection) -> None:
        volumes.enroll(connection, ROLE, row)
        journal.append(connection, "volume_enrolled", at_ms=clock.wall_ms(), uuid=identity.uuid, role=ROLE)

    await database.write(write)
    return volume


def _missing(volume: Volume, sample: list[Copy]) -> int:
    return sum(not volume.exists(copy.path) for copy in sample)


def _emptied(root: Path, missing: int, looked_for: int) -> NeedsHuman:
    message = f"the archive's volume at {root} has its marker, but {missing} of {looked_for} known files are not on it"
    remedy = (
        "If this is a new or restored disk, restore the files first; if the archive is lost, move the catalogue "
        "(mediabox.db) away and run `mediabox rebuild`. Nothing is written to it until then."
    )
    return NeedsHuman(message, issue="volume.emptied", subject=ROLE, remedy=remedy)
