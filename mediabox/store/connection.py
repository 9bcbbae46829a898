"""One connection to the catalogue and the thread that owns it, and what SQLite refuses, in words."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from mediabox.errors import Fatal
from mediabox.message import message
from mediabox.store import schema
from mediabox.store.keyed import Keyed
from mediabox.store.transaction import transact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")
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


class DatabaseFull(Fatal):
    """Its disk is full. Nothing acknowledged is lost, and the same work may succeed later."""


class Connection:
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
            refused = Fatal(
                message("the database {path} cannot be opened: {reason}", path=str(self._path), reason=str(err))
            )
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
        result = transact(connection, work, begin=begin) if begin else work(connection)
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
