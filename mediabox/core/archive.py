"""The archive: plain files on a volume, each linked from the spool and read back before it counts."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from mediabox.contracts import Setback, Written
from mediabox.durable.directory_sync import DirectorySync
from mediabox.durable.names import is_placeholder
from mediabox.durable.publish import adopt, publish, remove, replace
from mediabox.durable.refusal import failing_disk
from mediabox.durable.threads import in_thread
from mediabox.durable.trash import move, name_again, unname
from mediabox.durable.verify import FileVerdict, check
from mediabox.errors import Permanent
from mediabox.failpoints import fp
from mediabox.message import message
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

    @in_thread
    def deliver(self, resource: Resource) -> Receipt | Setback:
        """Publish a staged resource at its reserved path and prove it.

        Safe to repeat after a crash at any point. A setback when the staged bytes are
        gone, or when a stranger's file is at the path.
        """
        path = _path(resource)
        if (setback := self._publish(resource, path)) is not None:
            return setback
        self._folders.sync(self._volume, path.rpartition("/")[0])
        verdict = self._check(resource)
        if verdict.state is not CopyState.PRESENT:
            message = (
                f"{resource.name} was written to the archive at {path} and reads back "
                f"{verdict.state.value} ({verdict.size_bytes} bytes, SHA-256 {verdict.digest})"
            )
            raise failing_disk(message, volume=self._volume.name)
        fp("file.proved")
        return Receipt(
            volume=self._volume.identity.uuid,
            path=path,
            size_bytes=resource.size_bytes or 0,
            digest=resource.digest or "",
            evidence=Evidence.REREAD,
        )

    def _publish(self, resource: Resource, path: str) -> Setback | None:
        self._volume.makedirs(path.rpartition("/")[0])
        if self._volume.exists(path) and not is_placeholder(self._volume, path):
            if self._check(resource).state is not CopyState.PRESENT:
                return Setback.OBSTRUCTED  # a stranger's
            adopt(self._volume, path, modified_at_ms=resource.modified_at_ms)  # published before a crash
            return None
        if not self._spool.holds(resource.id):
            return Setback.LOST
        try:
            publish(self._volume, self._spool.path_of(resource.id), path, modified_at_ms=resource.modified_at_ms)
        except FileExistsError:
            return Setback.OBSTRUCTED
        return None

    @in_thread
    def confirm(self, copy: Copy) -> None:
        """Read a copy again, past the cache. Raises Permanent when it is missing or damaged."""
        verdict = check(self._volume, copy.path, digest=copy.digest, size_bytes=copy.size_bytes)
        if verdict.state is not CopyState.PRESENT:
            raise Permanent(
                message("the archived file {path} is missing", path=copy.path)
                if verdict.state is CopyState.MISSING
                else message("the archived file {path} is damaged", path=copy.path)
            )

    @in_thread
    def let_go(self, resource_ids: Sequence[int]) -> None:
        """Forget the staged files of resources that are archived."""
        fp("file.committed")
        for resource_id in resource_ids:
            self._spool.discard_now(resource_id)

    @in_thread
    def move(self, path: str, to: str) -> None:
        """Give a file another name on the volume, to the trash or back. May be repeated.

        Raises FileNotFoundError when it is at neither, FileExistsError when another file is at `to`.
        """
        move(self._volume, path, to)

    @in_thread
    def name_again(self, path: str, to: str) -> None:
        """See `durable.trash`. Raises as `move`."""
        name_again(self._volume, path, to)

    @in_thread
    def unname(self, path: str, *, kept: str) -> None:
        """See `durable.trash`."""
        unname(self._volume, path, kept=kept)

    def _check(self, resource: Resource) -> FileVerdict:
        return check(self._volume, _path(resource), digest=resource.digest or "", size_bytes=resource.size_bytes or 0)

    # ------------------------------------------------------------ sidecars and manifests

    @in_thread
    def read_small(self, path: str) -> bytes | None:
        """A text file of ours, or None when there is none. Raises Away; Permanent for one larger than any of ours."""
        return self._read_small(path)

    @in_thread
    def write(self, path: str, content: bytes) -> Written:
        """Put a text file of ours in place, whole and durable."""
        self._volume.makedirs(path.rpartition("/")[0])
        replace(self._volume, path, content)
        return Written(path=path, digest=sha256(content).hexdigest(), size_bytes=len(content))

    @in_thread
    def withdraw(self, sidecar: SidecarFile) -> bool:
        """Remove a sidecar of ours that no asset needs any more, unless someone changed it. Whether it is gone."""
        content = self._read_small(sidecar.path)
        if content is not None and sha256(content).hexdigest() != sidecar.digest:
            return False
        remove(self._volume, sidecar.path)
        return True

    def _read_small(self, path: str) -> bytes | None:
        try:
            size_bytes = self._volume.stat(path).st_size
        except FileNotFoundError:
            return None
        if size_bytes > SMALL_BYTES:
            raise Permanent(
                message(
                    "{path} in the archive is too large for a sidecar ({size:bytes}); it is kept",
                    path=path,
                    size=size_bytes,
                )
            )
        return self._volume.read(path, SMALL_BYTES)


def _path(resource: Resource) -> str:
    if resource.path is None:
        message = f"resource {resource.id} has no place in the archive yet"
        raise ValueError(message)
    return resource.path
