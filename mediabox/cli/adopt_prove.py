"""`mediabox adopt --prove`: hold what an older backup gave against Apple's checksum, in the archive, as a whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits
from mediabox.cli.execute import console
from mediabox.cli.output import write_found
from mediabox.cli.words import count_words
from mediabox.clock import Clock
from mediabox.core.home import catalogue
from mediabox.sources.icloud.checksum import checksum_of
from mediabox.store import adoptable, assets, journal
from mediabox.store.transaction import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mediabox.config.load import Config
    from mediabox.model.asset import Resource
    from mediabox.sources.icloud.checksum import FileChecksum

CHUNK_BYTES = 1 << 20


class Proved(msgspec.Struct, kw_only=True):
    """What came of it. Names of files, but for `proved`, which is how many."""

    proved: int = 0
    differing: list[str] = msgspec.field(default_factory=list)  # whole in the archive, and not what iCloud has
    unprovable: list[str] = msgspec.field(default_factory=list)  # no checksum of a kind we can compute
    unreadable: list[str] = msgspec.field(default_factory=list)  # or not as it was archived: `mediabox verify`


def prove(config: Config, sources: Sequence[str], *, as_json: bool) -> int:
    """Read each file once. What agrees counts from then on as if it had been fetched."""
    found, root = Proved(), config.path(config.archive.path)
    with catalogue(config.home, write=True) as connection:
        for resource in [one for source in sources for one in adoptable.unproved(connection, source)]:
            _prove(connection, root, resource, found)
    write_found(found, _words(found), as_json=as_json)
    return exits.PROBLEM if found.differing or found.unreadable else exits.OK


def _prove(connection: sqlite3.Connection, root: Path, resource: Resource, found: Proved) -> None:
    kept = assets.resource(connection, resource.duplicate_of) if resource.duplicate_of is not None else resource
    checksum = checksum_of(resource.version)
    if checksum is None or kept is None or kept.path is None:
        found.unprovable.append(resource.name)
    elif not _is_whole(root / kept.path, kept.digest, checksum):
        found.unreadable.append(resource.name)
    elif not checksum.agrees:
        found.differing.append(resource.name)
    else:
        found.proved += 1
        with transaction(connection), journal.acting(connection, str(console())):
            for one in {resource.id: resource, kept.id: kept}.values():
                _note(connection, one)


def _note(connection: sqlite3.Connection, one: Resource) -> None:
    at_ms, event = Clock().wall_ms(), "checksum_agreed"
    journal.append(connection, event, at_ms=at_ms, resource_id=one.id, asset_id=one.asset_id, sha256=one.digest)


def _is_whole(path: Path, digest: str | None, checksum: FileChecksum) -> bool:
    """Whether the file is as it was archived; the checksum sees it pass."""
    hashed = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                hashed.update(chunk)
                checksum.feed(chunk)
    except OSError:
        return False
    return hashed.hexdigest() == digest


def _words(found: Proved) -> Iterator[str]:
    yield f"{count_words(found.proved, 'file')} proved to be what iCloud has, byte for byte."
    for names, what in (
        (found.differing, "with other bytes than iCloud has (`mediabox where NAME` shows where it is from)"),
        (found.unreadable, "not to be read as archived (`mediabox verify`)"),
        (found.unprovable, "not to be proved: Apple gives no checksum that can be computed"),
    ):
        if names:
            more = "" if len(names) <= 5 else " ..."
            yield f"! {count_words(len(names), 'file')} {what}: {', '.join(names[:5])}{more}"
