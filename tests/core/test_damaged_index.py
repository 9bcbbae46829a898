"""A damaged asset index costs no commit: it is made anew from the rest, and a person hears of it."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from core.catalogue_of import NOW_MS, Catalogued, ScriptedSource, original, photo

from mediabox.core import indexing
from mediabox.core.queries.find import find_assets
from mediabox.model.query import EVERYTHING
from mediabox.store import asset_index, asset_pages, issues, journal, schema
from mediabox.store.asset_index import IndexDamaged
from mediabox.store.database import Database, open_beside
from mediabox.store.figures import soundness, status
from mediabox.store.transaction import transaction

TABLES = ("asset_index", "holders", "holder", "index_cursor", "asset_words")
BEFORE = 40  # photos


def drop(home: Path, table: str) -> None:
    with closing(sqlite3.connect(home / "mediabox.db")) as connection:
        connection.execute(f"DROP TABLE {table}")
        connection.commit()


def delete_rows(home: Path, table: str) -> None:
    with closing(sqlite3.connect(home / "mediabox.db")) as connection:
        connection.execute(f"DELETE FROM {table}")
        connection.commit()


def rename_column(home: Path, column: str) -> None:
    with closing(sqlite3.connect(home / "mediabox.db")) as connection:
        connection.execute(f"ALTER TABLE asset_index RENAME COLUMN {column} TO other")
        connection.commit()


def overwrite(home: Path, table: str, *, which: slice) -> None:
    """With noise: the pages SQLite itself says are the table's."""
    path = home / "mediabox.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = [row[0] for row in connection.execute("SELECT pageno FROM dbstat WHERE name = ?", (table,))]
    noise = random.Random(8)
    with path.open("r+b") as file:
        for page in pages[which]:
            file.seek((page - 1) * schema.PAGE_BYTES)
            file.write(noise.randbytes(schema.PAGE_BYTES))


DAMAGES = {
    **{f"{table} is gone": (drop, {"table": table}) for table in TABLES},
    **{f"asset_words_{part} is gone": (drop, {"table": f"asset_words_{part}"}) for part in ("config", "data", "idx")},
    "the cursor's row is gone": (delete_rows, {"table": "index_cursor"}),
    "all postings are gone": (delete_rows, {"table": "asset_words_data"}),
    "a column has another name": (rename_column, {"column": "sort_ms"}),
    "noise in all pages of the rows": (overwrite, {"table": "asset_index", "which": slice(None)}),
    "noise in the last page of the rows": (overwrite, {"table": "asset_index", "which": slice(-1, None)}),
    "noise in the order": (overwrite, {"table": "asset_index_newest", "which": slice(None)}),
    "noise in the words": (overwrite, {"table": "asset_words_data", "which": slice(None)}),
    "noise in the first page of words": (overwrite, {"table": "asset_words_data", "which": slice(1)}),
    "noise in the documents": (overwrite, {"table": "asset_words_content", "which": slice(None)}),
    "noise in the cursor": (overwrite, {"table": "index_cursor", "which": slice(None)}),
}


def opened(home: Path) -> Database:
    return Database(home / "mediabox.db", follow=indexing.follow)


async def take_in(database: Database, *remote_ids: str) -> None:
    """Each archived with the journal's word for it, all in one transaction."""
    box, cloud = Catalogued(database), ScriptedSource(f"of {remote_ids[0]}")
    cloud.say(*(photo(one, original(one, version=one)) for one in remote_ids))
    await box.intake.list_once(cloud)
    await box.archive(*(f"{one}/original" for one in remote_ids))
    files = [await box.file(f"{one}/original") for one in remote_ids]

    def note(connection: sqlite3.Connection) -> None:
        for one in files:
            journal.append(connection, "archived", at_ms=NOW_MS, resource_id=one.id, asset_id=one.asset_id)

    await database.write(note)


async def found(database: Database, query: str = "") -> int:
    page = await database.read(lambda connection: find_assets(connection, query, today="2026-12-01"))
    return page.total


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    async with opened(tmp_path) as database:
        await take_in(database, *(f"P/{number}" for number in range(BEFORE)))
        assert await found(database, "IMG_0001") == BEFORE
    return tmp_path


@pytest.mark.parametrize("damage", DAMAGES)
async def test_the_commit_of_a_photo_stands_and_the_index_is_made_anew(home: Path, damage: str) -> None:
    spoil, how = DAMAGES[damage]
    spoil(home, **how)

    async with opened(home) as database:
        await take_in(database, "P/new")
        await found(database, "IMG_0001")  # what no commit met, a reader does
        await database.compact()
        await indexing.finish(database)
        counts = [await found(database, query) for query in ("", "IMG_0001", "-IMG_0001")]
        told = [one.key for one in await database.read(issues.open_issues)]
        sound = await database.read(lambda connection: soundness(connection, with_indexes=True))
        changed = await database.read(schema.changed_part)

    assert counts == [BEFORE + 1, BEFORE + 1, 0]
    assert (sound, changed) == ("ok", None)
    assert told == ["service.index_damaged"] or damage == "the cursor's row is gone"


@pytest.mark.parametrize("damage", ["asset_index is gone", "noise in the words", "index_cursor is gone"])
async def test_status_is_told_whatever_the_index_is(home: Path, damage: str) -> None:
    spoil, how = DAMAGES[damage]
    spoil(home, **how)

    async with opened(home) as database:
        told = await database.read(lambda connection: status(connection, now_ms=NOW_MS))

    assert told.assets == BEFORE


async def test_until_its_pages_are_left_out_the_catalogue_does_not_pass_for_sound(home: Path) -> None:
    overwrite(home, "asset_words_data", which=slice(None))
    async with opened(home) as database:
        await take_in(database, "P/new")

        before = await database.read(soundness)
        compacted = [await database.compact() for _ in range(2)]

        assert "never used" in before
        assert (compacted, await database.read(soundness)) == ([True, False], "ok")


async def test_a_command_that_meets_the_damage_changes_nothing_and_may_be_repeated(home: Path) -> None:
    overwrite(home, "asset_words_data", which=slice(None))
    with closing(open_beside(home / "mediabox.db", write=True, follow=indexing.follow)) as connection:
        one = asset_pages.page(connection, EVERYTHING, seen_by=None, limit=1)[0]

        def told() -> None:
            with transaction(connection):
                journal.append(connection, "told", at_ms=NOW_MS, asset_id=one.asset_id)

        seq = journal.last(connection)[0]
        with pytest.raises(IndexDamaged):
            told()
        assert journal.last(connection)[0] == seq
        told()
        assert journal.last(connection)[0] == seq + 1


async def test_damage_outside_the_index_is_not_taken_for_the_index(home: Path) -> None:
    overwrite(home, "resource_asset", which=slice(None))

    async with opened(home) as database:
        with pytest.raises(Exception, match="damaged; move it away"):
            await take_in(database, "P/new")
        assert await database.read(asset_index.indexed_percent) == 100
        assert not await database.read(asset_index.has_lost_pages)


async def test_what_changes_while_the_index_is_far_behind_is_indexed_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(home) as database:
        await database.write(lambda connection: asset_index.set_indexed_until(connection, 0))
        monkeypatch.setattr(indexing, "BATCH", 5)

        await take_in(database, "P/new")

        assert await found(database) == BEFORE + 1
        assert await database.read(asset_index.indexed_until) == 0
