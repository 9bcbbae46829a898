"""Give an archived original the path its asset's date asks for, known only after it was filed (decision 0013).

Two runs: it gets its other name, the catalogue learns of that, and only then the first
name goes. At every instant it is found where the catalogue says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mediabox.contracts import FirstNameRemoved, Needs, Relocated, Setback, Stage, StepResult, Subject
from mediabox.errors import Permanent
from mediabox.failpoints import fp
from mediabox.message import message
from mediabox.model.asset import ResourceState

if TYPE_CHECKING:
    from mediabox.contracts import Work


class Catalogue(Protocol):
    async def moves(self, resource_id: int) -> tuple[str | None, str | None]:
        """The path a file is to have, and the one it had before and may still be found at."""


class Archive(Protocol):
    async def name_again(self, path: str, to: str) -> None:
        """Durably give a file a second name. May be repeated. Raises Away, NeedsHuman, OSError."""

    async def unname(self, path: str, *, kept: str) -> None:
        """Durably take the first name from a file that has the other too. May be repeated."""


class Relocate(Stage):
    """One file at a time, of its asset."""

    name = "relocate"
    summary = "Rename the files of one photo that belong under one name."
    subject = Subject.RESOURCE
    after = ("file",)
    needs = Needs(disk=True)
    expects = frozenset({ResourceState.ARCHIVED})

    def __init__(self, catalogue: Catalogue, archive: Archive) -> None:
        self._catalogue, self._archive = catalogue, archive

    async def run(self, work: Work) -> StepResult:
        """Raises Permanent when the original is not where it was filed."""
        resource = work.of_resource
        if resource.path is None or resource.state is not ResourceState.ARCHIVED:
            return StepResult()  # in the trash: it is asked for again when it comes back
        to, before = await self._catalogue.moves(resource.id)
        if before is not None:
            await self._archive.unname(before, kept=resource.path)
            fp("relocate.unnamed")
            return StepResult(FirstNameRemoved())
        if to is None:
            return StepResult()
        try:
            await self._archive.name_again(resource.path, to)
        except FileExistsError:
            return StepResult(Setback.OBSTRUCTED)
        except FileNotFoundError as err:
            raise Permanent(
                message("{path} is missing; it was to be moved to {target}", path=resource.path, target=to)
            ) from err
        fp("relocate.named")
        return StepResult(Relocated(to))
