"""Write an asset's sidecar: composed while only we wrote it, merged once anybody else did.

The file on disk decides, not what we remember of it: only a
sidecar that is byte for byte our own last one, and holds nothing of others, is
written anew as a whole.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from mediabox.contracts import Needs, Stage, StepResult, Subject, TextFiles, Work, Written
from mediabox.model.sidecar import COMPOSED_HEAD, Description, SidecarFile, SidecarRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from mediabox.contracts import SidecarEditor

_COMPOSED_HEAD = COMPOSED_HEAD.encode()


class Descriptions(Protocol):
    async def description(self, asset_id: int) -> Description | None:
        """What is known now; None while none of the asset's files is archived."""


class SidecarFiles(Protocol):
    async def read_small(self, path: str) -> bytes | None:
        """A text file of the archive; None when there is none. Raises Away, Permanent when it is too large."""

    async def write(self, path: str, content: bytes) -> Written:
        """Replace a text file of ours, durably. Raises Away, NeedsHuman."""

    async def withdraw(self, sidecar: SidecarFile) -> bool:
        """Remove a sidecar of ours unless somebody changed it; whether it is gone."""


class Describe(Stage):
    """Keeps the sidecar of one asset. `compose` is `native.sidecar_text.compose`."""

    name = "describe"
    summary = "Write the XMP sidecar next to the photo."
    subject = Subject.ASSET
    after = ("file",)
    needs = Needs(disk=True)
    width = 2

    def __init__(
        self,
        catalogue: Descriptions,
        archive: SidecarFiles,
        sidecars: SidecarEditor,
        *,
        compose: Callable[[SidecarRecord], bytes],
    ) -> None:
        self._catalogue, self._archive, self._sidecars, self._compose = catalogue, archive, sidecars, compose

    async def run(self, work: Work) -> StepResult:
        """Write the asset's sidecar when it does not say what it should.

        Raises Away, NeedsHuman, and Permanent when the file there is no XMP: then it
        is somebody else's and stays.
        """
        description = await self._catalogue.description(int(work.job.subject))
        if description is None:
            return StepResult()
        found = await self._archive.read_small(description.path)
        heir = None if found is not None else await self._left_behind(description)
        written = await self._write(description, found, heir)
        # Only now that the new one is durable: at no instant is the asset without a sidecar.
        stale = [heir[0] if heir and old.path == heir[0].path else old for old in description.stale]
        gone = [old.path for old in stale if await self._archive.withdraw(old)]
        return StepResult(TextFiles(written=written, removed=tuple(gone)) if written or gone else None)

    async def _left_behind(self, description: Description) -> tuple[SidecarFile, bytes, str] | None:
        """The sidecar at the earlier path as it is now, and as we last wrote it: what people added goes along."""
        for old in description.stale:
            content = await self._archive.read_small(old.path)
            if content is not None:
                now = SidecarFile(path=old.path, digest=hashlib.sha256(content).hexdigest())
                return now, content, old.digest
        return None

    async def _write(
        self, description: Description, existing: bytes | None, heir: tuple[SidecarFile, bytes, str] | None
    ) -> Written | None:
        before, written = (heir[1], heir[2]) if heir else (existing, description.written_digest)
        content = await self._content(description, before, written)
        if content != existing:
            return await self._archive.write(description.path, content)
        digest = hashlib.sha256(content).hexdigest()
        if digest == description.written_digest:
            return None
        # Written before a power cut that the database did not see.
        return Written(path=description.path, digest=digest, size_bytes=len(content))

    async def _content(self, description: Description, existing: bytes | None, written: str | None) -> bytes:
        source = await self._archive.read_small(description.source_path) if description.source_path else None
        composed = self._compose(description.record)
        if source is None and (existing in (None, composed) or _is_ours_alone(existing, written)):
            return composed
        return await self._sidecars.merge_sidecar(existing, source, description.record)


def _is_ours_alone(content: bytes | None, written_digest: str | None) -> bool:
    if content is None or not content.startswith(_COMPOSED_HEAD):
        return False
    return hashlib.sha256(content).hexdigest() == written_digest
