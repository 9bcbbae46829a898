"""One look at a staged file, in the sandboxed child: tags, one decode, renditions, analysers."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Protocol

from mediabox.contracts import ExamineRequest, Needs, Setback, Stage, StepResult, Subject
from mediabox.errors import Away, Retryable
from mediabox.log import get_logger
from mediabox.model.asset import ResourceState

if TYPE_CHECKING:
    from collections.abc import Collection

    from mediabox.contracts import Examination, Examiner, Spool, Work
    from mediabox.model.asset import Resource


log = get_logger(__name__)


class RenditionStore(Protocol):
    """Where thumbnails and previews are kept, by the original's digest. Blocking."""

    @property
    def wanted(self) -> Collection[str]:
        """Names of those the owner wants."""

    def keep(self, digest: str, seen: Examination) -> None: ...


class Examine(Stage):
    """Facts and renditions. A file that cannot be decoded is flagged, never refused."""

    name = "examine"
    summary = "Read date, place and other facts, and make a thumbnail and a preview."
    subject = Subject.RESOURCE
    after = ("fetch",)
    follows = ("fetched",)
    needs = Needs(cpu=True)
    expects = frozenset({ResourceState.STAGED, ResourceState.FILING, ResourceState.ARCHIVED})

    def __init__(self, spool: Spool, examiner: Examiner, renditions: RenditionStore, *, threads: int = 1) -> None:
        self._spool, self._examiner, self._renditions = spool, examiner, renditions
        self.width = threads + 1  # so that one is at hand whenever a decoder is free

    async def run(self, work: Work) -> StepResult:
        resource = work.of_resource
        try:
            descriptor = await asyncio.to_thread(self._spool.open, resource.id)
        except Away:
            raise
        except Retryable:
            if await asyncio.to_thread(self._spool.holds, resource.id):
                raise
            return StepResult(Setback.LOST)
        try:
            examination = await self._examiner.examine(descriptor, self._request(resource))
        finally:
            os.close(descriptor)
        await self._keep(resource, examination)
        return StepResult(examination.facts)

    def _request(self, resource: Resource) -> ExamineRequest:
        return ExamineRequest(
            name=resource.name,
            kind=resource.kind,
            size_bytes=resource.size_bytes or 0,
            modified_at_ms=resource.modified_at_ms,
            renditions=bool(self._renditions.wanted),
            folder=resource.remote_id.rpartition("/")[0],
        )

    async def _keep(self, resource: Resource, examination: Examination) -> None:
        """A picture that cannot be shown is archived all the same: renditions can be made again, originals cannot."""
        if examination.thumbnail or examination.preview:
            try:
                await asyncio.to_thread(self._renditions.keep, resource.digest or "", examination)
            except OSError as err:
                log.warning("rendition_not_kept", reason=str(err))
