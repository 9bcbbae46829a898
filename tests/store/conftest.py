"""A catalogue in memory's reach: one connection with the real schema."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediabox.model.asset import Kind, RemoteResource
from mediabox.store import assets, listings
from mediabox.store.database import Database, open_beside


@pytest.fixture
async def database(tmp_path: Path) -> Iterator[Database]:
    async with Database(tmp_path / "mediabox.db") as opened:
        yield opened


@pytest.fixture
def connection(tmp_path: Path, database: Database) -> Iterator[sqlite3.Connection]:
    opened = open_beside(database.path, write=True)
    yield opened
    opened.close()


@pytest.fixture
def taken_in(connection: sqlite3.Connection) -> Callable[[str], int]:
    """Take in a file called so; its resource id."""

    def take_in(name: str, *, kind: Kind = Kind.PICTURE) -> int:
        remote = RemoteResource(remote_id=f"t/{name}", version="1", name=name, kind=kind, size_bytes=10)
        source, asset = listings.source_id(connection, "pictures"), assets.add_asset(connection)
        return assets.add_resource(connection, asset, source, remote, stem=name.partition(".")[0], at_ms=1)

    return take_in
