"""The catalogue's copies are whole, on two volumes, and made only when something changed."""

import asyncio
from pathlib import Path

import pytest

from mediabox.core.backup import Backup
from mediabox.durable.volume import Volume
from mediabox.store import journal
from mediabox.store.database import Database, open_beside


@pytest.fixture
async def database(tmp_path: Path):
    async with Database(tmp_path / "mediabox.db") as opened:
        yield opened


async def test_each_volume_gets_a_whole_copy_when_something_changed(tmp_path: Path, database: Database) -> None:
    with Volume.enroll(tmp_path / "archive", now_ms=1, reserve_percent=0) as volume:
        backup = Backup(database, tmp_path, volume)
        await database.write(lambda connection: journal.append(connection, "paused", at_ms=1))

        assert await backup.copy()
        assert not await backup.copy()
        await database.write(lambda connection: journal.append(connection, "resumed", at_ms=2))
        assert await backup.copy()

    for path in (tmp_path / "backup" / "mediabox.db", tmp_path / "archive" / ".mediabox" / "backup" / "mediabox.db"):
        copy = open_beside(path)
        assert journal.last(copy)[0] == 2
        assert journal.first_broken_link(copy) is None
        copy.close()
    left = await asyncio.to_thread(lambda: list(tmp_path.rglob("*.part")))
    assert not left
