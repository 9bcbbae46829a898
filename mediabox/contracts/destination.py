"""Where copies go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from mediabox.clock import Clock
    from mediabox.contracts.media import Fitter
    from mediabox.contracts.rule import Member
    from mediabox.model.asset import Resource
    from mediabox.model.delivery import Delivered, Delivery, DeviceReport, Room, Sighting, Wish
    from mediabox.model.facts import CaptureTime
    from mediabox.model.issue import Issue
    from mediabox.model.place import Place
    from mediabox.model.query import Query
    from mediabox.model.recipe import Part, Recipe


class Deliverable(msgspec.Struct, frozen=True, kw_only=True):
    """An asset as a destination may choose from it: its archived files, facts with what sources say worked in."""

    asset_id: int
    members: tuple[Member, ...]
    burst: tuple[Member, ...] = ()  # the pictures of its burst, its own among them; () for none
    sent: frozenset[int] = frozenset()  # ids of its files that are on their way there, or were: they go no more


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery with the files it is made of: facts as each file's own bytes say."""

    delivery: Delivery
    first: Member
    clip: Member | None = None
    capture_time: CaptureTime | None = None  # the asset's, as its sidecar has it
    place: Place | None = None


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """A file among the copies that is none of those that are out: the peer made, renamed or brought it back."""

    path: str  # in the outbox
    name: str = ""  # what it was delivered as, as far as its own name tells
    digest: str = ""  # SHA-256; "" when it was only seen in passing, or cannot be read
    since_ms: int  # when it got this name here, Unix ms


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination shows now."""

    sightings: tuple[Sighting, ...] = ()
    foreign: tuple[Foreign, ...] = ()
    complaints: tuple[Issue, ...] = ()  # all there are: what is not named any more is over


class Originals(Protocol):
    """The archive, as a destination may read it."""

    async def open(self, resource: Resource) -> int:
        """A read-only descriptor of the archived copy, the caller closes it. Raises Away, NeedsHuman."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was written, synced."""

    size_bytes: int
    digest: str


class Lying(msgspec.Struct, frozen=True, kw_only=True):
    """How a file lies in a folder. A rename keeps `size_bytes`, and sets `changed_at_ms` (stat(2), st_ctime)."""

    size_bytes: int
    changed_at_ms: int


class Outbox(Protocol):
    """A folder of copies that a peer fetches from, and a place beside it, unseen, where they are made.

    Names are file names without folders. All methods raise Away when the disk is not there,
    NeedsHuman when it is full or not writable.
    """

    @property
    def folder(self) -> Path:
        """What the peer sees."""

    async def assemble(self, name: str, recipe: Recipe, files: Mapping[Part, int], digests: Mapping[Part, str]) -> Made:
        """Follow a recipe. Each file's own bytes are hashed on the way and must be `digests`, else Retryable."""

    async def scratch(self, name: str) -> int:
        """An empty file to be filled by somebody else, open for reading and writing; the caller closes it."""

    async def seal(self, name: str) -> Made:
        """Sync and hash what was filled."""

    async def open_made(self, name: str) -> int:
        """A read-only descriptor of what was made and is not published yet; the caller closes it."""

    async def discard(self, name: str) -> None:
        """Throw away what was made, if it is there and not needed any more. What was published stays."""

    async def digest_of(self, name: str, offset: int, length: int) -> str:
        """SHA-256 of a part of what was made."""

    async def note(self, name: str, content: bytes) -> None:
        """Durably write down what is about to be published under a name, in place of an older note."""

    async def notes(self) -> Mapping[str, bytes]:
        """All that was noted and not forgotten, by name. For the start, when nothing is being made."""

    async def forget(self, name: str) -> None:
        """Throw its note away, if there is one. It may be back after a power cut."""

    async def publish(self, name: str, made: Made, *, modified_at_ms: int | None) -> None:
        """Give it its name in the folder, durably, and read it back past the cache.

        Done already, it is only read back. Raises FileExistsError when another file is there.
        """

    async def files(self) -> Mapping[str, Lying]:
        """The files in the folder now, by name; those in folders of the peer's as `folder/name`."""

    async def read(self, path: str) -> Made:
        """Such a file as it is, read past the cache. Raises FileNotFoundError."""

    async def is_whole(self, name: str, made: Made) -> bool:
        """Whether the folder has this very file, read past the cache."""

    async def remove(self, name: str) -> None:
        """Durably unlink a copy from the folder, if it is there."""

    async def clear(self) -> None:
        """Throw away what was begun and never published. For the start, when nothing is being made."""


class DestinationTools(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination is given when it is built: `DESTINATION.build(settings, tools)`."""

    name: str  # as configured
    home: Path
    clock: Clock
    fitter: Fitter
    originals: Originals
    open_outbox: Callable[[Path], Awaitable[Outbox]]  # on a proven volume, enrolled under this destination's name


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination can do."""

    hashes: frozenset[str] = frozenset()  # which it computes itself of what it holds, and shows: "sha256"
    lists: bool = True  # shows what it holds; else a delivery stays accepted
    deletes: bool = True  # takes a file back out when asked
    keeps_originals: bool = True  # what it keeps in the end is the original, not a reduced version


class Destination(Protocol):
    """A place that holds copies. Knows no store; does not retry: `core.retry` does."""

    @classmethod
    def build(cls, settings: Any, tools: DestinationTools) -> Self:
        """From its own `Settings`. Reads and asks nothing yet."""

    name: str
    query: Query  # which assets it is asked about
    seen_by: frozenset[str] | None  # whose: names of the sources; None: everybody's
    rules: str  # a text that changes with these, or when `plan` may answer otherwise than before
    capabilities: Capabilities

    def plan(self, asset: Deliverable) -> Sequence[Wish]:
        """Which files of an asset that answers its query it wants, and in which form. Pure."""

    async def room(self) -> Room:
        """How much it takes at a time. Raises Away when it is not there, NeedsHuman."""

    async def deliver(self, parcel: Parcel) -> Delivered:
        """Make the file, prove it and hand it over. Safe to repeat. Raises Away, NeedsHuman, Retryable, Permanent."""

    async def look(self, out: Sequence[Delivery], *, has_stored: bool) -> Look:
        """How all deliveries that are out (accepted, stored) stand there now. Raises Away, NeedsHuman.

        `has_stored`: whether it has ever shown to have taken one.
        """

    async def withdraw(self, delivery: Delivery) -> None:
        """Take a file back out, for good; the place follows. Only what it has shown to have. Safe to repeat."""

    async def wait(self, timeout_s: float) -> bool:
        """Sleep until something may have changed (True) or the time is over (False)."""

    async def close(self) -> None: ...


@runtime_checkable
class Device(Protocol):
    """A destination behind which is a device of its own, with a battery and little space."""

    def take_report(self, report: DeviceReport | None) -> None:
        """How the device is, as somebody said within the last hour. Called before `room`."""
