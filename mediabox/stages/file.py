"""Publish an original in the archive and prove it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from mediabox.contracts import Needs, Outcome, Setback
from mediabox.model.asset import ResourceState
from mediabox.model.ledger import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.contracts import Work
    from mediabox.model.asset import Resource


class Shelf(Protocol):
    """The archive, as this stage uses it."""

    async def deliver(self, resource: Resource) -> Receipt | Setback: ...
    async def let_go(self, resource_ids: Sequence[int]) -> None: ...


class File:
    """From the spool to its name. The staged file is let go only after `archived` is committed."""

    name: ClassVar[str] = "file"
    after: ClassVar[tuple[str, ...]] = ("examine",)
    needs: ClassVar[Needs] = Needs(disk=True)

    def __init__(self, archive: Shelf) -> None:
        self._archive = archive

    async def run(self, work: Work) -> Outcome:
        resource = work.require_resource()
        if resource.state is ResourceState.DUPLICATE:
            return Outcome()  # staged, and found to be kept already: `committed` lets go of it
        if resource.path is None:
            return Outcome(setback=Setback.UNPLACED)
        match await self._archive.deliver(resource):
            case Receipt() as receipt:
                return Outcome(receipt=receipt)
            case setback:
                return Outcome(setback=setback)

    async def committed(self, works: Sequence[Work]) -> None:
        done = [work.resource.id for work in works if work.resource and work.resource.state.is_end]
        if done:
            await self._archive.let_go(done)
