"""Find the archive's volume and the outboxes', and be sure that they are: enrolled once, recognised ever after."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from mediabox.durable.descriptors import READ, open_descriptor
from mediabox.durable.filesystem import missing_mount
from mediabox.durable.names import probe_names
from mediabox.durable.spool import SPOOL
from mediabox.durable.volume import RESERVE_PERCENT, Identity, Volume
from mediabox.errors import NeedsHuman
from mediabox.message import Text, message
from mediabox.model.sidecar import COMPOSED_HEAD
from mediabox.store import copies, journal, volumes

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from mediabox.clock import Clock
    from mediabox.store.database import Database

ROLE = "archive"
OUTBOX = "outbox:"  # and the destination's name
REBUILDING = "rebuilding"
SAMPLE = 32  # known files looked for before a volume is believed (invariant I5)


async def archive_volume(
    database: Database, root: Path, *, clock: Clock, reserve_percent: float = RESERVE_PERCENT, for_rebuild: bool = False
) -> Volume:
    """Open the archive's volume; enroll it when this catalogue never had one.

    Raises Away when it is not there, NeedsHuman when another one is in its place, when
    it is ours but the files are gone, and, but `for_rebuild`, when it has files of a
    catalogue that is not this one: they would be archived a second time.
    """
    if not for_rebuild and await database.read(rebuilding):
        raise _uncatalogued(root, message("a rebuild of its catalogue was interrupted"))
    known = await database.read(lambda connection: volumes.enrolled(connection, ROLE))
    if known is None:
        volume = await _enroll(root, clock=clock, reserve_percent=reserve_percent, for_rebuild=for_rebuild)
        await _probe(volume)
        await database.write(lambda connection: _note(connection, volume.identity, role=ROLE, now_ms=clock.wall_ms()))
        return volume
    volume = await asyncio.to_thread(Volume.open, root, expected=identity_of(known), reserve_percent=reserve_percent)
    sample = await database.read(lambda connection: copies.sample(connection, known.uuid, SAMPLE))
    missing = await asyncio.to_thread(lambda: sum(not volume.exists(copy.path) for copy in sample))
    if missing * 2 > len(sample):
        volume.close()
        raise _emptied(root, missing, len(sample))
    await _probe(volume)
    return volume


async def _probe(volume: Volume) -> None:
    """Refuse a volume that files cannot be named on, before anything is copied there."""
    try:
        await asyncio.to_thread(probe_names, volume)
    except NeedsHuman:
        volume.close()
        raise


async def outbox_volume(database: Database, root: Path, *, destination: str, clock: Clock) -> Volume:
    """Open the volume of a destination's outbox; enroll it when this catalogue never had one.

    Raises Away when it is not there, NeedsHuman when another one is in its place.
    """
    role = OUTBOX + destination
    known = await database.read(lambda connection: volumes.enrolled(connection, role))
    if known is None:
        volume = await asyncio.to_thread(_enroll_below, root, role=role, now_ms=clock.wall_ms())
        await database.write(lambda connection: _note(connection, volume.identity, role=role, now_ms=clock.wall_ms()))
        return volume
    return await asyncio.to_thread(Volume.open, root, expected=identity_of(known), name=role)


def _enroll_below(root: Path, *, role: str, now_ms: int) -> Volume:
    """With the folders above it, but never on the bare mount point of a disk that is not there."""
    if missing_mount(root) is None:
        root.parent.mkdir(parents=True, exist_ok=True)
    return Volume.enroll(root, now_ms=now_ms, name=role)


def rebuilding(connection: sqlite3.Connection) -> bool:
    """Whether a rebuild began and did not end."""
    return volumes.switch(connection, REBUILDING) is not None


def set_rebuilding(connection: sqlite3.Connection, *, is_under_way: bool) -> None:
    """Until it ends, nobody may take the half of a catalogue for the whole."""
    volumes.set_switch(connection, REBUILDING, "yes" if is_under_way else None)


async def _enroll(root: Path, *, clock: Clock, reserve_percent: float, for_rebuild: bool) -> Volume:
    """The marker is durable before its row: after a crash between the two the marker is found and adopted."""
    if not for_rebuild and await asyncio.to_thread(_holds_sidecars_of_ours, root):
        raise _uncatalogued(root, message("there is no catalogue of it"))
    volume = await asyncio.to_thread(Volume.enroll, root, now_ms=clock.wall_ms(), reserve_percent=reserve_percent)
    # The spool is made by the first fetch, so after the row: whoever has one has, or had, a catalogue.
    if not for_rebuild and await asyncio.to_thread(volume.exists, SPOOL):
        volume.close()
        raise _uncatalogued(root, message("it is not in this catalogue"))
    return volume


def _holds_sidecars_of_ours(root: Path) -> bool:
    """Whether an archive of ours was here: its marker may be lost, what it holds says so itself."""
    head = COMPOSED_HEAD.encode()
    for folder, below, names in os.walk(root):
        below.sort()  # years first: the first sidecar is found at once
        for name in names:
            if name.endswith(".xmp") and _begins_with(os.path.join(folder, name), head):
                return True
    return False


def _begins_with(path: str, head: bytes) -> bool:
    try:
        with open_descriptor(path, READ | os.O_NONBLOCK) as descriptor:
            return os.read(descriptor, len(head)) == head
    except OSError:  # unreadable: it cannot tell
        return False


def identity_of(known: volumes.Enrolled) -> Identity:
    """The volume that was enrolled."""
    return Identity(
        uuid=known.uuid,
        generation=known.generation,
        created_at_ms=known.created_at_ms,
        filesystem=known.filesystem,
    )


def _note(connection: sqlite3.Connection, identity: Identity, *, role: str, now_ms: int) -> None:
    row = volumes.Enrolled(identity.uuid, identity.filesystem, identity.generation, identity.created_at_ms)
    volumes.enroll(connection, role, row)
    journal.append(connection, "volume_enrolled", at_ms=now_ms, uuid=identity.uuid, role=role)


def _uncatalogued(root: Path, why: Text) -> NeedsHuman:
    what = message(
        "the archive at {root} already has files, and {reason}: everything would be archived a second time",
        root=str(root),
        reason=why,
    )
    remedy = message("Run `mediabox rebuild`, restore the old mediabox.db, or choose an empty folder for the archive.")
    return NeedsHuman(what, issue="volume.uncatalogued", subject=ROLE, remedy=remedy)


def _emptied(root: Path, missing: int, looked_for: int) -> NeedsHuman:
    what = message(
        "the archive at {root} has its marker, but {missing:n} of {known:n} files looked for are missing",
        root=str(root),
        missing=missing,
        known=looked_for,
    )
    remedy = message(
        "If this is a new or restored disk, restore the files first. If the archive is lost, move the catalogue "
        "(mediabox.db) away and run `mediabox rebuild`. Nothing is written to the disk until then."
    )
    return NeedsHuman(what, issue="volume.emptied", subject=ROLE, remedy=remedy)
