"""The SQLite database: a writer thread, a reader thread, and two for what people ask.

How its file is laid out is `store.schema`.

Work is sent as a function of the connection and runs as one transaction, so a
transaction costs one hop between threads, however many statements it has.
WAL with synchronous=FULL: NORMAL lost acknowledged commits in every simulated
power cut (`shared safety model`, section 0).
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

from mediabox.errors import Fatal
from mediabox.failpoints import fp
from mediabox.log import get_logger
from mediabox.store import asset_index, schema, witness
from mediabox.store.asset_index import IndexDamaged
from mediabox.store.keyed import Keyed, make_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = get_logger(__name__)

T = TypeVar("T")
LOOK_FOR_ROOM_S = 5.0
_DAMAGED = "it is damaged; move it away and run `mediabox rebuild`"
_OF_THE_DISK = {
    sqlite3.SQLITE_BUSY: f"another program has held it for {schema.BUSY_TIMEOUT_MS // 1000} s",
    sqlite3.SQLITE_READONLY: "make its folder and file writable for us, or the disk, if it is mounted read-only",
    sqlite3.SQLITE_IOERR: "check the disk it is on, then start mediabox again",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_FULL: "free space on the disk it is on, then start mediabox again",
    sqlite3.SQLITE_CANTOPEN: "check the disk it is on, then start mediabox again",
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}


class EmptyDatabase(Fatal):
    """There is a file, and nothing was ever written into it."""


class DatabaseFull(Fatal):
    """Its disk is full. Nothing acknowledged is lost, and the same work may succeed later."""


class Database:
    """Open with `async with`. `write` and `read` may be called from any task of the loop."""

    def __init__(self, path: Path, *, follow: Callable[[sqlite3.Connection], None] | None = None) -> None:
        """`follow`: what has to be done in each transaction that added to the journal, at its end."""
        self.path = path
        self.upgraded_percent: int | None = None  # while its schema is brought up to this program's
        self.waits_for_room = False  # whether `write` outlasts a full disk; else that is Fatal
        self._writer = _Connection("store-writer", path, follow=follow)
        self._reader = _Connection("store-reader", path, query_only=True)
        self._people = [_Connection(f"store-people-{number}", path, query_only=True) for number in (1, 2)]

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(make_key, self.path.parent)
            await self._start()
        except OSError as err:  # of the key or the journal's head: SQLite's own are told already
            what = f"the folder of the catalogue, {self.path.parent}, cannot be written to ({err.strerror})"
            raise Fatal(f"{what}: free space on its disk, or check it, then start mediabox again") from err
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

    async def ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `read`, for what people ask: however long it takes, the box's own reads do not wait for it."""
        return await self._read(min(self._people, key=lambda one: one.waiting), work)

    async def _read(self, reader: _Connection, work: Callable[[sqlite3.Connection], T]) -> T:
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
        raise EmptyDatabase(f"the database {path} is empty: nothing was ever taken in; start `mediabox run`")
    if have > known:
        raise Fatal(schema.too_new(have, known))
    raise Fatal(f"the database {path} is of schema {have}, this mediabox's is {known}: `mediabox run` brings it up")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What SQLite refuses in the block, in a sentence. Raises Fatal for what the disk or the file is to blame for."""
    try:
        yield
    except sqlite3.Error as err:
        told = _sentence(err, str(path))
        if told is None:
            raise
        raise told from err


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block, durable, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        _follow(connection)
    except BaseException as error:
        connection.execute("ROLLBACK")
        if isinstance(error, IndexDamaged):  # the next attempt will not meet it
            make_index_anew(connection, error)
        raise
    connection.execute("COMMIT")
    _witnessed(connection)


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """A part of a transaction that may fail alone: what the block did is undone when it raises."""
    connection.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO part")
        connection.execute("RELEASE part")
        raise
    connection.execute("RELEASE part")


class _Connection:
    """One connection and the thread that owns it."""

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        query_only: bool = False,
        follow: Callable[[sqlite3.Connection], None] | None = None,
    ) -> None:
        self._name, self._path, self._query_only, self._follow = name, path, query_only, follow
        self._begin = "BEGIN" if query_only else "BEGIN IMMEDIATE"
        self._calls: queue.SimpleQueue[tuple[Callable[[sqlite3.Connection], object], bool, asyncio.Future[Any]] | None]
        self._calls = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_busy = False

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._serve, args=(loop, opened), name=self._name, daemon=True)
        self._thread.start()
        await opened

    async def stop(self) -> None:
        self._calls.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def call(self, work: Callable[[sqlite3.Connection], T], *, commit: bool) -> asyncio.Future[T]:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._calls.put((work, commit, future))
        return future

    @property
    def waiting(self) -> int:
        """How many calls are before the next one, whether or not anybody still waits for their answers."""
        return self._calls.qsize() + self._is_busy

    def _serve(self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[None]) -> None:
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, factory=Keyed)
            connection.unlock(self._path)
            connection.follow = self._follow
            schema.prepare(connection, query_only=self._query_only)
        except sqlite3.Error as err:
            refused = Fatal(f"the database {self._path} cannot be opened: {err}")
            loop.call_soon_threadsafe(opened.set_exception, _sentence(err, str(self._path)) or refused)
            return
        loop.call_soon_threadsafe(opened.set_result, None)
        while (request := self._calls.get()) is not None:
            work, commit, future = request
            begin = self._begin if commit else None
            self._is_busy = True
            _answer(loop, future, connection, work, begin=begin)
            self._is_busy = False
        connection.close()


def _answer(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[T],
    connection: sqlite3.Connection,
    work: Callable[[sqlite3.Connection], T],
    *,
    begin: str | None,
) -> None:
    """`begin`: the statement that opens the work's transaction; None for work that does without one."""
    try:
        result = _transact(connection, work, begin=begin) if begin else work(connection)
    except BaseException as err:  # noqa: BLE001 - it belongs to the caller, whatever it is
        _resolve(loop, future, connection, error=err)
    else:
        _resolve(loop, future, connection, result=result)


def _resolve(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[T],
    connection: sqlite3.Connection,
    *,
    result: T | None = None,
    error: BaseException | None = None,
) -> None:
    told = _told(error, connection) if error is not None else None

    def settle() -> None:
        if future.cancelled():
            return
        if told is None:
            future.set_result(result)  # type: ignore[arg-type]
        else:
            future.set_exception(told)

    if not loop.is_closed():
        loop.call_soon_threadsafe(settle)


def _transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T], *, begin: str) -> T:
    """`work` is done again when it was the index, made anew meanwhile, that could not take what it did."""
    try:
        return _transact_once(connection, work, begin=begin)
    except IndexDamaged as damage:
        if begin == "BEGIN":
            raise
        make_index_anew(connection, damage)
        return _transact_once(connection, work, begin=begin)


def make_index_anew(connection: sqlite3.Connection, damage: IndexDamaged) -> None:
    """In a transaction of its own: SQLite refuses all writes of the one that met the damage."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        asset_index.make_anew(connection, str(damage))
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    log.error("index_damaged", reason=str(damage))


def _transact_once(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T], *, begin: str) -> T:
    writes = begin != "BEGIN"
    connection.execute(begin)
    try:
        result = work(connection)
        if writes:
            _follow(connection)
            fp("journal.before_commit")
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    if writes:
        fp("journal.committed")
        _witnessed(connection)
    return result


def _follow(connection: sqlite3.Connection) -> None:
    if isinstance(connection, Keyed) and connection.follow and (connection.appended_from or connection.touched):
        connection.follow(connection)
        asset_index.flush(connection)
        connection.touched.clear()


def _witnessed(connection: sqlite3.Connection) -> None:
    """After a commit that added to the journal its head follows, outside the catalogue."""
    if getattr(connection, "appended_from", 0):
        witness.follow(connection)
        connection.appended_from = 0  # type: ignore[attr-defined]


def _roll_back(connection: sqlite3.Connection) -> None:
    """A disk that refused the commit may refuse this too; then the next start rolls back."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _told(err: BaseException, connection: sqlite3.Connection) -> BaseException:
    """Fatal for what the disk is to blame for (https://www.sqlite.org/rescode.html); anything else as it is."""
    if not isinstance(err, sqlite3.Error):
        return err
    told = _sentence(err, connection.execute("PRAGMA database_list").fetchone()[2])
    if told is None:
        return err
    told.__cause__ = err
    return told


def _sentence(err: sqlite3.Error, path: str) -> Fatal | None:
    """None when neither the disk nor the file is to blame."""
    remedy = _OF_THE_DISK.get(getattr(err, "sqlite_errorcode", 0) & 0xFF)
    if remedy is None and "malformed database schema" in str(err):  # comes as SQLITE_ERROR: its text tells
        remedy = _DAMAGED
    if remedy is None:
        return None
    is_full = getattr(err, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    kind = DatabaseFull if is_full else Fatal
    return kind(f"the database {path} cannot go on ({err}): {remedy}. Nothing acknowledged is lost.")


def _compact(connection: sqlite3.Connection) -> bool:
    if is_wanted := asset_index.has_lost_pages(connection):
        connection.execute("VACUUM")
        asset_index.set_lost_pages(connection, has_any=False)
    return is_wanted


def _copy_to(connection: sqlite3.Connection, target: Path) -> None:
    with sqlite3.connect(target) as copy:
        connection.backup(copy)
    copy.close()
