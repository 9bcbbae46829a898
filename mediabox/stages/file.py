"""Publish an original in the archive and prove it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mediabox.contracts import Needs, Setback, Stage, StepResult, Subject
from mediabox.model.asset import ResourceState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.contracts import Work
    from mediabox.model.asset import Resource
    from mediabox.model.ledger import Receipt


class Shelf(Protocol):
    """The archive, as this stage uses it."""

    async def deliver(self, resource: Resource) -> Receipt | Setback: ...
    async def let_go(self, resource_ids: Sequence[int]) -> None: ...


class File(Stage):
    """From the spool to its name. The staged file is let go only after `archived` is committed."""

    name = "file"
    summary = "Give the original its place in the archive and read it back."
    subject = Subject.RESOURCE
    after = ("examine",)
    needs = Needs(disk=True)
    expects = frozenset({ResourceState.STAGED, ResourceState.FILING, ResourceState.ARCHIVED})
    width = 4

    def __init__(self, archive: Shelf) -> None:
        self._archive = archive

    async def run(self, work: Work) -> StepResult:
        resource = work.of_resource
        if resource.state is ResourceState.DUPLICATE:
            return StepResult()  # staged, and found to be kept already: `committed` lets go of it
        if resource.path is None:
            return StepResult(Setback.UNPLACED)
        return StepResult(await self._archive.deliver(resource))

    async def committed(self, works: Sequence[Work]) -> None:
        done = [work.resource.id for work in works if work.resource and work.resource.state.is_end]
        if done:
            await self._archive.let_go(done)
