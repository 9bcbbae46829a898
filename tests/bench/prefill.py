"""A catalogue of many thousand photos that never were, grown from the one real photo it has."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from mediabox.model.facts import Facts
from mediabox.store import copies
from mediabox.store.database import open_beside
from mediabox.store.transaction import transaction

if TYPE_CHECKING:
    from pathlib import Path

SIGNED = 1 << 64
ELSEWHERE = "00000000-0000-4000-8000-000000000000"  # a disk that is away: nobody looks for files that never were


def database(home: Path) -> Path:
    """The catalogue's file under a home folder."""
    for path in sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink()):
        with path.open("rb") as file:
            if file.read(15) == b"SQLite format 3":
                return path
    raise FileNotFoundError(f"no catalogue under {home}")


def prefill(home: Path, count: int) -> None:
    """Add rows until the catalogue has `count` archived photos, each with facts, a hash and a proven copy."""
    chance = random.Random(count)
    connection = open_beside(database(home), write=True)
    connection.row_factory = sqlite3.Row
    resource = dict(connection.execute("SELECT * FROM resource WHERE state = 'archived' LIMIT 1").fetchone())
    facts = dict(connection.execute("SELECT * FROM facts WHERE resource_id = ?", (resource["id"],)).fetchone())
    connection.row_factory = None
    (copy,) = copies.of_resource(connection, resource["id"])
    document = msgspec.json.decode(facts["document"], type=Facts)
    with transaction(connection):
        for number in range(resource["id"] + 1, count + 1):
            digest = hashlib.sha256(str(number).encode()).hexdigest()
            path = f"{2000 + number % 24}/{number % 97:02d}/PREFILLED_{number:07d}.JPG"
            folder, _, name = path.rpartition("/")
            hashes = tuple(chance.getrandbits(64) for _ in range(4))
            told = msgspec.structs.replace(document, perceptual_hashes=hashes)
            asset = connection.execute("INSERT INTO asset DEFAULT VALUES RETURNING id").fetchone()[0]
            row = resource | {
                "id": None,
                "asset_id": asset,
                "remote_id": path,
                "name": name,
                "folder": folder,
                "stem": name.removesuffix(".JPG").casefold(),
                "digest": digest,
                "path": path,
                "path_key": path.casefold(),
                "sidecar_path": None,
            }
            identifier = insert(connection, "resource", row)
            signed = hashes[0] - SIGNED if hashes[0] >> 63 else hashes[0]
            hashed = {"resource_id": identifier, "perceptual_hash": signed, "content_identifier": None}
            insert(connection, "facts", facts | hashed | {"document": msgspec.json.encode(told).decode()})
            changes = {"resource_id": identifier, "path": path, "digest": digest, "volume": ELSEWHERE}
            copies.put(connection, msgspec.structs.replace(copy, **changes))
    connection.close()


def insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> int:
    """One row, whatever columns the table has by now."""
    places = ",".join("?" * len(row))
    statement = f"INSERT INTO {table} ({','.join(row)}) VALUES ({places}) RETURNING rowid"
    return int(connection.execute(statement, tuple(row.values())).fetchone()[0])
