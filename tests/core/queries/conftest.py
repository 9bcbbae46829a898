"""A small catalogue to ask, and what puts things into it."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mediabox.store.database import Database, open_beside


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A catalogue nothing was taken into yet, open to be written."""

    async def make() -> None:
        async with Database(tmp_path / "mediabox.db"):
            pass

    asyncio.run(make())
    with closing(open_beside(tmp_path / "mediabox.db", write=True)) as opened:
        yield opened
