"""A home of an older version, brought up: what it knows of its files is what today's version would have written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mediabox.store import assets, listings, schema
from mediabox.store.database import Database
from mediabox.store.gate import SIGNED_FILE
from mediabox.store.keyed import Keyed, is_ours, make_key, signed
from mediabox.store.library import StoredLibrary

BEFORE_TAKEOUTS = 11  # the schema whose folders and stems did not know of split Takeouts
PARTS = ("Takeout", "Takeout 2", "takeout-20240101T000000Z-001/Takeout", "takeout-20240101T000000Z-002/Takeout")
# name, the stem of then, the stem of now: "modificata" and "편집됨" became words for "edited" (Google's, in Italian
# and Korean).
NAMES = (
    ("IMG_1.jpg", "img_1", "img_1"),
    ("IMG_1.jpg.json", "img_1", "img_1"),
    ("IMG_2-modificata.jpg", "img_2-modificata", "img_2"),
    ("IMG_2.jpg", "img_2", "img_2"),
    ("IMG_3-편집됨.jpg", "img_3-편집됨", "img_3"),
    ("IMG_4-edited.jpg", "img_4", "img_4"),
)


def home_of_schema(path: Path, number: int) -> None:
    """As that version left it, with every name in every part, each row signed."""
    make_key(path.parent)
    with closing(sqlite3.connect(path, isolation_level=None, factory=Keyed)) as older:
        older.unlock(path)
        schema.add_functions(older)
        older.executescript("\n".join(schema.migrations()[:number]) + f"PRAGMA user_version = {number};")
        source = listings.source_id(older, "pictures")
        for folder in (f"t/{part}/Google Photos/Rome" for part in PARTS):
            for name, stem, _ in NAMES:
                older.execute(
                    "INSERT INTO resource (asset_id, source_id, remote_id, version, name, folder, stem, kind, role,"
                    " state, taken_in_at_ms, digest) VALUES (?,?,?,'1',?,?,?,?,'original','archived',1,?)",
                    (
                        assets.add_asset(older),
                        source,
                        f"{folder}/{name}",
                        name,
                        folder,
                        stem,
                        "sidecar" if name.endswith(".json") else "picture",
                        f"{folder}/{name}",
                    ),
                )
        older.execute(f"UPDATE resource SET mac = {signed('resource', SIGNED_FILE)}")


@pytest.fixture
async def brought_up(tmp_path: Path) -> Database:
    home_of_schema(tmp_path / "mediabox.db", BEFORE_TAKEOUTS)
    async with Database(tmp_path / "mediabox.db") as database:
        yield database


async def test_the_parts_of_a_takeout_taken_in_before_are_one_folder(brought_up: Database) -> None:
    def grouped(connection: sqlite3.Connection) -> set[frozenset[str]]:
        rows = connection.execute("SELECT folder, remote_id FROM resource").fetchall()
        return {frozenset(name.rpartition("/")[0] for own, name in rows if own == each) for each, _ in rows}

    parts = [f"t/{part}/Google Photos/Rome" for part in PARTS]
    assert await brought_up.read(grouped) == {frozenset(parts[:2]), frozenset(parts[2:])}


async def test_stems_of_files_taken_in_before_are_todays(brought_up: Database) -> None:
    def stems(connection: sqlite3.Connection) -> set[tuple[str, str]]:
        return set(connection.execute("SELECT name, stem FROM resource"))

    assert await brought_up.read(stems) == {(name, now) for name, _, now in NAMES}


async def test_a_picture_of_before_finds_the_json_in_the_other_part(brought_up: Database) -> None:
    def beside(connection: sqlite3.Connection) -> set[str]:
        picture = assets.resource(connection, 1)
        assert picture is not None
        return {one.resource.remote_id for one in StoredLibrary(connection, None).beside(picture)}

    assert await brought_up.write(beside) == {
        f"t/{part}/Google Photos/Rome/{name}" for part in PARTS[:2] for name in ("IMG_1.jpg", "IMG_1.jpg.json")
    }


async def test_what_was_signed_before_stays_signed_and_a_copy_of_before_is_kept(brought_up: Database) -> None:
    def foreign(connection: sqlite3.Connection) -> int:
        row = connection.execute(f"SELECT sum(NOT {is_ours('resource', SIGNED_FILE)}) FROM resource").fetchone()
        return int(row[0])

    assert await brought_up.read(foreign) == 0
    kept = brought_up.path.with_name(f"mediabox.db.before-{len(schema.migrations())}")
    with closing(sqlite3.connect(kept)) as before:
        assert schema.version(before) == BEFORE_TAKEOUTS
        assert before.execute("SELECT count(DISTINCT folder) FROM resource").fetchone() == (len(PARTS),)
