"""The SQLite database: a writer thread, a reader thread, and two for what people ask.

How its file is laid out is `store.schema`.

Work is sent as a function of the connection and runs as one transaction, so a
transaction costs one hop between threads, however many statements it has.
WAL with synchronous=FULL: NORMAL lost acknowledged commits in every simulated
power cut (`shared safety model`, section 0).
"""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import quote

from mediabox.errors import Fatal
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.store import asset_index, schema, witness
from mediabox.store.asset_index import IndexDamaged
from mediabox.store.connection import Connection, DatabaseFull, explained
from mediabox.store.keyed import Keyed, make_key
from mediabox.store.transaction import make_index_anew

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_logger(__name__)

T = TypeVar("T")
LOOK_FOR_ROOM_S = 5.0


class EmptyDatabase(Fatal):
    """There is a file, and nothing was ever written into it."""


class Database:
    """Open with `async with`. `write` and `read` may be called from any task of the loop."""

    def __init__(self, path: Path, *, follow: Callable[[sqlite3.Connection], None] | None = None) -> None:
        """`follow`: what has to be done in each transaction that added to the journal, at its end."""
        self.path = path
        self.upgraded_percent: int | None = None  # while its schema is brought up to this program's
        self.waits_for_room = False  # whether `write` outlasts a full disk; else that is Fatal
        self._writer = Connection("store-writer", path, follow=follow)
        self._reader = Connection("store-reader", path, query_only=True)
        self._people = [Connection(f"store-people-{number}", path, query_only=True) for number in (1, 2)]

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(make_key, self.path.parent)
            await self._start()
        except OSError as err:  # of the key or the journal's head: SQLite's own are told already
            raise Fatal(
                message(
                    "the folder of the catalogue, {folder}, is not writable ({reason}): free up space on its disk or "
                    "check the disk, then start mediabox again",
                    folder=str(self.path.parent),
                    reason=err.strerror or str(err),
                )
            ) from err
        return self

    async def _start(self) -> None:
        await self._writer.start()
        try:
            await self._writer.call(lambda connection: schema.migrate(connection, self._upgraded), commit=False)
            self.upgraded_percent = None
            await self._writer.call(witness.begin, commit=False)
            for reader in (self._reader, *self._people):
                await reader.start()
        except BaseException:
            self.upgraded_percent = None
            await self._writer.stop()
            raise

    def _upgraded(self, percent: int) -> None:
        """Called by the writer's thread."""
        self.upgraded_percent = percent

    async def __aexit__(self, *_: object) -> None:
        for connection in (*self._people, self._reader, self._writer):
            await connection.stop()

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one transaction. Returns after it is durable; an exception rolls everything back.

        On a full disk, with `waits_for_room`, it is run again until there is room.
        """
        while True:
            try:
                return await asyncio.shield(self._writer.call(work, commit=True))
            except DatabaseFull as err:
                if not self.waits_for_room:
                    raise
                log.warning("database_full", reason=str(err))
                await asyncio.sleep(LOOK_FOR_ROOM_S)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on a snapshot of its own. It cannot write."""
        return await self._read(self._reader, work)

    async def query(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `read`, for what people ask: neither commits nor the box's own reads wait for it, however long."""
        return await self._read(min(self._people, key=lambda one: one.waiting), work)

    async def _read(self, reader: Connection, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await reader.call(work, commit=True)
        except IndexDamaged as damage:
            await self._writer.call(partial(make_index_anew, damage=damage), commit=False)
            return await reader.call(work, commit=True)

    async def compact(self) -> bool:
        """Leave out pages that belong to nothing, if there may be any; whether there were. Needs as much room again."""
        return await self._writer.call(_compact, commit=False)

    async def back_up(self, target: Path) -> None:
        """Write a consistent copy of the whole database to `target` (which must not exist)."""
        await self._people[0].call(lambda connection: _copy_to(connection, target), commit=False)


def open_beside(
    path: Path, *, write: bool = False, follow: Callable[[sqlite3.Connection], None] | None = None
) -> sqlite3.Connection:
    """A connection for commands that look, or change one thing, beside a running daemon. `follow`: see Database.

    Raises EmptyDatabase when nothing is in it yet: the daemon was stopped in its very first second.
    """
    with explained(path):
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, factory=Keyed)
        connection.unlock(path)
        connection.follow = follow
        schema.prepare(connection, query_only=not write)
        have, known = schema.version(connection), len(schema.migrations())
    if have == known:
        return connection
    connection.close()
    if have == 0:
        raise EmptyDatabase(
            message("the database {path} is empty: nothing has been taken in yet; start `mediabox run`", path=str(path))
        )
    if have > known:
        raise Fatal(schema.too_new(have, known))
    raise Fatal(
        message(
            "the database {path} has schema {found}, this version needs {wanted}: `mediabox run` upgrades it",
            path=str(path),
            found=str(have),
            wanted=str(known),
        )
    )


def _compact(connection: sqlite3.Connection) -> bool:
    if is_wanted := asset_index.has_lost_pages(connection):
        connection.execute("VACUUM")
        asset_index.set_lost_pages(connection, has_any=False)
    return is_wanted


def _copy_to(connection: sqlite3.Connection, target: Path) -> None:
    with sqlite3.connect(target) as copy:
        connection.backup(copy)
    copy.close()
