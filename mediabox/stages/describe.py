"""Write an asset's sidecar: composed while only we wrote it, merged once anybody else did.

Subject: an asset's id. The file on disk decides, not what we remember of it: only a
sidecar that is byte for byte our own last one, and holds nothing of others, is
written anew as a whole.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec

from mediabox.contracts import Needs, Outcome, Work, Written
from mediabox.model.sidecar import COMPOSED_HEAD, SidecarRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COMPOSED_HEAD = COMPOSED_HEAD.encode()


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of an asset, and where."""

    record: SidecarRecord
    path: str  # of our sidecar, in the archive
    written_digest: str | None = None  # of what we last wrote there
    source_path: str | None = None  # the owner's own XMP of this asset, when it is archived


class Catalogue(Protocol):
    async def description(self, asset_id: int) -> Description | None:
        """What is known now; None while none of the asset's files is archived."""


class Archive(Protocol):
    async def read_small(self, path: str) -> bytes | None:
        """A text file of the archive; None when there is none. Raises Away, Permanent when it is too large."""

    async def write(self, path: str, content: bytes) -> Written:
        """Replace a text file of ours, durably. Raises Away, NeedsHuman."""


class Merger(Protocol):
    async def merge_sidecar(self, existing: bytes | None, source: bytes | None, record: SidecarRecord) -> bytes:
        """`native.sidecar.merge` in a sandboxed child. Raises Permanent when `existing` is no XMP."""


class Describe:
    """Keeps the sidecar of one asset. `compose` is `native.sidecar_text.compose`."""

    name: ClassVar[str] = "describe"
    after: ClassVar[tuple[str, ...]] = ("file",)
    needs: ClassVar[Needs] = Needs(disk=True)

    def __init__(
        self, catalogue: Catalogue, archive: Archive, merger: Merger, *, compose: Callable[[SidecarRecord], bytes]
    ) -> None:
        self._catalogue, self._archive, self._merger, self._compose = catalogue, archive, merger, compose

    async def run(self, work: Work) -> Outcome:
        """Write the asset's sidecar when it does not say what it should.

        Raises Away, NeedsHuman, and Permanent when the file there is no XMP: then it
        is somebody else's and stays.
        """
        description = await self._catalogue.description(int(work.job.subject))
        if description is None:
            return Outcome()
        existing = await self._archive.read_small(description.path)
        content = await self._content(description, existing)
        if content != existing:
            return Outcome(written=await self._archive.write(description.path, content))
        digest = hashlib.sha256(content).hexdigest()
        if digest == description.written_digest:
            return Outcome()
        # Written before a power cut that the database did not see.
        return Outcome(written=Written(path=description.path, digest=digest, size_bytes=len(content)))

    async def committed(self, works: Sequence[Work]) -> None:
        """Nothing is held between steps."""

    async def _content(self, description: Description, existing: bytes | None) -> bytes:
        source = await self._archive.read_small(description.source_path) if description.source_path else None
        if source is None and (existing is None or _is_ours_alone(existing, description.written_digest)):
            return self._compose(description.record)
        return await self._merger.merge_sidecar(existing, source, description.record)


def _is_ours_alone(content: bytes, written_digest: str | None) -> bool:
    return content.startswith(_COMPOSED_HEAD) and hashlib.sha256(content).hexdigest() == written_digest


STAGE = Describe
