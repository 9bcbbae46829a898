"""Bytes being taken in, and who looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from mediabox.model.asset import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.contracts.source import Remote, Sink
    from mediabox.contracts.staged import Likeness, Staged
    from mediabox.model.adoptable import Adoptable
    from mediabox.model.asset import Resource
    from mediabox.model.facts import Facts
    from mediabox.model.recipe import Conversion, Converted, FitRequest, Recipe
    from mediabox.model.sidecar import SidecarRecord


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

    async def pour(self, file: Adoptable, resource: Resource, source: Remote, sink: Sink) -> Likeness | None:
        """Pour the file; how it was shown to be this resource. If it was not, what the sink holds is worth nothing.

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
    folder: str = ""  # where it lay at its source: `1998-07 Greece` tells of a date


class Examiner(Protocol):
    """Looks at a file where no harm can come of it: a sandboxed child here.

    Another engine, on another machine, would be sent the descriptor's bytes in its place: it
    is read from 0 to `request.size_bytes`, and nothing of it is kept.
    """

    async def examine(self, descriptor: int, request: ExamineRequest) -> Examination:
        """One look at one open file. Never raises for the file's own faults: those are `facts.damage`.

        Raises Retryable when the box, not the file, is to blame (memory, a killed child).
        """


ClipAt = tuple[int, int]  # an archived clip's descriptor, and where in a made file it was put


class Fitter(Protocol):
    """Makes an archived file what a destination wants, in a sandboxed child. Descriptors stay the caller's.

    All raise Permanent with a reason for a person when this file cannot be made so, Retryable
    when the box, not the file, is to blame.
    """

    async def fit(self, first: int, clip: int | None, request: FitRequest) -> Recipe:
        """How to put the file together; nothing is written."""

    async def check(
        self, result: int, first: int, *, media_type: str, name: str, size_bytes: int, clip: ClipAt | None = None
    ) -> Facts:
        """Read a made file back: its tags, after making sure that its picture data are those of `first`.

        `clip`, archived, and where in the result it was put: its data must be there, its index may be another.
        """

    async def convert(self, source: int, into: int, conversion: Conversion) -> Converted:
        """Encode anew into the empty file behind `into`, open for reading and writing."""


class SidecarEditor(Protocol):
    """Reads and merges sidecars, which are foreign XML. Raises Permanent when nobody can read one, Retryable."""

    async def merge_sidecar(self, existing: bytes | None, source: bytes | None, record: SidecarRecord) -> bytes:
        """What people wrote in `existing` and `source`, with what `record` knows."""

    async def parse_sidecar(self, content: bytes) -> SidecarRecord | None:
        """What we wrote into it; None when it is not one of ours."""


class MediaEngine(Examiner, Fitter, SidecarEditor, Protocol):
    """Everything that touches foreign bytes, as the box is given it."""

    async def close(self) -> None: ...
