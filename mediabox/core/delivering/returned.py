"""What Google Photos gave back, held against the archive: the owner's own download, hashed by us (decision 0011).

Three ways of being one of ours are told apart. Only the original's own bytes are a copy of
it: evidence R on a place of its own, which ages like every proof. The others are written
into the story of the photo, and count nowhere.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from mediabox.core.delivering import record
from mediabox.model.asset import ResourceState
from mediabox.model.delivery import DeliveryState
from mediabox.model.google_photos import place_of
from mediabox.model.ledger import Copy, Evidence
from mediabox.store import assets, copies, deliveries, journal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from mediabox.model.asset import Resource

_DIGITS = re.compile(r"_([0-9a-f]{8})(?![0-9a-f])")  # of the original's SHA-256, in every name we deliver under


class Match(StrEnum):
    """How a file that came back is one of ours."""

    BYTES = "bytes"  # the original, byte for byte
    DELIVERED = "delivered"  # what was made of it and delivered, byte for byte: a date added, a Motion Photo
    PICTURE = "picture"  # the original's picture data, with other metadata

    @property
    def words(self) -> str:
        return {
            Match.BYTES: "the original, byte for byte",
            Match.DELIVERED: "what was delivered, byte for byte, which is not the original's own bytes",
            Match.PICTURE: "the same picture data with other metadata",
        }[self]


class ReturnedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One that came back. `path`: in the folder, or `ARCHIVE.zip/MEMBER`. `here_since_ms`: its bytes on this disk."""

    path: str
    digest: str
    size_bytes: int
    here_since_ms: int


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came back and is one of ours."""

    file: ReturnedFile
    resource_id: int
    match: Match


def by_bytes(connection: sqlite3.Connection, destination: str, file: ReturnedFile) -> Returned | None:
    """By its digest alone; what it is called does not matter."""
    kept = assets.keeper(connection, file.digest)
    original = assets.resource(connection, kept) if kept is not None else None
    if original is not None and original.state is ResourceState.ARCHIVED:
        return Returned(file=file, resource_id=original.id, match=Match.BYTES)
    made = deliveries.with_digest(connection, destination, file.digest)
    return Returned(file=file, resource_id=made[0].resource_id, match=Match.DELIVERED) if made else None


def delivered_digits(name: str) -> list[str]:
    """The digits of an original's SHA-256 in a name it was delivered under, which Google keeps."""
    return _DIGITS.findall(name)


def candidates(connection: sqlite3.Connection, destination: str, file: ReturnedFile) -> Sequence[Resource]:
    """Whose picture it may be: by the digits in the name it was delivered under, which Google keeps."""
    name = file.path.rpartition("/")[2]
    found = {
        one.id: one
        for digits in delivered_digits(name)
        for one in assets.archived_with(connection, digits)
        if deliveries.of_asset(connection, one.asset_id, destination=destination)
    }
    return list(found.values())


def keep(connection: sqlite3.Connection, destination: str, found: Returned, *, now_ms: int) -> None:
    """Write it down. What was unverified is found: it needs no person any more.

    An old download read again proves no more than it did: the copy is as old as its bytes on this disk.
    """
    resource = assets.resource(connection, found.resource_id)
    if resource is None:
        return
    file, place = found.file, place_of(destination)
    if found.match is Match.BYTES:
        known = [one.proved_at_ms for one in copies.of_resource(connection, resource.id) if one.volume == place]
        copies.put(
            connection,
            Copy(
                resource_id=resource.id,
                volume=place,
                path=file.path,
                size_bytes=file.size_bytes,
                digest=file.digest,
                evidence=Evidence.REREAD,
                proved_at_ms=max([min(now_ms, file.here_since_ms), *known]),
            ),
        )
    journal.append(
        connection,
        "returned",
        at_ms=now_ms,
        resource_id=resource.id,
        volume=place,
        path=file.path,
        match=found.match,
        sha256=file.digest,
        note=found.match.words,
    )
    for one in deliveries.of_asset(connection, resource.asset_id, destination=destination):
        if one.resource_id == resource.id and one.state is DeliveryState.DOUBTED:
            record.believed(connection, one, now_ms=now_ms, note="found in what Google Photos gave back")


def not_returned(connection: sqlite3.Connection, destination: str, found: Sequence[Returned]) -> list[str]:
    """Names of what has left or is unverified, and was not among these."""
    known = {one.resource_id for one in found}
    gone = deliveries.in_state(connection, destination, DeliveryState.FREED, DeliveryState.DOUBTED)
    return [one.name for one in gone if one.resource_id not in known]
