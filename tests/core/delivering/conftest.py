import pytest
from core.delivering.wishing import Shelf, WishingDestination

from mediabox.store.database import Database


@pytest.fixture
def shelf(database: Database) -> Shelf:
    return Shelf(database)


@pytest.fixture
def anna() -> WishingDestination:
    return WishingDestination()
