"""One file on its way into a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.model.structure import Witness
from mediabox.sources.icloud.checksum import checksum_of
from mediabox.waiting import run_to_its_end

if TYPE_CHECKING:
    from mediabox.contracts import Sink
    from mediabox.model.asset import Resource


class Pour:
    """One file on its way. Invariant: the sink holds exactly the first `offset` bytes of this version."""

    def __init__(self, resource: Resource, sink: Sink, *, size: int | None, offset: int) -> None:
        self.resource = resource
        self.size = size
        self.offset = offset
        self.tag: str | None = None
        self._sink = sink
        # Who did not see the beginning cannot judge the end.
        self.witness = None if offset else Witness()
        self.checksum = None if offset else checksum_of(resource.version)

    @property
    def is_whole(self) -> bool:
        return self.size is not None and self.offset == self.size

    def headers(self) -> dict[str, str]:
        if not self.offset:
            return {}
        condition = {"If-Range": self.tag} if self.tag is not None and not self.tag.startswith("W/") else {}
        return {"Range": f"bytes={self.offset}-", **condition}

    async def restart(self) -> None:
        await run_to_its_end(self._sink.restart)
        self.offset, self.witness, self.checksum = 0, Witness(), checksum_of(self.resource.version)

    async def write(self, chunk: bytes) -> None:
        await run_to_its_end(self._keep, chunk)
        self.offset += len(chunk)
        if self.witness is not None:
            self.witness.feed(chunk)

    def _keep(self, chunk: bytes) -> None:
        """Blocking: a hash of a megabyte takes about as long as its write."""
        self._sink.write(chunk)
        if self.checksum is not None:
            self.checksum.feed(chunk)
