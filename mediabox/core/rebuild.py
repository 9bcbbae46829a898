"""Make the catalogue anew from an archive volume alone (invariant I12).

Sidecars say which files make an asset, where they came from and under which version,
so that a source listed afterwards brings nothing twice. Every original is read past
the cache and examined again; what has no sidecar is kept too, as an asset of its own.
So is what lies in the archive's trash: that it was deleted somewhere nobody knows any
more, and `core.retention` brings back what nobody took back a word for.
"""

from __future__ import annotations

import asyncio
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import ExamineRequest, Written
from mediabox.core import decisions, plan
from mediabox.durable.trash import TRASH
from mediabox.durable.verify import digest_past_cache
from mediabox.errors import Permanent
from mediabox.model.asset import Kind, RemoteResource, Role, is_companion
from mediabox.model.decision import DecisionKind
from mediabox.model.ledger import Copy, CopyState, Evidence
from mediabox.model.naming import stem
from mediabox.model.safe_name import MANIFEST_NAME
from mediabox.model.sidecar import SidecarMember
from mediabox.model.signature import claimed_kind
from mediabox.store import assets, copies, examined, jobs, journal, listings, trash
from mediabox.store import decisions as stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from mediabox.clock import Clock
    from mediabox.contracts import Examination, MediaEngine
    from mediabox.core.commit import Committer
    from mediabox.durable.renditions import RenditionFolder
    from mediabox.durable.volume import Volume
    from mediabox.store.database import Database

PORTION = 32  # originals between two transactions
OWN_SOURCE = "archive"  # where files come from that no sidecar tells of


class Rebuilt(msgspec.Struct, kw_only=True):
    """What was found."""

    originals: int = 0
    sidecars: int = 0
    without_sidecar: int = 0
    damaged: list[str] = []  # paths whose bytes are not those their sidecar tells of
    twice: list[str] = []  # paths whose bytes are in the archive under another name, which is kept
    missing: list[str] = []  # paths sidecars tell of that are not there
    unreadable_sidecars: list[str] = []
    erased: list[str] = []  # paths whose bytes a person erased: not taken in, and left where they are
    unreadable_decisions: list[str] = []  # `2026-12.jsonl:7`


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """One original on the volume."""

    path: str  # in the archive, also while it is in the trash
    place: str  # where it lies
    modified_at_ms: int
    member: SidecarMember | None
    asset_key: str  # the sidecar's path, or the original's own
    is_moved: bool = False  # the sidecar tells of another path


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    found: _Found
    digest: str
    size_bytes: int
    examination: Examination

    @property
    def expected_digest(self) -> str:
        return self.found.member.sha256 if self.found.member else self.digest

    @property
    def is_whole(self) -> bool:
        return self.digest == self.expected_digest


class Rebuild:
    """One rebuild of an empty catalogue."""

    def __init__(
        self,
        *,
        database: Database,
        volume: Volume,
        workers: MediaEngine,
        renditions: RenditionFolder,
        clock: Clock,
        committer: Committer,
        progress: Callable[[Rebuilt], None] = lambda _: None,
    ) -> None:
        self._database, self._volume, self._workers = database, volume, workers
        self._renditions, self._clock, self._progress = renditions, clock, progress
        self._committer = committer
        self._report = Rebuilt()
        self._erased: set[str] = set()  # digests
        self._asset_ids: dict[str, int] = {}
        # By digest and name: what sidecars tell of at paths where nothing lies.
        self._unfound: dict[tuple[str, str], tuple[str, SidecarMember]] = {}

    async def run(self) -> Rebuilt:
        decided, self._report.unreadable_decisions = await asyncio.to_thread(decisions.read, self._volume)
        await self._database.write(lambda connection: decisions.restore(connection, decided))
        self._erased = await self._database.read(
            lambda connection: {one.subject for one in stored.of_kind(connection, DecisionKind.ERASED)}
        )
        paths = await asyncio.to_thread(self._paths)
        told = await self._read_sidecars({path: place for path, (place, _) in paths.items() if is_sidecar(path)})
        texts = [path for path in paths if is_sidecar(path) or is_manifest(path)]
        originals = [_found(path, paths[path], told) for path in paths.keys() - set(texts)]
        originals.sort(key=lambda found: found.path)
        self._unfound = {(one[1].sha256, _name(path)): one for path, one in told.items() if path not in paths}
        for start in range(0, len(originals), PORTION):
            found = await asyncio.gather(*(self._read(one) for one in originals[start : start + PORTION]))
            await self._database.write(partial(self._write, read=[one for one in found if one is not None]))
            self._progress(self._report)
        await self._adopt_texts([path for path in texts if paths[path][0] == path])
        self._report.missing = sorted(member.path for _, member in self._unfound.values())
        return self._report

    def _paths(self) -> dict[str, tuple[str, int]]:
        """Path in the archive -> (where the file lies, its time in Unix ms)."""
        found = {path: (path, status.st_mtime_ns // 1_000_000) for path, status in self._volume.walk()}
        if self._volume.exists(TRASH):
            for place, status in self._volume.walk(TRASH):
                found.setdefault(place.removeprefix(f"{TRASH}/"), (place, status.st_mtime_ns // 1_000_000))
        return found

    # ------------------------------------------------------------ sidecars

    async def _read_sidecars(self, paths: Mapping[str, str]) -> dict[str, tuple[str, SidecarMember]]:
        """Original's path -> (its sidecar's path, what that says of it)."""
        told: dict[str, tuple[str, SidecarMember]] = {}
        for path, place in paths.items():
            try:
                content = await asyncio.to_thread(self._volume.read, place)
                record = await self._workers.parse_sidecar(content)
            except Permanent:
                record = None
            if record is None:
                self._report.unreadable_sidecars.append(path)
                continue
            self._report.sidecars += 1
            told |= {member.path: (path, member) for member in record.members}
        return told

    async def _adopt_texts(self, paths: Sequence[str]) -> None:
        contents = {path: await asyncio.to_thread(self._volume.read, path) for path in paths}
        now_ms = self._clock.wall_ms()

        def work(connection: sqlite3.Connection) -> None:
            for path, content in contents.items():
                written = Written(path=path, digest=sha256(content).hexdigest(), size_bytes=len(content))
                copies.put_written(connection, written, self._asset_ids.get(path), now_ms)

        await self._database.write(work)

    # ------------------------------------------------------------ originals

    async def _read(self, found: _Found) -> _Read | None:
        """None for bytes a person erased."""
        digest, size_bytes = await asyncio.to_thread(digest_past_cache, self._volume, found.place)
        if digest in self._erased or (found.member is not None and found.member.sha256 in self._erased):
            self._report.erased.append(found.path)
            return None
        request = _request(found, size_bytes, renditions=bool(self._renditions.wanted))
        with self._volume.opened(found.place, f"read {found.place}") as descriptor:
            examination = await self._workers.examine(descriptor, request)
        await asyncio.to_thread(self._renditions.keep, digest, examination)
        if found.member is None and (told := self._unfound.pop((digest, _name(found.path)), None)) is not None:
            found = _moved(found, *told)
        return _Read(found=found, digest=digest, size_bytes=size_bytes, examination=examination)

    def _write(self, connection: sqlite3.Connection, read: Sequence[_Read]) -> None:
        for one in read:
            if not one.is_whole:
                self._report.damaged.append(one.found.path)
            is_elected = not is_companion(_remote(one))
            if is_elected and assets.keeper(connection, one.expected_digest) is not None:
                self._report.twice.append(one.found.path)
                continue
            self._report.originals += 1
            self._report.without_sidecar += one.found.member is None
            self._write_one(connection, one)

    def _write_one(self, connection: sqlite3.Connection, one: _Read) -> None:
        found, member, now_ms = one.found, one.found.member, self._clock.wall_ms()
        asset_id = self._asset_ids.get(found.asset_key)
        if asset_id is None:
            asset_id = self._asset_ids[found.asset_key] = assets.add_asset(connection)
        remote = _remote(one)
        source = listings.source_id(connection, member.source if member else OWN_SOURCE)
        resource_id = assets.add_resource(
            connection,
            asset_id,
            source,
            remote,
            stem=stem(remote.name),
            at_ms=member.taken_in_at_ms if member else now_ms,
        )
        size_bytes = remote.size_bytes or 0
        assets.set_staged(connection, resource_id, digest=one.expected_digest, size_bytes=size_bytes)
        assets.reserve(connection, resource_id, found.path, self._reserved_sidecar(found))
        assets.set_archived(connection, resource_id, now_ms)
        self._committer.compare(connection, resource_id, one.examination.facts)
        examined.put_facts(connection, resource_id, one.examination.facts)
        copies.put(connection, self._copy(one, resource_id, now_ms))
        is_described = member is not None and not found.is_moved
        for request in plan.after_rebuilding(found.path, asset_id, is_described=is_described, now_ms=now_ms):
            jobs.add(connection, request)
        journal.append(
            connection,
            "rebuilt",
            at_ms=now_ms,
            resource_id=resource_id,
            asset_id=asset_id,
            path=found.path,
            sha256=one.expected_digest,
        )
        if found.place != found.path:
            trash.put_in(connection, resource_id, found.place, at_ms=now_ms)
            journal.append(connection, "trashed", at_ms=now_ms, resource_id=resource_id, path=found.place)

    def _reserved_sidecar(self, found: _Found) -> str:
        """Where this original's sidecar is, or would be."""
        return found.asset_key if found.member and not found.is_moved else f"{found.path}.xmp"

    def _copy(self, one: _Read, resource_id: int, now_ms: int) -> Copy:
        return Copy(
            resource_id=resource_id,
            volume=self._volume.identity.uuid,
            path=one.found.path,
            size_bytes=one.found.member.size_bytes if one.found.member else one.size_bytes,
            digest=one.expected_digest,
            evidence=Evidence.REREAD,
            proved_at_ms=now_ms,
            state=CopyState.PRESENT if one.is_whole else CopyState.DAMAGED,
        )


def is_sidecar(path: str) -> bool:
    """Whether this is a sidecar of ours; the owner's own are archived as `….source.xmp`."""
    return path.endswith(".xmp") and not path.endswith(".source.xmp")


def is_manifest(path: str) -> bool:
    return _name(path) == MANIFEST_NAME


def _found(path: str, lying: tuple[str, int], told: Mapping[str, tuple[str, SidecarMember]]) -> _Found:
    sidecar, member = told.get(path, (path, None))
    return _Found(path=path, place=lying[0], modified_at_ms=lying[1], member=member, asset_key=sidecar)


def _moved(found: _Found, sidecar: str, member: SidecarMember) -> _Found:
    """What a sidecar tells of, elsewhere: moved a moment before a power cut, or by a person."""
    member = msgspec.structs.replace(member, path=found.path)
    return msgspec.structs.replace(found, member=member, asset_key=sidecar, is_moved=True)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _request(found: _Found, size_bytes: int, *, renditions: bool) -> ExamineRequest:
    name, member = _name(found.path), found.member
    return ExamineRequest(
        name=member.original_name if member else name,
        kind=member.kind if member else claimed_kind(name) or Kind.PICTURE,
        size_bytes=size_bytes,
        modified_at_ms=found.modified_at_ms,
        renditions=renditions,
        folder=member.remote_id.rpartition("/")[0] if member else "",
    )


def _remote(one: _Read) -> RemoteResource:
    """The file as its source listed it, as far as the sidecar tells."""
    found, member = one.found, one.found.member
    if member is not None:
        return RemoteResource(
            remote_id=member.remote_id,
            version=member.version,
            name=member.original_name,
            kind=member.kind,
            role=member.role,
            size_bytes=member.size_bytes,
            modified_at_ms=member.modified_at_ms or found.modified_at_ms,
        )
    facts = one.examination.facts
    return RemoteResource(
        remote_id=found.path,
        version=one.digest,
        name=_name(found.path),
        kind=facts.kind,
        role=Role.SIDECAR if facts.kind is Kind.SIDECAR else Role.ORIGINAL,
        size_bytes=one.size_bytes,
        modified_at_ms=found.modified_at_ms,
    )
