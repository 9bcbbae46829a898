"""One step on one subject, and what it found."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import msgspec

from mediabox.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.contracts.media import Likeness
    from mediabox.model.asset import Resource
    from mediabox.model.delivery import Delivered
    from mediabox.model.facts import Facts
    from mediabox.model.job import Job, JobRequest
    from mediabox.model.ledger import Receipt


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a step takes from the box while it runs; the governor grants it."""

    cpu: bool = False
    disk: bool = False  # writes to the archive's volume


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """A resource's bytes are durable in the spool."""

    digest: str
    size_bytes: int
    adopted_from: str | None = None  # path of the file that was taken instead of fetching
    adopted_by: Likeness | None = None  # what it was held against


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A sidecar or manifest we wrote into the archive."""

    path: str
    digest: str
    size_bytes: int


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """An archived original lies elsewhere on its volume now: in the archive's trash, or back at its path."""

    resource_id: int
    path: str  # relative to the volume
    in_trash: bool


class Setback(StrEnum):
    """What was done before has to be done again."""

    LOST = "lost"  # the staged bytes are gone (a power cut forgot their name): fetch again
    UNPLACED = "unplaced"  # it waited for company that did not come: place it now
    OBSTRUCTED = "obstructed"  # a file nobody told us of lies at the reserved path: choose another


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one step found or did. The runner commits it with the job's end and the next jobs, at once."""

    staged: Staged | None = None
    facts: Facts | None = None
    receipt: Receipt | None = None
    written: Written | None = None
    withdrawn: tuple[str, ...] = ()  # paths of sidecars of ours that were removed again
    moved: tuple[Moved, ...] = ()  # originals of one asset
    relocated: str | None = None  # the path at which an archived original is to be found from now on
    is_unnamed: bool = False  # the path it had before is free
    quarantine: str | None = None  # the reason, for a person
    is_gone: bool = False  # the reason is that it is not there any more
    setback: Setback | None = None
    removed_from_source: bool = False
    delivered: Delivered | None = None
    undeliverable: str | None = None  # why a destination will never take it, for a person
    next_jobs: tuple[JobRequest, ...] = ()


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One job with what it is about. `resource` is set where the step's subject is a resource id."""

    job: "Job"
    resource: "Resource | None" = None

    def require_resource(self) -> "Resource":
        """The resource of a step that is about one. Raises Permanent when the catalogue has none."""
        if self.resource is None:
            message = f"job {self.job.id} is about resource {self.job.subject}, which is not in the catalogue"
            raise Permanent(message)
        return self.resource


class Stage(Protocol):
    """One step. What `work.job.subject` names is the stage's to say: a resource, an asset, a folder."""

    name: ClassVar[str]
    after: ClassVar[tuple[str, ...]]
    needs: ClassVar[Needs]

    async def run(self, work: Work) -> Outcome:
        """Do the step. May be repeated after a crash at any point: must end in the same state."""


@runtime_checkable
class Holding(Protocol):
    """A stage that holds something until what it did is in the database."""

    async def committed(self, works: Sequence[Work]) -> None:
        """Called after these works' outcomes are in the database: let go of what is no longer needed.

        Each work's resource is as the outcome left it.
        """
