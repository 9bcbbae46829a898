"""One photo's whole history: what it is, where it is, how it came there, and what is still to be done."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import Member
from mediabox.core.company import capture_time
from mediabox.core.delivering.returned import delivered_digits
from mediabox.core.informed import informed
from mediabox.model.asset import Resource
from mediabox.model.delivery import Delivery
from mediabox.model.facts import CaptureTime, Facts
from mediabox.model.job import Job
from mediabox.model.ledger import Copy
from mediabox.store import assets, copies, deliveries, examined, jobs, journal, lookup, told
from mediabox.store.told import Told

if TYPE_CHECKING:
    import sqlite3


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known of one resource. Field names are keys of `mediabox where --json`."""

    resource: Resource
    companions: tuple[Resource, ...]
    facts: Facts | None  # of the bytes alone
    capture_time: CaptureTime | None  # of its asset, by all of its files
    copies: tuple[Copy, ...]
    sidecar: str | None
    similar: tuple[str, ...]
    told: tuple[Told, ...]  # the sources' own assets that are this one; the one whose word counts first
    albums: tuple[tuple[str, ...], ...]
    deliveries: tuple[Delivery, ...]  # of any of the asset's files
    jobs: tuple[Job, ...]
    story: tuple[journal.Entry, ...]  # its own, and what befell its asset as a whole, oldest first

    @property
    def known_facts(self) -> Facts | None:
        """With what its source says where the bytes say nothing."""
        return informed(self.facts, self.told[0].said if self.told else None) if self.facts else None


def find_histories(connection: sqlite3.Connection, words: str) -> list[History]:
    """Of every resource a person may mean by these words: at most 50, newest first."""
    return [history(connection, resource) for resource in find_resources(connection, words)]


def find_resources(connection: sqlite3.Connection, words: str) -> list[Resource]:
    """By any name it has or had anywhere, an id or a digest; by a file's bytes, when the words are its path.

    A path from elsewhere (a phone's folder, a share, a card that is not here) counts by its last part.
    """
    name = _as_kept(words)
    found = lookup.find(connection, name) or lookup.find_loosely(connection, name)
    if found or "/" not in words:
        return found or _find_delivered(connection, name)
    try:
        with open(words, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        last = name.rstrip("/").rpartition("/")[2]
        return lookup.find_loosely(connection, last) or _find_delivered(connection, last)
    return lookup.find(connection, digest)


def _find_delivered(connection: sqlite3.Connection, name: str) -> list[Resource]:
    """As Google Photos renames what it was given (`-edited`, `(1)`, cut): the digits in the name stay."""
    return [one for digits in delivered_digits(name) for one in assets.archived_with(connection, digits)]


def _as_kept(words: str) -> str:
    """A name that is not UTF-8 is kept with its bytes as %NN (`sources.folder.names`)."""
    return "".join(f"%{ord(one) - 0xDC00:02X}" if "\udc80" <= one <= "\udcff" else one for one in words)


def history(connection: sqlite3.Connection, resource: Resource) -> History:
    """Of one resource. What is kept as another's is that one's copy."""
    asset_id, kept_id = resource.asset_id, resource.duplicate_of or resource.id
    members = assets.members(connection, asset_id)
    known = [Member(resource=member, facts=examined.facts(connection, member.id)) for member in members]
    sidecar = copies.sidecar_of(connection, asset_id)
    entries = [*journal.of_resource(connection, resource.id), *journal.of_asset(connection, asset_id)]
    return History(
        resource=resource,
        companions=tuple(member for member in members if member.id != resource.id),
        facts=examined.facts(connection, resource.id),
        capture_time=capture_time(known, told.said_of(connection, asset_id)),
        copies=tuple(copies.of_resource(connection, kept_id)),
        sidecar=sidecar.path if sidecar else None,
        similar=tuple(examined.similar_names(connection, kept_id)),
        jobs=tuple(jobs.of_resource(connection, resource.id)),
        deliveries=tuple(deliveries.of_asset(connection, asset_id)),
        told=tuple(told.of_asset(connection, asset_id)),
        albums=told.albums_of(connection, asset_id),
        story=tuple(sorted(entries, key=lambda entry: entry.seq)),
    )
