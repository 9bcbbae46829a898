"""Ways to change a catalogue behind its box's back, as whoever can write its file could: no key, all hashes redone."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from core.release_world import DAY_MS, World

from mediabox.store import copies
from mediabox.store.journal import GENESIS, chain


def attack(world: World, *statements: str) -> None:
    with closing(sqlite3.connect(world.path, timeout=10)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
        redo_row_hashes(connection)


def redo_row_hashes(connection: sqlite3.Connection) -> None:
    """`copy.row_hash` has no key: the first 32 digits of SHA-256 over the tuple of the row's values."""
    columns = "resource_id, volume, path, size_bytes, digest, evidence, proved_at_ms, state"
    for row in connection.execute(f"SELECT {columns} FROM copy").fetchall():
        row_hash = hashlib.sha256(repr(tuple(row)).encode()).hexdigest()[:32]
        connection.execute("UPDATE copy SET row_hash = ? WHERE resource_id = ? AND volume = ?", (row_hash, *row[:2]))


def redo_chain(connection: sqlite3.Connection) -> None:
    previous = GENESIS
    rows = connection.execute("SELECT seq, at_ms, event, resource_id, asset_id, fields FROM journal ORDER BY seq")
    for row in rows.fetchall():
        previous = chain(previous, row)
        connection.execute("UPDATE journal SET hash = ? WHERE seq = ?", (previous, row[0]))


def archive_earlier(world: World) -> None:
    attack(world, f"UPDATE resource SET archived_at_ms = archived_at_ms - {40 * DAY_MS}")


def zero_a_file(world: World) -> None:
    """And write its new SHA-256 wherever the catalogue has the old one."""
    with world.catalogue() as connection:
        path, size = connection.execute("SELECT path, size_bytes FROM copy WHERE resource_id = 1").fetchone()
    for volume in world.volumes.values():
        (volume.root / path).write_bytes(bytes(size))
    digest = hashlib.sha256(bytes(size)).hexdigest()
    attack(
        world,
        f"UPDATE resource SET digest = '{digest}' WHERE id = 1",
        f"UPDATE copy SET digest = '{digest}' WHERE resource_id = 1",
    )


def prove_later(world: World) -> None:
    attack(world, "UPDATE copy SET proved_at_ms = proved_at_ms + 1")


def cut_the_journal(world: World) -> None:
    attack(world, "DELETE FROM journal WHERE seq > (SELECT max(seq) - 3 FROM journal)")


def cut_one_row(world: World) -> None:
    attack(world, "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)")


def rewrite_the_journal(world: World) -> None:
    """One row in place, and every hash after it."""
    with closing(sqlite3.connect(world.path)) as connection, connection:
        connection.execute(f"UPDATE journal SET at_ms = at_ms - {40 * DAY_MS} WHERE event = 'archived'")
        redo_chain(connection)


def rewrite_where_it_came_from(world: World) -> None:
    """The journal says of file 1 what the catalogue says, in its first row about it."""
    with closing(sqlite3.connect(world.path)) as connection, connection:
        (digest,) = connection.execute("SELECT digest FROM resource WHERE id = 1").fetchone()
        connection.execute(
            "UPDATE journal SET fields = json_set(fields, '$.sha256', ?) WHERE resource_id = 1 AND event = 'fetched'",
            (digest,),
        )
        redo_chain(connection)


def rewrite_the_newest_row(world: World) -> None:
    with closing(sqlite3.connect(world.path)) as connection, connection:
        connection.execute("UPDATE journal SET at_ms = at_ms + 1 WHERE seq = (SELECT max(seq) FROM journal)")
        redo_chain(connection)


def append_a_row(world: World) -> None:
    """Time that never passed."""
    with closing(sqlite3.connect(world.path)) as connection, connection:
        seq, at_ms, fields = connection.execute(
            "SELECT (SELECT max(seq) FROM journal), at_ms, fields FROM journal WHERE event = 'clock' ORDER BY seq DESC"
        ).fetchone()
        later = json.dumps(json.loads(fields) | {"counted_ms": 10**12})
        connection.execute(
            "INSERT INTO journal (seq, at_ms, event, fields, hash) VALUES (?, ?, 'clock', ?, '')",
            (seq + 1, at_ms, later),
        )
        redo_chain(connection)


def take_signatures_away(world: World) -> None:
    """As if an older version had written it all."""
    attack(world, *(f"UPDATE {table} SET mac = NULL" for table in ("journal", "resource", "copy", "remote_asset")))


def lose_the_key(world: World) -> None:
    (world.root / "keys" / "catalogue").unlink()


def open_the_key(world: World) -> None:
    (world.root / "keys" / "catalogue").chmod(0o644)


def lose_the_head(world: World) -> None:
    (world.root / "journal-head").unlink()


def bring_an_older_catalogue_back(world: World) -> None:
    with closing(sqlite3.connect(world.path)) as now, closing(sqlite3.connect(world.root / "older.db")) as older:
        older.backup(now)


def keep_for_later(world: World) -> Path:
    path = world.root / "older.db"
    with closing(sqlite3.connect(world.path)) as now, closing(sqlite3.connect(path)) as older:
        now.backup(older)
    return path


def add_a_trigger_that_signs(world: World) -> None:
    """The box's own connection would sign whatever it says, at its next write."""
    attack(
        world,
        "CREATE TRIGGER later AFTER INSERT ON journal BEGIN "
        f"UPDATE copy SET proved_at_ms = proved_at_ms + 1, mac = keyed('copy', {', '.join(copies.SIGNED)}); END",
    )


def hide_what_is_read_again(world: World) -> None:
    """What a reading found is thrown away as it is written: rows of the journal, and copies that are not whole."""
    attack(
        world,
        "CREATE TRIGGER mute BEFORE INSERT ON journal WHEN NEW.event GLOB 'copy_*' BEGIN SELECT RAISE(IGNORE); END",
        "CREATE TRIGGER deaf BEFORE INSERT ON copy WHEN NEW.state <> 'present' BEGIN SELECT RAISE(IGNORE); END",
    )


def make_a_column_that_signs_itself(world: World) -> None:
    with closing(sqlite3.connect(world.path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'copy'").fetchone()
        signing = f"mac BLOB GENERATED ALWAYS AS (keyed('copy', {', '.join(copies.SIGNED)}))"
        columns = [row[1] for row in connection.execute("PRAGMA table_info(copy)") if row[1] != "mac"]
        connection.create_function("keyed", -1, lambda *_: None, deterministic=True)
        connection.execute("ALTER TABLE copy RENAME TO old")
        connection.execute(sql.replace("mac BLOB", signing, 1))
        names = ", ".join(columns)
        connection.execute(f"INSERT INTO copy ({names}) SELECT {names} FROM old")
        connection.execute("DROP TABLE old")
        connection.commit()


def hide_rows_from_an_index(world: World) -> None:
    """What is found by index is less than what is there: the newest orders, a damage."""
    with closing(sqlite3.connect(world.path)) as connection:
        (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'journal_resource'").fetchone()
        connection.execute("DROP INDEX journal_resource")
        connection.execute("CREATE INDEX journal_resource ON journal (resource_id + 9) WHERE resource_id IS NOT NULL")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'journal_resource'", (sql,))
        connection.commit()


def delete_a_file(world: World) -> None:
    """Of an asset: what is left of it looks whole. Here all of it."""
    attack(world, "DELETE FROM copy WHERE resource_id = 2", "DELETE FROM resource WHERE id = 2")


def part_a_file_from_its_asset(world: World) -> None:
    attack(world, "UPDATE resource SET remote_asset_id = NULL WHERE id = 2")


ATTACKS = (
    archive_earlier,
    zero_a_file,
    prove_later,
    cut_the_journal,
    cut_one_row,
    rewrite_the_journal,
    rewrite_the_newest_row,
    append_a_row,
    take_signatures_away,
    lose_the_key,
    open_the_key,
    lose_the_head,
    bring_an_older_catalogue_back,
    add_a_trigger_that_signs,
    hide_what_is_read_again,
    make_a_column_that_signs_itself,
    hide_rows_from_an_index,
    delete_a_file,
    part_a_file_from_its_asset,
)
