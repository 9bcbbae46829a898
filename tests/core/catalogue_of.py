"""A catalogue with a source that says what a test scripts, and its first steps done without bytes."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Sequence

import msgspec

from mediabox.assembly import STAGES
from mediabox.clock import Clock
from mediabox.config.sections import Work as Limits
from mediabox.contracts import Page, Sink
from mediabox.core.bus import Bus
from mediabox.core.commit import Committer
from mediabox.core.governor import Governor
from mediabox.core.intake import Intake
from mediabox.core.issues import IssueBook
from mediabox.core.parts import Parts
from mediabox.core.pipeline import Pipeline
from mediabox.errors import Permanent
from mediabox.model.asset import Kind, RemoteAsset, RemoteResource, Resource, ResourceState, Role
from mediabox.model.facts import Facts
from mediabox.model.issue import Issue
from mediabox.model.ledger import Copy, Evidence
from mediabox.model.said import Said
from mediabox.store import assets, copies, examined, journal
from mediabox.store.database import Database

NOW_MS = 1_760_000_000_000
DAY_MS = 86_400_000


class StoppedClock(Clock):
    """Says what it is told."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        super().__init__()
        self.now_ms = now_ms

    def wall_ms(self) -> int:
        return self.now_ms

    def running_ms(self) -> int:
        return self.now_ms


class ScriptedSource:
    """Obeys `contracts.Source` over pages a test lays out; listing goes on behind the page the cursor names."""

    removes_after_archiving = False
    mirrors_deletions = False
    unsettled = 0

    def __init__(self, name: str = "cloud") -> None:
        self.name = name
        self.script: list[Page] = []
        self.heads: dict[str, bytes] = {}  # what `peek` finds, by remote id

    def say(self, *assets_: RemoteAsset, **more: object) -> None:
        """One more page."""
        self.script.append(Page(assets=assets_, cursor=str(len(self.script) + 1), **more))

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        for page in self.script[int(cursor or 0) :]:
            yield page

    async def peek(self, resource: RemoteResource) -> bytes:
        try:
            return self.heads[resource.remote_id]
        except KeyError:
            raise Permanent(f"{resource.name} is gone") from None

    async def fetch(self, resource: Resource, sink: Sink) -> None:
        raise Permanent(f"{resource.name} is gone")

    async def remove(self, resource: Resource) -> None:
        raise Permanent("nothing is removed")

    async def wait(self, timeout_s: float) -> bool:
        await asyncio.sleep(0)
        return True

    def complaints(self) -> Sequence[Issue]:
        return ()

    async def close(self) -> None:
        """Nothing is held."""


class Catalogued:
    """An open catalogue with an intake that writes to it."""

    def __init__(self, database: Database, *, mirroring: frozenset[str] = frozenset()) -> None:
        self.database, self.mirroring, self.clock = database, mirroring, StoppedClock()
        self.bus = Bus()
        self.issues = IssueBook(database, self.bus, self.clock)
        self.parts = Parts(self.clock, self.issues)
        self.committer = Committer(
            stages=tuple(STAGES), rules=(), clock=self.clock, moving_sources=(), mirroring_sources=mirroring
        )
        self.intake = Intake(
            database=database,
            pipeline=self._pipeline(),
            parts=self.parts,
            issues=self.issues,
            bus=self.bus,
            clock=self.clock,
            governor=Governor(Limits(), {}),
            mirroring=mirroring,
        )

    def _pipeline(self) -> Pipeline:
        limits = Limits(max_temperature_c=0, min_free_memory_mb=0)
        return Pipeline(
            database=self.database,
            stages=(),
            committer=self.committer,
            governor=Governor(limits, ()),
            parts=self.parts,
            issues=self.issues,
            bus=self.bus,
            clock=self.clock,
        )

    async def ask(self, question, *values: object):
        return await self.database.read(lambda connection: question(connection, *values))

    async def rows(self, sql: str, *values: object) -> list[tuple]:
        return await self.ask(lambda connection: connection.execute(sql, values).fetchall())

    async def jobs(self, step: str) -> list[str]:
        return [row[0] for row in await self.rows("SELECT subject FROM job WHERE step = ? ORDER BY id", step)]

    async def story(self, asset_id: int) -> list[str]:
        return [entry.event for entry in await self.ask(journal.of_asset, asset_id)]

    async def file(self, remote_id: str) -> Resource:
        """The newest version of a file."""
        ((resource_id,),) = await self.rows(
            "SELECT id FROM resource WHERE remote_id = ? ORDER BY id DESC LIMIT 1", remote_id
        )
        return await self.ask(assets.resource, resource_id)

    async def archive(self, *remote_ids: str, volume: str = "a-volume") -> None:
        """As if fetched, examined and filed; the digest is that of the file's version."""

        def work(connection: sqlite3.Connection) -> None:
            for remote_id in remote_ids:
                _archive(connection, remote_id, volume)
            connection.execute("DELETE FROM job WHERE step IN ('fetch', 'describe')")

        await self.database.write(work)


def _archive(connection: sqlite3.Connection, remote_id: str, volume: str) -> None:
    resource_id, version, name, size_bytes = connection.execute(
        "SELECT id, version, name, size_bytes FROM resource WHERE remote_id = ? AND state = 'seen'", (remote_id,)
    ).fetchone()
    digest = hashlib.sha256(version.encode()).hexdigest()
    path = f"2024/{resource_id}-{name}"
    assets.set_staged(connection, resource_id, digest=digest, size_bytes=size_bytes)
    examined.put_facts(connection, resource_id, Facts(kind=Kind.PICTURE, media_type="image/jpeg"))
    assets.reserve(connection, resource_id, path, f"{path}.xmp")
    assets.set_archived(connection, resource_id, NOW_MS)
    copy = Copy(
        resource_id=resource_id,
        volume=volume,
        path=path,
        size_bytes=size_bytes,
        digest=digest,
        evidence=Evidence.REREAD,
        proved_at_ms=NOW_MS,
    )
    copies.put(connection, copy)


# ---------------------------------------------------------------- what sources say

SAID = Said(title="A tree", taken_at_ms=1_715_536_800_000, offset_min=120, content_id="master-1")


def photo(remote_id: str, *files: RemoteResource, said: Said | None = SAID) -> RemoteAsset:
    return RemoteAsset(remote_id=remote_id, resources=files or (original(remote_id),), said=said)


def original(remote_id: str, version: str = "v1", name: str = "IMG_0001.HEIC") -> RemoteResource:
    return _file(remote_id, "original", Role.ORIGINAL, version, name)


def live(remote_id: str, version: str = "v2") -> RemoteResource:
    return _file(remote_id, "live", Role.LIVE_VIDEO, version, "IMG_0001.MOV", kind=Kind.VIDEO)


def edited(remote_id: str, version: str = "v3") -> RemoteResource:
    return _file(remote_id, "edited", Role.EDITED, version, "IMG_E0001.JPG")


def _file(
    remote_id: str, word: str, role: Role, version: str, name: str, *, kind: Kind = Kind.PICTURE
) -> RemoteResource:
    return RemoteResource(
        remote_id=f"{remote_id}/{word}", version=version, name=name, kind=kind, role=role, size_bytes=len(version)
    )


def saying(said: Said = SAID, **changes: object) -> Said:
    return msgspec.structs.replace(said, **changes)


def is_archived(resource: Resource) -> bool:
    return resource.state is ResourceState.ARCHIVED
