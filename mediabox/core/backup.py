"""Copy the catalogue every hour while it changes: into the home, and onto the archive's volume (invariant I12).

Beside each copy lies the journal's head, signed (`store.witness`): what is cut off later shows (I20).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.durable.publish import remove_file, seal
from mediabox.durable.volume import FOLDER
from mediabox.errors import Away, NeedsHuman
from mediabox.log import get_logger
from mediabox.store import journal, witness

if TYPE_CHECKING:
    from pathlib import Path

    from mediabox.durable.volume import Volume
    from mediabox.store.database import Database

log = get_logger(__name__)

EVERY_S = 3600.0
NAME = "mediabox.db"


class Backup:
    """A service: one copy on the home's disk, one beside the originals, each whole or the one before."""

    def __init__(self, database: Database, home: Path, volume: Volume) -> None:
        self._database, self._home, self._volume = database, home, volume
        self._copied_seq = 0  # the newest journal row that is in the copies

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.copy()
            except (Away, NeedsHuman) as error:
                log.warning("backup_waits", reason=str(error))

    async def copy(self) -> bool:
        """Copy the catalogue if it changed since the last time; whether it did. Raises Away, NeedsHuman."""
        seq = await self._database.read(journal.last_change)
        if seq == self._copied_seq:
            return False
        await self._copy_to(self._home / "backup" / NAME)
        await asyncio.to_thread(self._volume.prove)
        await asyncio.to_thread(self._volume.makedirs, f"{FOLDER}/backup")
        await asyncio.to_thread(self._volume.ensure_room, self._database.path.stat().st_size)
        await self._copy_to(self._volume.root / FOLDER / "backup" / NAME)
        self._copied_seq = seq
        log.info("catalogue_copied", seq=seq)
        return True

    async def _copy_to(self, target: Path) -> None:
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        await asyncio.to_thread(remove_file, part)  # what a crash left
        await self._database.back_up(part)
        await asyncio.to_thread(seal, part, target)
        await self._database.read(lambda connection: witness.back_up(connection, target.with_name(witness.NAME)))
