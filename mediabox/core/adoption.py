"""Take files of an older backup instead of fetching the same bytes again.

Invariant: a file is adopted only when its bytes were held against the source's. The source's
own checksum says it for the whole file and costs no request; where it cannot say,
samples are asked for and compared byte for byte.
"""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from mediabox.contracts import Likeness
from mediabox.errors import Away, Permanent, Retryable
from mediabox.log import get_logger
from mediabox.model.adoptable import likely
from mediabox.model.signature import HEAD_BYTES
from mediabox.model.structure import Witness
from mediabox.store import adoptable
from mediabox.waiting import run_to_its_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from mediabox.contracts import Checksum, Remote, Sink
    from mediabox.model.adoptable import Adoptable
    from mediabox.model.asset import Resource
    from mediabox.store.database import Database

log = get_logger(__name__)

T = TypeVar("T")
CHUNK_BYTES = 1 << 20
LARGE_BYTES = 1_000_000  # from here on a second sample is worth its request
MIDDLE_BYTES = 64 << 10
STALL_S = 120.0  # a disk that sleeps takes 10 to 20 s to spin up, a NAS behind Wi-Fi longer

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FoundAdoptions:
    """`contracts.Adoptions` over what `mediabox adopt` has walked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Sources whose checksum was seen to agree with a file: there a difference is one, too.
        self._telling: set[str] = set()

    async def candidates(self, resource: Resource) -> list[Adoptable]:
        size_bytes = resource.size_bytes
        if not size_bytes:
            return []
        return likely(await self._database.read(lambda connection: adoptable.of_size(connection, size_bytes)), resource)

    async def pour(self, file: Adoptable, resource: Resource, source: Remote, sink: Sink) -> Likeness | None:
        """Pour the file, then judge it. Reads only; a file that changed since it was walked is not used."""
        try:
            opened = await _awaited(lambda: LocalFile.open(file))
            if opened is None:
                return None
            with closing(opened) as local:
                witness, checksum = Witness(), source.checksum(resource)
                is_whole = await _copy(local, sink, witness, checksum)
                likeness = await self._likeness(local, resource, source, witness, checksum) if is_whole else None
                return likeness if await _awaited(local.is_unchanged) else None
        except TimeoutError:
            log.warning("adoptable_unreadable", reason=f"its disk has not answered for {STALL_S:.0f} s")
            return None

    async def _likeness(
        self, local: LocalFile, resource: Resource, source: Remote, witness: Witness, checksum: Checksum | None
    ) -> Likeness | None:
        """How what was poured is the resource; None when it is not."""
        if checksum is not None and checksum.agrees:
            self._telling.add(resource.source)
            return Likeness.CHECKSUM
        if checksum is not None and resource.source in self._telling:
            return None
        complaint = witness.complaint()
        if complaint is not None:
            log.info("adoptable_incomplete", resource=resource.id, complaint=complaint)
            return None
        return Likeness.SAMPLES if await _has_samples(local, resource, source) else None


async def _copy(local: LocalFile, sink: Sink, witness: Witness, checksum: Checksum | None) -> bool:
    """Pour the file past whoever watches; whether all of it could be read. Raises what the sink raises."""

    def write(chunk: bytes) -> None:
        sink.write(chunk)
        witness.feed(chunk)
        if checksum is not None:
            checksum.feed(chunk)

    for start in range(0, local.size_bytes, CHUNK_BYTES):
        part = range(start, min(start + CHUNK_BYTES, local.size_bytes))
        # Read and write apart: a read that hangs must not come back to a sink that is somebody else's by then.
        chunk = await _awaited(partial(local.read, part))
        if len(chunk) < len(part):
            return False
        await run_to_its_end(write, chunk)
    return True


async def _has_samples(local: LocalFile, resource: Resource, source: Remote) -> bool:
    """Whether the file has the source's bytes where they are looked at. Raises Away, NeedsHuman."""
    for sample in samples_of(local.size_bytes):
        try:
            theirs = await source.sample(resource, sample.start, len(sample))
        except Away:
            raise
        except (Retryable, Permanent) as error:  # fetching it will say so, and better
            log.info("sample_failed", resource=resource.id, reason=str(error))
            return False
        if await _awaited(partial(local.read, sample)) != theirs:
            return False
    return True


def samples_of(size_bytes: int) -> tuple[range, ...]:
    """Which bytes of a file are compared: its beginning, and of a large one some of its middle."""
    head = range(min(HEAD_BYTES, size_bytes))
    if size_bytes <= LARGE_BYTES:
        return (head,)
    middle = size_bytes // 2
    return (head, range(middle, min(middle + MIDDLE_BYTES, size_bytes)))


class LocalFile:
    """One file of a backup, open. All methods block. Trouble with the file itself means that it is not used."""

    def __init__(self, descriptor: int, file: Adoptable) -> None:
        self._fd, self._file = descriptor, file

    @classmethod
    def open(cls, file: Adoptable) -> Self | None:
        """None when it is not there, or not as it was."""
        try:
            opened = cls(os.open(file.path, _OPEN), file)
        except OSError as error:  # its disk may be away
            log.info("adoptable_unreadable", reason=os.strerror(error.errno or 0))
            return None
        if opened.is_unchanged():
            return opened
        opened.close()
        return None

    def close(self) -> None:
        os.close(self._fd)

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    def is_unchanged(self) -> bool:
        """Whether it is as it was when it was walked."""
        status = os.fstat(self._fd)
        found = (stat.S_ISREG(status.st_mode), status.st_size, status.st_mtime_ns)
        return found == (True, self._file.size_bytes, self._file.modified_ns)

    def read(self, part: range) -> bytes:
        """These bytes, fewer where it ends or cannot be read."""
        content = b""
        while len(content) < len(part) and (piece := self._read(len(part) - len(content), part.start + len(content))):
            content += piece
        return content

    def _read(self, length: int, offset: int) -> bytes:
        try:
            return os.pread(self._fd, length, offset)
        except OSError as error:
            log.warning("adoptable_unreadable", reason=os.strerror(error.errno or 0))
            return b""


async def _awaited(work: Callable[[], T]) -> T:
    """Read in a thread. Raises TimeoutError when the disk does not answer."""
    async with asyncio.timeout(STALL_S):
        return await asyncio.to_thread(work)
