"""The archive: plain files on a volume, each linked from the spool and read back before it counts."""

from __future__ import annotations

import asyncio
import os
from hashlib import sha256
from typing import TYPE_CHECKING

from mediabox.contracts import Setback, Written
from mediabox.durable.directory_sync import DirectorySync
from mediabox.durable.names import is_placeholder
from mediabox.durable.publish import adopt, publish, remove, replace
from mediabox.durable.trash import move, name_again, unname
from mediabox.durable.verify import Verdict, check
from mediabox.errors import NeedsHuman, Permanent
from mediabox.failpoints import fp
from mediabox.model.ledger import Copy, CopyState, Evidence, Receipt
from mediabox.model.sidecar import SidecarFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.durable.spool import SpoolFolder
    from mediabox.durable.volume import Volume
    from mediabox.model.asset import Resource

SMALL_BYTES = 8 << 20  # no sidecar or manifest is larger; a month's manifest of 50,000 files has 5 MB


class Archive:
    """The archive's volume: the originals, and the sidecars and manifests beside them."""

    name = "archive"

    def __init__(self, volume: Volume, spool: SpoolFolder) -> None:
        self._volume, self._spool = volume, spool
        self._folders = DirectorySync()

    # ------------------------------------------------------------ originals

    async def deliver(self, resource: Resource) -> Receipt | Setback:
        """Publish a staged resource at its reserved path and prove it.

        Safe to repeat after a crash at any point. A setback when the staged bytes are
        gone, or when a stranger's file is at the path.
        """
        return await asyncio.to_thread(self._deliver, resource)

    async def confirm(self, copy: Copy) -> None:
        """Read a copy again, past the cache. Raises Permanent when it is missing or damaged."""
        verdict = await asyncio.to_thread(
            check, self._volume, copy.path, digest=copy.digest, size_bytes=copy.size_bytes
        )
        if verdict.state is not CopyState.PRESENT:
            raise Permanent(f"the archive's copy at {copy.path} is {verdict.state.value}")

    async def let_go(self, resource_ids: Sequence[int]) -> None:
        """Forget the staged files of resources that are archived."""
        await asyncio.to_thread(self._let_go, resource_ids)

    def _deliver(self, resource: Resource) -> Receipt | Setback:
        path, folder = _path(resource), _path(resource).rpartition("/")[0]
        self._volume.makedirs(folder)
        if self._volume.exists(path) and not is_placeholder(
            self._volume, path
        ):  # published before a crash, or a stranger
            if self._check(resource).state is not CopyState.PRESENT:
                return Setback.OBSTRUCTED
            adopt(self._volume, path, modified_at_ms=resource.modified_at_ms)
        elif not self._spool.holds(resource.id):
            return Setback.LOST
        else:
            try:
                publish(
                    self._volume,
                    self._spool.path_of(resource.id),
                    path,
                    modified_at_ms=resource.modified_at_ms,
                )
            except FileExistsError:
                return Setback.OBSTRUCTED
        self._folders.sync(self._volume, folder)
        verdict = self._check(resource)
        if verdict.state is not CopyState.PRESENT:
            raise self._failing(resource, verdict)
        fp("file.proved")
        return self._receipt(resource)

    def _check(self, resource: Resource) -> Verdict:
        return check(self._volume, _path(resource), digest=resource.digest or "", size_bytes=resource.size_bytes or 0)

    def _failing(self, resource: Resource, verdict: Verdict) -> NeedsHuman:
        """What was read back is not what was written: the disk, its cable or the memory lies."""
        message = (
            f"{resource.name} was written to the archive at {_path(resource)} and reads back "
            f"{verdict.state.value} ({verdict.size_bytes} bytes, SHA-256 {verdict.digest})"
        )
        return NeedsHuman(
            message,
            issue="volume.failing",
            subject=self._volume.name,
            remedy="Check the disk (smartctl), its cable and the memory before trusting it with anything.",
        )

    def _receipt(self, resource: Resource) -> Receipt:
        return Receipt(
            volume=self._volume.identity.uuid,
            path=_path(resource),
            size_bytes=resource.size_bytes or 0,
            digest=resource.digest or "",
            evidence=Evidence.REREAD,
        )

    def _let_go(self, resource_ids: Sequence[int]) -> None:
        fp("file.committed")
        for resource_id in resource_ids:
            self._spool.discard_now(resource_id)

    async def move(self, path: str, to: str) -> None:
        """Give a file another name on the volume, to the trash or back. May be repeated.

        Raises FileNotFoundError when it is at neither, FileExistsError when another file is at `to`.
        """
        await asyncio.to_thread(move, self._volume, path, to)

    async def name_again(self, path: str, to: str) -> None:
        """See `durable.trash`. Raises as `move`."""
        await asyncio.to_thread(name_again, self._volume, path, to)

    async def unname(self, path: str, *, kept: str) -> None:
        """See `durable.trash`."""
        await asyncio.to_thread(unname, self._volume, path, kept=kept)

    # ------------------------------------------------------------ sidecars and manifests

    async def read_small(self, path: str) -> bytes | None:
        """A text file of ours, or None when there is none. Raises Away; Permanent for one larger than any of ours."""
        return await asyncio.to_thread(self._read_small, path)

    async def write(self, path: str, content: bytes) -> Written:
        """Put a text file of ours in place, whole and durable."""
        await asyncio.to_thread(self._write, path, content)
        return Written(path=path, digest=sha256(content).hexdigest(), size_bytes=len(content))

    async def withdraw(self, sidecar: SidecarFile) -> bool:
        """Remove a sidecar of ours that no asset needs any more, unless someone changed it. Whether it is gone."""
        content = await self.read_small(sidecar.path)
        if content is not None and sha256(content).hexdigest() != sidecar.digest:
            return False
        await asyncio.to_thread(remove, self._volume, sidecar.path)
        return True

    def _read_small(self, path: str) -> bytes | None:
        try:
            size_bytes = self._volume.stat(path).st_size
        except FileNotFoundError:
            return None
        if size_bytes > SMALL_BYTES:
            message = f"{path} in the archive has {size_bytes:,} bytes; no sidecar is that large, so it is left alone"
            raise Permanent(message)
        with self._volume.refusals(f"read {path}"):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._volume.fd)
            with open(descriptor, "rb") as file:
                return file.read(SMALL_BYTES)

    def _write(self, path: str, content: bytes) -> None:
        self._volume.makedirs(path.rpartition("/")[0])
        replace(self._volume, path, content)


def _path(resource: Resource) -> str:
    if resource.path is None:
        message = f"resource {resource.id} has no place in the archive yet"
        raise ValueError(message)
    return resource.path
