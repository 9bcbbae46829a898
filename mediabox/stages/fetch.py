"""Stream a resource into the spool, once, hashing on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mediabox.contracts import Needs, Outcome
from mediabox.errors import Away, Gone, NeedsHuman, Permanent, Retryable
from mediabox.model.asset import ResourceState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mediabox.contracts import Source, Spool, Work
    from mediabox.model.asset import Resource

PATIENCE = 5  # attempts at a file that keeps changing while it is read


class Fetch:
    """From the source to the spool. What can never be an original is quarantined, with the reason."""

    name: ClassVar[str] = "fetch"
    after: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[Needs] = Needs(disk=True)

    def __init__(self, sources: Mapping[str, Source], spool: Spool) -> None:
        self._sources, self._spool = sources, spool

    async def run(self, work: Work) -> Outcome:
        resource = _subject(work)
        source = self._source(resource)
        version = resource.version if source.resumes else None
        sink = self._spool.sink(resource.id, size_bytes=resource.size_bytes, version=version)
        try:
            await source.fetch(resource, sink)
            staged = await self._spool.finish(resource.id, sink)
        except Permanent as refusal:
            return Outcome(quarantine=str(refusal), is_gone=isinstance(refusal, Gone))
        except (Away, NeedsHuman):
            raise
        except Retryable as unrest:
            if work.job.attempts + 1 >= PATIENCE:
                return Outcome(quarantine=f"{unrest}, {PATIENCE} times in a row")
            raise
        finally:
            sink.close()
        if staged.size_bytes == 0:
            return Outcome(quarantine=f"{resource.name} is empty (0 bytes)")
        return Outcome(staged=staged)

    async def committed(self, works: Sequence[Work]) -> None:
        """Bytes that are kept elsewhere, or were never whole, need no place in the spool."""
        for work in works:
            if _subject(work).state is not ResourceState.STAGED:
                await self._spool.discard(_subject(work).id)

    def _source(self, resource: Resource) -> Source:
        try:
            return self._sources[resource.source]
        except KeyError:
            message = f"the source {resource.source!r}, which has {resource.name}, is not in the configuration"
            raise Away(message, part=f"source:{resource.source}") from None


def _subject(work: Work) -> Resource:
    if work.resource is None:
        message = f"job {work.job.id} is about resource {work.job.subject}, which is not in the catalogue"
        raise Permanent(message)
    return work.resource
