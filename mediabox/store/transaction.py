"""Transactions on a connection to the catalogue: all of the work, durable, or nothing of it.

At its end the asset index follows what the transaction added to the journal, and after
its commit the journal's head outside the catalogue (`store.witness`).
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from mediabox.failpoints import fp
from mediabox.log import get_logger
from mediabox.store import asset_index, witness
from mediabox.store.asset_index import IndexDamaged
from mediabox.store.keyed import Keyed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = get_logger(__name__)

T = TypeVar("T")


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


def transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T], *, begin: str) -> T:
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
