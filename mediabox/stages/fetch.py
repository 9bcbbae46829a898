"""Stream a resource into the spool, once, hashing on the way.

What a remote source has and an older backup on this box too is taken from there (`mediabox adopt`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import Needs, Quarantine, Remote, Stage, StepResult, Streaming, Subject
from mediabox.errors import Away, Gone, NeedsHuman, Permanent, Retryable
from mediabox.message import message
from mediabox.model.asset import ResourceState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mediabox.contracts import Adoptions, Source, Spool, Staged, Work
    from mediabox.model.asset import Resource

NOT_SET_UP = "Set it up in mediabox.toml again; what was seen there and not yet fetched waits for it."
FETCHES = 2  # from disks: one reads while the other is made durable
PATIENCE = 5  # attempts at a file that keeps changing while it is read


class Fetch(Stage):
    """From the source to the spool. What can never be an original is quarantined, with the reason."""

    name = "fetch"
    summary = "Copy the file from its source to the archive's disk."
    subject = Subject.RESOURCE
    needs = Needs(disk=True, source=True)
    expects = frozenset({ResourceState.SEEN})

    def __init__(self, sources: Mapping[str, Source], spool: Spool, adoptions: Adoptions) -> None:
        self._sources, self._spool, self._adoptions = sources, spool, adoptions
        # As many as a source has streams, so that not the queue is what holds it back.
        self.width = max([FETCHES, *(one.streams for one in sources.values() if isinstance(one, Streaming))])

    async def run(self, work: Work) -> StepResult:
        resource = work.of_resource
        source = self._source(resource)
        try:
            staged = await self._adopted(resource, source) or await self._fetched(resource, source)
        except Permanent as refusal:
            return StepResult(Quarantine(str(refusal), is_gone=isinstance(refusal, Gone)))
        except (Away, NeedsHuman):
            raise
        except Retryable as unrest:
            if work.job.attempts + 1 >= PATIENCE and unrest.retry_after_s is None:  # who asks to wait means no file
                return StepResult(Quarantine(f"{unrest}, {PATIENCE} times in a row"))
            raise
        if staged.size_bytes == 0:
            return StepResult(Quarantine(f"{resource.name} is empty (0 bytes)"))
        return StepResult(staged)

    async def _fetched(self, resource: Resource, source: Source) -> Staged:
        version = resource.version if source.resumes else None
        sink = self._spool.sink(resource.id, size_bytes=resource.size_bytes, version=version)
        try:
            await source.fetch(resource, sink)
            return await self._spool.finish(resource.id, sink)
        finally:
            sink.close()

    async def _adopted(self, resource: Resource, source: Source) -> Staged | None:
        """The same bytes from an older backup; None when none has them, or the fetch has begun.

        Invariant: what is poured here is never continued by a fetch. It is poured without
        the version, so that a crash before the proof leaves nothing anybody would build on.
        """
        if not isinstance(source, Remote):
            return None
        files = await self._adoptions.candidates(resource)
        if not files or await asyncio.to_thread(self._is_begun, resource):
            return None
        for file in files:
            sink = self._spool.sink(resource.id, size_bytes=resource.size_bytes)
            try:
                likeness = await self._adoptions.pour(file, resource, source, sink)
                if likeness is not None:
                    staged = await self._spool.finish(resource.id, sink)
                    return msgspec.structs.replace(staged, adopted_from=file.path, adopted_by=likeness)
            finally:
                sink.close()
            await self._spool.discard(resource.id)
        return None

    def _is_begun(self, resource: Resource) -> bool:
        """Whether an interrupted fetch left a part of this version; if not, nothing is left. Blocking."""
        sink = self._spool.sink(resource.id, size_bytes=resource.size_bytes, version=resource.version)
        try:
            if sink.offset:
                return True
            sink.restart()
            return False
        finally:
            sink.close()

    async def committed(self, works: Sequence[Work]) -> None:
        """Bytes that are kept elsewhere, or were never whole, need no place in the spool."""
        for work in works:
            resource = work.of_resource
            if resource.state is not ResourceState.STAGED:
                await self._spool.discard(resource.id)

    def _source(self, resource: Resource) -> Source:
        try:
            return self._sources[resource.source]
        except KeyError:
            what = message(
                "source {source}, which has {name}, is not in the settings", source=resource.source, name=resource.name
            )
            raise Away(what, part=f"source:{resource.source}", remedy=NOT_SET_UP) from None
