"""One look at a staged file, in the sandboxed child: tags, one decode, renditions, analysers."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from mediabox.contracts import ExamineRequest, Needs, Outcome, Setback
from mediabox.errors import Away, Retryable
from mediabox.log import get_logger

if TYPE_CHECKING:
    from mediabox.contracts import Examination, Examiner, Spool, Work
    from mediabox.model.asset import Resource


log = get_logger(__name__)

RenditionName = Literal["thumb.webp", "preview.jpg"]


class Renditions(Protocol):
    """Where thumbnails and previews are kept, by the original's digest. Blocking."""

    def put(self, digest: str, name: RenditionName, content: bytes) -> None: ...


class Examine:
    """Facts and renditions. A file that cannot be decoded is flagged, never refused."""

    name: ClassVar[str] = "examine"
    after: ClassVar[tuple[str, ...]] = ("fetch",)
    needs: ClassVar[Needs] = Needs(cpu=True)

    def __init__(self, spool: Spool, examiner: Examiner, renditions: Renditions | None) -> None:
        self._spool, self._examiner, self._renditions = spool, examiner, renditions

    async def run(self, work: Work) -> Outcome:
        resource = work.require_resource()
        try:
            descriptor = await asyncio.to_thread(self._spool.open, resource.id)
        except Away:
            raise
        except Retryable:
            if await asyncio.to_thread(self._spool.holds, resource.id):
                raise
            return Outcome(setback=Setback.LOST)
        try:
            examination = await self._examiner.examine(descriptor, self._request(resource))
        finally:
            os.close(descriptor)
        await self._keep(resource, examination)
        return Outcome(facts=examination.facts)

    def _request(self, resource: Resource) -> ExamineRequest:
        return ExamineRequest(
            name=resource.name,
            kind=resource.kind,
            size_bytes=resource.size_bytes or 0,
            modified_at_ms=resource.modified_at_ms,
            renditions=self._renditions is not None,
            folder=resource.remote_id.rpartition("/")[0],
        )

    async def _keep(self, resource: Resource, examination: Examination) -> None:
        contents: dict[RenditionName, bytes] = {}
        if examination.thumbnail:
            contents["thumb.webp"] = examination.thumbnail
        if examination.preview:
            contents["preview.jpg"] = examination.preview
        if self._renditions is not None and contents:
            await asyncio.to_thread(self._put, resource.digest or "", contents)

    def _put(self, digest: str, contents: dict[RenditionName, bytes]) -> None:
        """A picture that cannot be shown is archived all the same: renditions can be made again, originals cannot."""
        for name, content in contents.items():
            if self._renditions is not None:
                try:
                    self._renditions.put(digest, name, content)
                except OSError as err:
                    log.warning("rendition_not_kept", rendition=name, reason=str(err))
