"""Remove a source's own copy, where the owner chose `move`, after proving ours once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mediabox.contracts import Needs, RemovedFromSource, Stage, StepResult, Subject
from mediabox.errors import Away
from mediabox.failpoints import fp
from mediabox.message import message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mediabox.contracts import Source, Work
    from mediabox.model.asset import Resource


class Proofs(Protocol):
    """Who can show that the bytes of a resource are kept."""

    async def prove(self, resource: Resource) -> None:
        """Read the archived copy of these bytes again, past the cache. Raises Permanent when it is not whole."""


class Remove(Stage):
    """The one stage that deletes an original anywhere, and only one that the archive holds (I8)."""

    name = "remove"
    summary = 'Delete the copy at the source, once the archived one has been read back (mode = "move").'
    subject = Subject.RESOURCE
    after = ("file",)
    needs = Needs(disk=True, source=True)

    def __init__(self, sources: Mapping[str, Source], proofs: Proofs) -> None:
        self._sources, self._proofs = sources, proofs

    async def run(self, work: Work) -> StepResult:
        resource = work.of_resource
        if resource.source not in self._sources:
            what = message("source {source} is not in the settings; its copy is kept", source=resource.source)
            remedy = message("Its copy is deleted once the source is back.")
            raise Away(what, part=f"source:{resource.source}", remedy=remedy)
        source = self._sources[resource.source]
        if not source.removes_after_archiving:
            return StepResult()
        await self._proofs.prove(resource)
        fp("remove.proved")
        await source.remove(resource)
        fp("remove.removed")
        return StepResult(RemovedFromSource())
