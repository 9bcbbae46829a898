"""One transaction a call, durable when it returns, refused when it is from the future."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from mediabox.errors import Fatal
from mediabox.store import database as database_module
from mediabox.store import volumes
from mediabox.store.database import Database, open_beside
from mediabox.store.transaction import savepoint, transaction


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "mediabox.db"
    async with Database(path) as first:
        await first.write(lambda connection: volumes.set_switch(connection, "paused", "1"))

    async with Database(path) as second:
        assert await second.read(lambda connection: volumes.switch(connection, "paused")) == "1"


async def test_a_failing_write_changes_nothing_and_the_next_one_works(database: Database) -> None:
    def half(connection: sqlite3.Connection) -> None:
        volumes.set_switch(connection, "paused", "1")
        raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        await database.write(half)

    assert await database.read(lambda connection: volumes.switch(connection, "paused")) is None
    await database.write(lambda connection: volumes.set_switch(connection, "paused", "2"))
    assert await database.read(lambda connection: volumes.switch(connection, "paused")) == "2"


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(Fatal, match="readonly"):
        await database.read(lambda connection: volumes.set_switch(connection, "paused", "1"))


async def test_synchronous_is_full_and_the_log_is_ahead(database: Database) -> None:
    def modes(connection: sqlite3.Connection) -> tuple[str, int]:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        return mode, connection.execute("PRAGMA synchronous").fetchone()[0]

    assert await database.write(modes) == ("wal", 2)  # 2: FULL


async def test_a_newer_catalogue_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "mediabox.db"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 999")
    newer.close()

    with pytest.raises(Fatal, match=r"schema 999.*newer version"):
        async with Database(path):
            pass


async def test_something_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mediabox.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)

    with pytest.raises(Fatal, match=r"mediabox\.db.*not a database"):
        async with Database(path):
            pass


async def test_a_backup_holds_everything(database: Database, tmp_path: Path) -> None:
    await database.write(lambda connection: volumes.set_switch(connection, "paused", "1"))

    await database.back_up(tmp_path / "copy.db")

    copy = open_beside(tmp_path / "copy.db")
    assert volumes.switch(copy, "paused") == "1"
    copy.close()


def test_a_savepoint_undoes_its_part_only(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        volumes.set_switch(connection, "kept", "1")
        with pytest.raises(ValueError, match="part"), savepoint(connection):
            volumes.set_switch(connection, "undone", "1")
            raise ValueError("part")

    assert volumes.switch(connection, "kept") == "1"
    assert volumes.switch(connection, "undone") is None


def test_migrations_are_numbered_one_after_the_other() -> None:
    names = sorted(path.name for path in (Path(database_module.__file__).parent / "migrations").glob("*.sql"))

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


async def test_a_slow_question_of_people_delays_neither_a_commit_nor_a_read_nor_another_question(
    database: Database,
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> object:
        row = connection.execute("SELECT count(*) FROM switch").fetchone()
        begun.set()
        may_end.wait(60)
        return row[0]

    asked = asyncio.create_task(database.query(slow))
    await asyncio.to_thread(begun.wait)
    try:
        await database.write(lambda connection: volumes.set_switch(connection, "a", "1"))
        read = await database.read(lambda connection: volumes.switch(connection, "a"))
        other = await database.query(lambda connection: volumes.switch(connection, "a"))
        assert not asked.done()
    finally:
        may_end.set()

    assert (read, other) == ("1", "1")
    assert await asked == 0  # of its own moment


async def test_a_question_nobody_waits_for_any_more_still_keeps_others_off_its_connection(database: Database) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(_: sqlite3.Connection) -> None:
        begun.set()
        may_end.wait(60)

    asked = asyncio.create_task(database.query(slow))
    await asyncio.to_thread(begun.wait)
    asked.cancel()
    try:
        for _ in range(3):
            assert await database.query(lambda connection: volumes.switch(connection, "none")) is None
    finally:
        may_end.set()


async def test_a_question_cannot_write(database: Database) -> None:
    with pytest.raises(Fatal, match="readonly"):
        await database.query(lambda connection: volumes.set_switch(connection, "a", "1"))
