"""List a folder's originals with their digests beside them, for `sha256sum -c` and for the day the box is gone."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from mediabox.contracts import Needs, Stage, StepResult, Subject, TextFiles, Work, Written
from mediabox.model.manifest import MANIFEST_NAME, Sum, compose_sums

if TYPE_CHECKING:
    from collections.abc import Sequence


class Catalogue(Protocol):
    async def sums(self, folder: str) -> Sequence[Sum]:
        """Every archived original directly in the folder."""


class Archive(Protocol):
    async def read_small(self, path: str) -> bytes | None:
        """A text file of the archive; None when there is none. Raises Away, Permanent when it is too large."""

    async def write(self, path: str, content: bytes) -> Written:
        """Replace a text file of ours, durably. Raises Away, NeedsHuman."""


class Manifest(Stage):
    """Keeps the `SHA256SUMS` of one folder."""

    name = "manifest"
    summary = "Update SHA256SUMS in the folder."
    subject = Subject.FOLDER
    after = ("file",)
    needs = Needs(disk=True)

    def __init__(self, catalogue: Catalogue, archive: Archive) -> None:
        self._catalogue, self._archive = catalogue, archive

    async def run(self, work: Work) -> StepResult:
        """Write the folder's manifest when it is not what it should be. Raises Away, NeedsHuman."""
        folder = work.job.subject
        path = f"{folder}/{MANIFEST_NAME}" if folder else MANIFEST_NAME
        content = compose_sums(await self._catalogue.sums(folder))
        existing = await self._archive.read_small(path)
        if not content and existing is None:
            return StepResult()
        if content == existing:  # perhaps written before a crash that the database did not see
            written = Written(path=path, digest=sha256(content).hexdigest(), size_bytes=len(content))
        else:
            written = await self._archive.write(path, content)
        return StepResult(TextFiles(written=written))
