"""What is counted as it is written equals what counting finds, whatever happened to the rows."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mediabox.model.asset import Kind, ResourceState, Role
from mediabox.model.delivery import DeliveryState
from mediabox.store import figures, schema
from mediabox.store.database import Database, open_beside

COUNTED = """
    SELECT 'file:' || state AS name, count(*) AS count, coalesce(sum(size_bytes), 0) FROM resource GROUP BY state
    UNION ALL SELECT 'companion', count(*), 0 FROM resource
        WHERE state = 'archived' AND (kind = 'sidecar' OR role = 'companion')
    UNION ALL SELECT 'asset', count(DISTINCT asset_id), 0 FROM resource WHERE state = 'archived'
    UNION ALL SELECT 'delivery:' || state || ':' || destination, count(*), sum(size_bytes) FROM delivery
        GROUP BY state, destination
    UNION ALL SELECT 'offered', count(*), coalesce(sum(size_bytes), 0) FROM adoptable
    UNION ALL SELECT 'adopted', count(*), coalesce(sum(size_bytes), 0) FROM adoptable WHERE resource_id IS NOT NULL
"""


@pytest.fixture
async def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    async with Database(tmp_path / "mediabox.db"):
        pass
    with closing(open_beside(tmp_path / "mediabox.db", write=True)) as opened:
        opened.execute("INSERT INTO source (name) VALUES ('anna')")
        opened.executemany("INSERT INTO asset (id) VALUES (?)", [(number,) for number in range(1, 6)])
        yield opened


def assert_counted(connection: sqlite3.Connection) -> None:
    kept = sorted(connection.execute("SELECT * FROM figure WHERE count <> 0"))
    assert kept == sorted(row for row in connection.execute(COUNTED) if row[1])
    assert connection.execute("SELECT name FROM figure WHERE count = 0 AND size_bytes <> 0").fetchall() == []


def change(connection: sqlite3.Connection, chance: random.Random) -> None:
    """One thing of those that may happen to a file, a delivery or an offered file."""
    state, asset, size = chance.choice(list(ResourceState)), chance.randint(1, 5), chance.choice([None, 7, 1000])
    kind, role = chance.choice([Kind.PICTURE, Kind.SIDECAR]), chance.choice([Role.ORIGINAL, Role.COMPANION])
    delivery, number = chance.choice(list(DeliveryState)), chance.randint(1, 12)
    for sql, values in (
        (
            (
                "INSERT OR IGNORE INTO resource (id, asset_id, source_id, remote_id, version, name, folder, stem, "
                "kind, role, state, size_bytes, taken_in_at_ms) "
                "VALUES (?1, ?2, 1, ?1, 1, 'a', '', '', ?3, ?4, ?5, ?6, 0)"
            ),
            (number, asset, kind, role, state, size),
        ),
        ("UPDATE resource SET state = ?, size_bytes = ? WHERE id = ?", (state, size, number)),
        ("UPDATE resource SET asset_id = ? WHERE id = ?", (asset, number)),
        ("UPDATE resource SET kind = ?, role = ? WHERE asset_id = ?", (kind, role, asset)),
        (
            (
                "INSERT INTO delivery (destination, resource_id, form, name, name_key, state, size_bytes) "
                "SELECT 'phone: anna', id, 'original', ?1, ?1, ?2, 5 FROM resource WHERE id = ?3 "
                "AND id NOT IN (SELECT resource_id FROM delivery)"
            ),
            (str(chance.random()), delivery, number),
        ),
        ("UPDATE delivery SET state = ?, size_bytes = ? WHERE resource_id = ?", (delivery, size or 1, number)),
        (
            "INSERT INTO adoptable VALUES (?1, NULL, ?2, 0, 0, NULL) ON CONFLICT (path) DO UPDATE SET size_bytes = ?2",
            (f"/{number}", size or 1),
        ),
        ("UPDATE adoptable SET resource_id = (SELECT id FROM resource WHERE id = ?) WHERE path = '/3'", (number,)),
        ("DELETE FROM delivery WHERE resource_id = ?", (number,)),
        ("DELETE FROM adoptable WHERE path = ?", (f"/{number}",)),
        (
            (
                "DELETE FROM resource WHERE id = ?1 AND id NOT IN (SELECT resource_id FROM delivery) "
                "AND id NOT IN (SELECT resource_id FROM adoptable WHERE resource_id IS NOT NULL)"
            ),
            (number,),
        ),
    ):
        if chance.random() < (0.15 if sql.startswith("DELETE") else 0.4):
            connection.execute(sql, values)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_counted_as_it_is_written_is_what_counting_finds(connection: sqlite3.Connection, seed: int) -> None:
    chance = random.Random(seed)

    for _ in range(40):
        change(connection, chance)
        assert_counted(connection)

    assert figures.accounting(connection).is_balanced


def test_a_catalogue_of_before_is_counted_when_it_is_brought_up(connection: sqlite3.Connection, tmp_path: Path) -> None:
    chance = random.Random(99)
    for _ in range(40):
        change(connection, chance)
    number = next(n for n, script in enumerate(schema.migrations()) if "CREATE TABLE figure" in script)
    connection.execute("DROP TABLE figure")
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")

    connection.executescript(schema.migrations()[number])

    assert_counted(connection)


def test_what_a_destination_proves_is_counted_by_asset(connection: sqlite3.Connection) -> None:
    place = "google-photos/anna"
    for number, asset, state in ((1, 1, "archived"), (2, 1, "archived"), (3, 2, "archived"), (4, 3, "trashed")):
        connection.execute(
            "INSERT INTO resource (id, asset_id, source_id, remote_id, version, name, folder, stem, kind, role, state, "
            "size_bytes, taken_in_at_ms) VALUES (?1, ?2, 1, ?1, 1, 'a', '', '', 'picture', 'original', ?3, 1, 0)",
            (number, asset, state),
        )
        connection.execute(
            "INSERT INTO delivery (destination, resource_id, form, name, name_key, state, size_bytes) "
            "VALUES ('anna', ?1, 'original', ?1, ?1, 'freed', 1)",
            (number,),
        )
    put = "INSERT INTO copy VALUES (?, ?, 'p', 1, 'd', ?, 0, 'present', '', NULL, 0)"
    connection.executemany(put, [(1, place, "R"), (3, place, "R"), (4, place, "R"), (2, "google-photos/ben", "R")])

    (before,) = figures.roads(connection)
    connection.execute(put, (2, place, "R"))
    (after,) = figures.roads(connection)

    assert (before.safe, after.safe) == (1, 2)  # 2; then 1 as well, both of whose files came back
