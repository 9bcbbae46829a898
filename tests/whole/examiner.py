"""The media workers' contract without children: facts come from a table, made once by the real ones."""

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from mediabox.contracts import Examination, ExamineRequest
from mediabox.model.facts import Facts
from mediabox.model.sidecar import SidecarRecord
from mediabox.model.signature import kind_of_name
from mediabox.native import sidecar
from mediabox.native.worker import MediaWorkers

Table = Mapping[str, Facts]  # digest -> what the real workers said


class TableExaminer:
    """`native.worker.MediaWorkers` as the daemon uses it. What is not in the table is what its name says."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def examine(self, descriptor: int, request: ExamineRequest) -> Examination:
        content = await asyncio.to_thread(os.pread, descriptor, request.size_bytes + 1, 0)
        assert len(content) == request.size_bytes, f"{request.name} was staged with another length"
        facts = self._table.get(hashlib.sha256(content).hexdigest()) or _plain(request)
        rendition = hashlib.sha256(content).digest() if request.renditions else None
        return Examination(facts=facts, thumbnail=rendition, preview=rendition)

    async def merge_sidecar(self, existing: bytes | None, source: bytes | None, record: SidecarRecord) -> bytes:
        return sidecar.merge(existing, source, record)

    async def parse_sidecar(self, content: bytes) -> SidecarRecord | None:
        return sidecar.parse(content)

    async def close(self) -> None:
        """Nothing runs."""


def _plain(request: ExamineRequest) -> Facts:
    return Facts(kind=kind_of_name(request.name) or request.kind, media_type="application/octet-stream")


def read_table(path: Path) -> Table:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Facts])


def write_table(path: Path, files: Sequence[Path]) -> None:
    """Let the real workers look at some files and keep what they say."""
    path.write_bytes(msgspec.json.encode(asyncio.run(_examined(files))))


async def _examined(files: Sequence[Path]) -> dict[str, Facts]:
    workers, table = MediaWorkers(1), {}
    try:
        for file in files:
            status = file.stat()
            request = ExamineRequest(
                name=file.name,
                kind=kind_of_name(file.name),
                size_bytes=status.st_size,
                modified_at_ms=status.st_mtime_ns // 1_000_000,
            )
            with open(file, "rb") as opened:  # noqa: ASYNC230 - nobody waits for this loop
                examination = await workers.examine(opened.fileno(), request)
            table[hashlib.sha256(file.read_bytes()).hexdigest()] = examination.facts
    finally:
        await workers.close()
    return table
