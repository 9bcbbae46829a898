"""What the parts promise each other. Read this first; then `ARCHITECTURE.md` has the walk.

A source lists assets and streams their bytes. Stages do the work on one subject
each and return an `Outcome`; they call neither each other, nor the runner, nor the
store. Rules decide from facts alone, inside the transaction that stores those
facts, so two halves of one asset can never miss each other. Destinations hold
copies and return receipts. Everything raises only what `errors` defines.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from mediabox.clock import Clock
    from mediabox.model.adoptable import Adoptable
    from mediabox.model.asset import (
        Kind,
        Membership,
        RemoteAlbum,
        RemoteAsset,
        RemoteChange,
        RemoteResource,
        Resource,
        Role,
    )
    from mediabox.model.facts import Facts
    from mediabox.model.issue import Issue
    from mediabox.model.job import Job, JobRequest
    from mediabox.model.ledger import Receipt
    from mediabox.model.status import Calls


# ---------------------------------------------------------------- sources


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a listing. `cursor` is committed together with the page's assets."""

    assets: tuple["RemoteAsset", ...]
    undecided: tuple["RemoteResource", ...] = ()  # names that do not say what they are: ask `Source.peek`
    changes: tuple["RemoteChange", ...] = ()  # what happened to assets told of before
    albums: tuple["RemoteAlbum", ...] = ()
    memberships: tuple["Membership", ...] = ()  # in order: the last word on an asset and an album counts
    cursor: str | None = None


class Sink(Protocol):
    """Where a source pours a resource's bytes. Blocking: call it from a thread."""

    @property
    def offset(self) -> int:
        """Bytes already held from an earlier, interrupted fetch."""

    def restart(self) -> None:
        """Forget what is held: the source cannot continue at `offset`."""

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append. Raises Away when the volume is gone, NeedsHuman when it is full."""

    def close(self) -> None:
        """Let go, keeping what was poured for a later attempt. May be repeated."""


class Removal(Protocol):
    """Unlinks a name in an open folder, durably."""

    def __call__(self, name: str, /, *, dir_fd: int) -> None: ...


class PrivateWriting(Protocol):
    """Writes a file only its owner may read, durably. `replace`: over an older one; else FileExistsError."""

    def __call__(self, path: Path, content: bytes, *, replace: bool) -> None: ...


class SourceTools(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is given when it is built: `SOURCE.build(settings, tools)`."""

    name: str  # as configured
    home: "Path"  # for what it has to keep, under `secrets/`
    excluded_roots: tuple["Path", ...]  # archive and home: never a source
    clock: "Clock"
    remove: "Removal"
    write_private: "PrivateWriting"
    open_issue: "Callable[[Issue], Awaitable[None]]"
    close_issue: "Callable[[str, str], Awaitable[None]]"
    shared: dict[str, object]  # the same for all sources: what they have to share, under a key of their own


class Source(Protocol):
    """One place photos come from. Knows no store and no pipeline."""

    @classmethod
    def build(cls, settings: Any, tools: SourceTools) -> Self:
        """From its own `Settings`. Reads and asks nothing yet."""

    name: str
    removes_after_archiving: bool  # the owner chose `move`
    mirrors_deletions: bool  # what goes to its bin goes to the archive's
    resumes: bool  # continues an interrupted fetch: knows versions and checks the whole in the end

    @property
    def unsettled(self) -> int:
        """Files the last listing left out because they may still be written: list again before giving up."""

    def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        """List everything that may be new, oldest cursor first. Raises Away, NeedsHuman.

        A listing that ends without an error is complete. Unreadable folders are
        reported through `complaints`, never silently left out.
        """

    async def peek(self, resource: RemoteResource) -> bytes:
        """The first 4 KiB at most. Raises as `fetch` does."""

    async def fetch(self, resource: Resource, sink: Sink) -> None:
        """Pour the whole resource, from `sink.offset` on if possible.

        Raises Away when the source is gone, Retryable when the file changed while it
        was read, Permanent when it can never be read (gone, refused, not a file).
        """

    async def remove(self, resource: Resource) -> None:
        """Remove the source's own copy of exactly this version. Only called with proof of ours (I8)."""

    async def wait(self, timeout_s: float) -> bool:
        """Sleep until something may have changed (True) or the time is over (False)."""

    def complaints(self) -> Sequence[Complaint]:
        """What the last listing could not reach, for people."""

    async def told(self, text: str) -> None:
        """What a person answered to an issue of this source. Raises Retryable, NeedsHuman."""

    async def close(self) -> None: ...


class Checksum(Protocol):
    """What a source says of a file's bytes, recomputed as they pass."""

    def feed(self, chunk: bytes, /) -> None: ...

    @property
    def agrees(self) -> bool:
        """Whether everything fed so far is the file."""


@runtime_checkable
class Remote(Protocol):
    """What a source offers beside `Source` when its bytes are dear: to tell whether a file at hand is one of its."""

    async def sample(self, resource: Resource, offset: int, length: int) -> bytes:
        """These bytes of a file, fewer at its end. Raises as `fetch` does."""

    def checksum(self, resource: Resource) -> Checksum | None:
        """None when nothing is known that bytes could be held against."""


class RemoteState(msgspec.Struct, frozen=True, kw_only=True):
    """An asset as its source has it at this moment."""

    remote_id: str
    is_trashed: bool = False  # in the bin, from where it can come back
    is_gone: bool = False  # for ever
    change_tag: str = ""
    resources: tuple["RemoteResource", ...] = ()  # every file it has there
    obstacle: str | None = None  # why the source would not let it go now, for a person


@runtime_checkable
class Releasing(Protocol):
    """A source that can free itself of what is proved elsewhere (I8). Never purges.

    `Permanent` from `release` and `restore` means that nothing was done. After `Retryable`,
    `Away` and `NeedsHuman` nobody knows: ask with `state_of` before anything else.
    """

    name: str
    releases: bool  # the owner allowed it for this source

    async def state_of(self, remote_ids: Sequence[str]) -> Mapping[str, RemoteState]:
        """Each of them as it is now. Raises Away, NeedsHuman, Retryable."""

    async def release(self, state: RemoteState) -> None:
        """Move the asset to the source's bin, if it still has this change tag."""

    async def restore(self, state: RemoteState) -> None:
        """Bring it back from the bin, if it still has this change tag."""


@runtime_checkable
class Streaming(Protocol):
    """A source that gains from several fetches at a time."""

    streams: int  # as many; it keeps to that itself


@runtime_checkable
class Counting(Protocol):
    """A source that asks a server things, and keeps count."""

    def figures(self) -> Sequence[Calls]:
        """Its own calls since it was built, by endpoint."""


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """Something a source could not reach: a folder it may not read, a tree that is away."""

    key: str  # issue key, `source.unreadable`, `source.missing`
    subject: str
    message: str
    remedy: str


# ---------------------------------------------------------------- stages


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a step takes from the box while it runs; the governor grants it."""

    cpu: bool = False
    disk: bool = False  # writes to the archive's volume


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """A resource's bytes are durable in the spool."""

    digest: str
    size_bytes: int
    adopted_from: str | None = None  # path of the file that was taken instead of fetching


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
    OBSTRUCTED = "obstructed"  # a file nobody told us of lies at the reserved path: choose another


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one step found or did. The runner commits it with the job's end and the next jobs, at once."""

    staged: Staged | None = None
    facts: Facts | None = None
    receipt: Receipt | None = None
    written: Written | None = None
    withdrawn: tuple[str, ...] = ()  # paths of sidecars of ours that were removed again
    moved: tuple[Moved, ...] = ()  # originals of one asset
    quarantine: str | None = None  # the reason, for a person
    is_gone: bool = False  # the reason is that it is not there any more
    setback: Setback | None = None
    removed_from_source: bool = False
    next_jobs: tuple[JobRequest, ...] = ()


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One job with what it is about. `resource` is set where the step's subject is a resource id."""

    job: "Job"
    resource: "Resource | None" = None


class Stage(Protocol):
    """One step. What `work.job.subject` names is the stage's to say: a resource, an asset, a folder."""

    name: ClassVar[str]
    after: ClassVar[tuple[str, ...]]
    needs: ClassVar[Needs]

    async def run(self, work: Work) -> Outcome:
        """Do the step. May be repeated after a crash at any point: must end in the same state."""

    async def committed(self, works: Sequence[Work]) -> None:
        """Called after these works' outcomes are in the database: let go of what is no longer needed.

        Each work's resource is as the outcome left it.
        """


# ---------------------------------------------------------------- rules


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A resource with its facts, when it has been examined."""

    resource: Resource
    facts: Facts | None


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that looks alike. `distance_bits` 0 to 64; `rotation` degrees it is turned against ours."""

    resource_id: int
    asset_id: int
    distance_bits: int
    rotation: int


class Library(Protocol):
    """The catalogue as a rule may read it, inside the writer's transaction."""

    def members(self, asset_id: int) -> Sequence[Member]: ...
    def by_content_identifier(self, identifier: str) -> Sequence[Member]: ...
    def beside(self, resource: Resource) -> Sequence[Member]:
        """Resources of the same source and folder whose names share its stem (`model.naming.stem`)."""

    def near(self, hashes: Sequence[int], *, within_bits: int) -> Sequence[Near]: ...
    def is_taken(self, path: str) -> bool:
        """Whether an archive path is reserved, comparing NFC and case-folded (I6)."""


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """Move resource `resource_id` into asset `asset_id` with this role."""

    resource_id: int
    asset_id: int
    role: Role


class Similar(msgspec.Struct, frozen=True, kw_only=True):
    """Note that a resource looks like one of another asset. Nothing is discarded for it."""

    resource_id: int
    of_resource_id: int
    distance_bits: int
    rotation: int  # degrees the other picture is turned against ours


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """Keep these names of the archive for resource `resource_id`, for good (P5)."""

    resource_id: int
    path: str  # relative to the archive, '/'-separated, NFC
    sidecar_path: str | None = None  # where our sidecar goes should this be its asset's primary file


Decision = Join | Similar | Reserve


# ---------------------------------------------------------------- bytes, media, copies


class Spool(Protocol):
    """Temporary files on the archive's own volume, one for each resource being taken in."""

    def sink(self, resource_id: int, *, size_bytes: int | None = None, version: str | None = None) -> Sink:
        """Where to pour one resource. `size_bytes` as announced, so that a full disk shows before the first byte.

        With `version`, what an interrupted fetch of that version left is continued.
        """

    def holds(self, resource_id: int) -> bool:
        """Whether something is held for this resource. Blocking."""

    async def finish(self, resource_id: int, sink: Sink) -> Staged:
        """Make what was poured durable; return its digest and length."""

    def open(self, resource_id: int) -> int:
        """A read-only descriptor of the staged file, the caller closes it. Raises Away; Retryable when lost."""

    async def discard(self, resource_id: int) -> None: ...


class Adoptions(Protocol):
    """Files of older backups, which are taken instead of fetching the same bytes."""

    async def candidates(self, resource: Resource) -> Sequence[Adoptable]:
        """Files that may be this resource, likeliest first."""

    async def pour(self, file: Adoptable, resource: Resource, source: Remote, sink: Sink) -> bool:
        """Pour the file; whether it is this resource. If not, what the sink holds is worth nothing.

        Raises what the sink raises; Away and NeedsHuman when the source was to be asked and cannot be.
        """


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandboxed child returns for one file."""

    facts: Facts
    thumbnail: bytes | None = None  # WebP, sRGB or embedded profile, upright, short side 250
    preview: bytes | None = None  # JPEG, EXIF orientation tag kept, short side >= 1440 or the original's


class ExamineRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the child cannot learn from the bytes alone."""

    name: str
    kind: Kind
    size_bytes: int
    modified_at_ms: int | None = None
    renditions: bool = True


class Examiner(Protocol):
    async def examine(self, descriptor: int, request: ExamineRequest) -> Examination:
        """One look at one open file. Never raises for the file's own faults: those are `facts.damage`.

        Raises Retryable when the box, not the file, is to blame (memory, a killed child).
        """


class Destination(Protocol):
    """A place that holds copies. Does not retry: `core.retry` does."""

    name: str

    async def deliver(self, resource: Resource) -> Receipt | Setback:
        """Make the copy and prove it. Safe to repeat. Raises Away, NeedsHuman, Retryable."""

    async def confirm(self, resource: Resource, receipt: Receipt) -> Receipt:
        """Prove an old copy again. Raises Away when the place is not there, Permanent when the copy is not whole."""


class Probe(Protocol):
    """One reading of the box. Never raises; `None` when it cannot be read."""

    name: str

    def read(self) -> float | None: ...


class Surface(Protocol):
    """A place people see and steer the box from. Uses `core.commands` and `core.bus` only."""

    async def run(self) -> None: ...


class Rule(Protocol):
    """A pure decision over facts, run in `after` order in the transaction that stores them."""

    name: ClassVar[str]
    after: ClassVar[tuple[str, ...]]

    def decide(self, resource: Resource, facts: Facts, library: Library) -> Iterable[Decision]: ...
