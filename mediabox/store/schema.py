"""How the catalogue lies in its file: pages, log, caches; numbered migrations, and whether it is as they make it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from mediabox.errors import Fatal
from mediabox.model.naming import home_folder, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Page caches: the writer's holds the hot indexes of 100,000 assets, the reader's only what one question needs. What is
# not in them the kernel's page cache has, at a few microseconds a page.
WRITER_CACHE_KIB = 3 * 1024
READER_CACHE_KIB = 1024
# A commit writes each page it touched whole, about fifty for a file that comes alone; a catalogue keeps the size it was
# made with (decision 0017).
PAGE_BYTES = 1024
# A page that changes with every file is written back once for so much of the log, not once for each commit.
LOG_BYTES = 8 << 20
BUSY_TIMEOUT_MS = 10_000  # `mediabox status` may hold a read lock for a moment
_PARTS = "SELECT name, type, sql, tbl_name FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_stat*'"


def prepare(connection: sqlite3.Connection, *, query_only: bool) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    if not query_only:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a file that is not there yet
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_BYTES // page_bytes}")
    connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB if query_only else WRITER_CACHE_KIB}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA query_only = {'ON' if query_only else 'OFF'}")


def version(connection: sqlite3.Connection) -> int:
    """How many migrations the catalogue has had."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, report: Callable[[int], None] = lambda _: None) -> None:
    """Bring the schema up to this program's version; refuse a newer one. `report`: how far it is, in percent."""
    have = version(connection)
    scripts = migrations()
    if have > len(scripts):
        raise Fatal(too_new(have, len(scripts)))
    if have == len(scripts):
        return
    if have:
        report(0)
        connection.execute("VACUUM INTO ?", (str(_free_name(connection, len(scripts))),))
    add_functions(connection)
    missing = scripts[have:]
    connection.create_function("migrated", 1, lambda done: report(100 * done // len(missing)))
    # All of them or none: nobody meets a schema halfway.
    steps = "\n".join(f"{script}\nSELECT migrated({done});" for done, script in enumerate(missing, start=1))
    connection.executescript(f"BEGIN IMMEDIATE;\n{steps}\nPRAGMA user_version = {len(scripts)};\nCOMMIT;")


def too_new(have: int, known: int) -> str:
    return (
        f"the database is of schema {have}, this mediabox knows up to {known}: "
        "install the newer version again, or restore the backup made before the upgrade"
    )


def _free_name(connection: sqlite3.Connection, number: int) -> Path:
    """Where the database from before an upgrade goes: one that was cut short has left a file, perhaps half of one."""
    path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
    names = (f"{path.name}.before-{number}{suffix}" for suffix in ("", *(f"-{again}" for again in range(2, 1000))))
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())


def migrations() -> list[str]:
    """The scripts, oldest first; how many were run is the database's `user_version`."""
    folder = resources.files("mediabox.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]


def add_functions(connection: sqlite3.Connection) -> None:
    """What the scripts call that is not SQLite's own."""
    for function in (stem, home_folder):
        connection.create_function(function.__name__, 1, function, deterministic=True)


def make_anew(connection: sqlite3.Connection, tables: Sequence[str]) -> None:
    """These tables with their indexes, empty, as the migrations make them. In a transaction of its own.

    Their pages, which may be damaged, are not read: they belong to nothing until `VACUUM` leaves them out.
    """
    connection.execute("PRAGMA writable_schema = ON")
    own = " OR ".join(f"tbl_name = '{table}' OR tbl_name GLOB '{table}_*'" for table in tables)  # FTS5's own tables
    connection.execute(f"DELETE FROM sqlite_schema WHERE {own}")
    number = connection.execute("PRAGMA schema_version").fetchone()[0]
    connection.execute(f"PRAGMA schema_version = {number + 1}")  # or other connections go on with what they know
    connection.execute("PRAGMA writable_schema = RESET")
    for table in tables:
        for kind in ("table", "index"):
            made = sorted(part for part in _parts() if part[1] == kind and part[3] == table)
            for _, _, sql, _ in made:
                connection.execute(sql)


def changed_part(connection: sqlite3.Connection) -> str | None:
    """A table, index, trigger or view that is not as the migrations make it; None when all are.

    A trigger could undo what is written, a view answer for a table, an index hide rows.
    """
    odd = _parts() ^ set(connection.execute(_PARTS))
    return min((f"{kind} {name}" for name, kind, *_ in odd), default=None)


@cache
def _parts() -> frozenset[tuple[str, str, str, str]]:
    """As the migrations make them; they do not change while this runs."""
    with closing(sqlite3.connect(":memory:")) as anew:
        add_functions(anew)
        anew.executescript("\n".join(migrations()))
        return frozenset(anew.execute(_PARTS))
