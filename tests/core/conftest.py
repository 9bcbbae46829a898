"""A catalogue for the core's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from core.catalogue_of import Catalogued, ScriptedSource

from mediabox.store.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(tmp_path / "mediabox.db") as opened:
        yield opened


@pytest.fixture
def box(database: Database) -> Catalogued:
    return Catalogued(database)


@pytest.fixture
def cloud() -> ScriptedSource:
    return ScriptedSource()
