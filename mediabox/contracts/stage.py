"""One step on one subject, and what it found."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

from mediabox.contracts.staged import Staged
from mediabox.message import Text
from mediabox.model.asset import ResourceState
from mediabox.model.delivery import Delivered
from mediabox.model.facts import Facts
from mediabox.model.ledger import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.model.asset import Resource
    from mediabox.model.job import Job, JobRequest


class Subject(StrEnum):
    """What a step's jobs are about, and how a job names it."""

    RESOURCE = "resource"  # its id
    ASSET = "asset"  # its id
    FOLDER = "folder"  # of the archive, relative; "" is its top
    DELIVERY = "delivery"  # `DESTINATION/ID`


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a step takes from the box while it runs. The governor grants it; what is away is waited for."""

    cpu: bool = False
    disk: bool = False  # writes to the archive's volume
    archive: bool = True  # the archive's volume has to be there
    source: bool = False  # so has the source of its resource
    destination: bool = False  # so has the destination of its delivery


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A sidecar or manifest we wrote into the archive."""

    path: str
    digest: str
    size_bytes: int


class TextFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What became of text files of ours in the archive."""

    written: Written | None = None
    removed: tuple[str, ...] = ()  # paths of sidecars of ours


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """An archived original lies elsewhere on its volume now: in the archive's trash, or back at its path."""

    resource_id: int
    path: str  # relative to the volume
    in_trash: bool


class OriginalsMoved(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's originals went to the trash, or came back."""

    moved: tuple[Moved, ...]
    removed: tuple[str, ...] = ()  # paths of sidecars of ours that went with them


class Relocated(msgspec.Struct, frozen=True):
    """An archived original has a second name, at which it is to be found from now on."""

    path: str


class FirstNameRemoved(msgspec.Struct, frozen=True):
    """The path an original had before `Relocated` is free."""


class Quarantine(msgspec.Struct, frozen=True):
    """The file cannot be an original, and is left at its source."""

    reason: Text  # for a person
    is_gone: bool = False  # it is not there any more


class Setback(StrEnum):
    """What was done before has to be done again."""

    LOST = "lost"  # the staged bytes are gone (a power cut forgot their name): fetch again
    UNPLACED = "unplaced"  # it waited for company that did not come: place it now
    OBSTRUCTED = "obstructed"  # a file nobody told us of lies at the reserved path: choose another


class RemovedFromSource(msgspec.Struct, frozen=True):
    """The source's own copy is gone, as its owner chose."""


class Undeliverable(msgspec.Struct, frozen=True):
    """A destination will never take it."""

    reason: Text  # for a person


# What a step found or did. `core.recording` has one function for each type.
Outcome: TypeAlias = (
    Staged
    | Facts
    | Receipt
    | TextFiles
    | OriginalsMoved
    | Relocated
    | FirstNameRemoved
    | Quarantine
    | Setback
    | RemovedFromSource
    | Delivered
    | Undeliverable
)
# Journal events of a resource that a step may ask to follow.
Recorded = Literal["fetched", "duplicate", "examined", "archived", "relocated", "trashed", "recovered", "quarantined"]


class StepResult(msgspec.Struct, frozen=True):
    """How a step ended. The runner commits both with the job's end, at once."""

    outcome: Outcome | None = None  # None: there is nothing to write down
    next_jobs: tuple[JobRequest, ...] = ()  # beside those that follow anyway


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One job with what it is about, and what its step needs."""

    job: Job
    resource: Resource | None = None  # where the step's subject is one
    needs: Needs = Needs()

    @property
    def of_resource(self) -> Resource:
        """The resource of a step that is about one: the runner runs none without."""
        assert self.resource is not None
        return self.resource


class Stage(Protocol):
    """One step. A class that names this one as its base declares only what differs from the values here."""

    name: ClassVar[str]
    summary: ClassVar[str]  # what it does, for a person; one sentence (`mediabox pipeline`)
    subject: ClassVar[Subject]
    after: ClassVar[tuple[str, ...]] = ()  # steps that come before it: they pause while its lane is full
    follows: ClassVar[tuple[Recorded, ...]] = ()  # such a row queues it, for the same subject
    needs: ClassVar[Needs] = Needs()
    expects: ClassVar[frozenset[ResourceState]] = frozenset(ResourceState)  # in others, what it found is out of date
    width: int = 1  # how many may be under way at once

    async def run(self, work: Work) -> StepResult:
        """Do the step. May be repeated after a crash at any point: must end in the same state."""


@runtime_checkable
class AwaitsCommit(Protocol):
    """A stage that holds something until what it did is in the database."""

    async def committed(self, works: Sequence[Work]) -> None:
        """Called after these works' outcomes are in the database: let go of what is no longer needed.

        Each work's resource is as the outcome left it.
        """
