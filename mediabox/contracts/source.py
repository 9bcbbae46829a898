"""Where photos come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from mediabox.clock import Clock
    from mediabox.model.asset import Membership, RemoteAlbum, RemoteAsset, RemoteChange, RemoteResource, Resource
    from mediabox.model.issue import Issue
    from mediabox.model.sign_in import SignInResult, SignInStep
    from mediabox.model.status import Calls
    from mediabox.model.survey import Survey


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
    """Writes a file only its owner may read (`mode` 0600), durably. `replace`: over one; else FileExistsError."""

    def __call__(self, path: Path, content: bytes, *, replace: bool, mode: int = 0o600) -> None: ...


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

    def complaints(self) -> Sequence[Issue]:
        """What the last listing could not reach, for people."""

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
class SigningIn(Protocol):
    """A source that a person has to sign in to."""

    async def sign_in(self, step: SignInStep) -> SignInResult:
        """Take one step, at most once, and say what came of it. Raises Retryable, NeedsHuman."""


@runtime_checkable
class Streaming(Protocol):
    """A source that gains from several fetches at a time."""

    streams: int  # as many; it keeps to that itself


@runtime_checkable
class Counting(Protocol):
    """A source that asks a server things, and keeps count."""

    def figures(self) -> Sequence[Calls]:
        """Its own calls since it was built, by endpoint."""


@runtime_checkable
class Surveying(Protocol):
    """A source that can account for every name there is, also for what it left out."""

    def survey(self) -> Survey | None:
        """Of the last listing; None when it did not reach everything."""
