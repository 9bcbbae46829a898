"""A catalogue from before there were deliveries: brought up, kept, and chosen from."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from core.catalogue_of import NOW_MS
from core.delivering.wishing import PIXEL, Shelf, WishingDestination, still

from mediabox.store import schema
from mediabox.store.database import Database

DELIVERIES = 5  # the migration that brought them


def older(path: Path) -> None:
    """Three photos taken in by an older mediabox, one of a burst."""
    scripts = schema.migrations()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("\n".join(scripts[: DELIVERIES - 1]))
        connection.execute(f"PRAGMA user_version = {DELIVERIES - 1}")
        connection.execute("INSERT INTO source (id, name) VALUES (1, 'cloud')")
        for number in range(3):
            connection.execute("INSERT INTO asset (id) VALUES (?)", (number,))
            connection.execute(
                "INSERT INTO resource (id, asset_id, source_id, remote_id, version, name, folder, stem, kind, role,"
                " state, taken_in_at_ms, size_bytes, digest, path, path_key, archived_at_ms)"
                " VALUES (?1, ?1, 1, ?1, '1', 'IMG_' || ?1 || '.JPG', '', '', 'picture', 'original',"
                " 'archived', ?2, 100, ?1, ?1, ?1, ?2)",
                (number, NOW_MS),
            )
            document = '{"kind":"picture","media_type":"image/jpeg"' + (',"burst_id":"b"}' if number else "}")
            connection.execute("INSERT INTO facts (resource_id, document) VALUES (?, ?)", (number, document))
            connection.execute(
                "INSERT INTO journal (seq, at_ms, event, resource_id, asset_id, fields, hash)"
                " VALUES (?1 + 1, ?2, 'archived', ?1, ?1, '{}', x'00')",
                (number, NOW_MS),
            )


async def test_everything_archived_before_is_chosen_from(tmp_path: Path) -> None:
    older(tmp_path / "mediabox.db")

    async with Database(tmp_path / "mediabox.db") as database:
        shelf = Shelf(database)
        await shelf.plan(destination := WishingDestination())

        assert [one.name for one in await shelf.all()] == ["IMG_0.JPG", "IMG_1.JPG", "IMG_2.JPG"]
        assert [len(asset.burst) for asset in destination.asked] == [0, 2, 2]
        assert await shelf.box.rows("PRAGMA foreign_key_check") == []
        assert await shelf.box.rows("PRAGMA integrity_check") == [("ok",)]
    assert [name for name in os.listdir(tmp_path) if ".before-" in name] == [
        f"mediabox.db.before-{len(schema.migrations())}"
    ]


async def test_what_is_joined_and_goes_to_the_trash_leaves_no_loose_ends(shelf: Shelf) -> None:
    for name in "abc":
        await shelf.put(name, still(name))
    await shelf.plan_all()
    await shelf.accept("a.JPG", "b.JPG")
    kept = await shelf.box.file("a/original")

    for name in "bc":
        await shelf.join(f"{name}/original", "a/original", kept.role)
    await shelf.note("trashed", "a/original")
    await shelf.plan(WishingDestination(rules="other"))

    assert await shelf.box.rows("PRAGMA foreign_key_check") == []
    assert {one.asset_id for one in await shelf.all(PIXEL)} == {kept.asset_id}
    assert {one.name for one in await shelf.all()} == {"a.JPG", "b.JPG", "c.JPG"}
