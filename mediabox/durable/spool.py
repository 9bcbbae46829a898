"""Bytes being taken in: one `.part` file per resource on the archive's own volume.

Filing is then a link, never a second copy. Invariant: a sink never writes to a file
that has another name. After filing, `.part` and the original are one file until the
temp is discarded; a repeated fetch must start a new file, not reach into the archive.
"""

import asyncio
import errno
import os
import stat
from hashlib import sha256
from typing import TYPE_CHECKING

from mediabox.contracts import Sink, Staged
from mediabox.durable import mark
from mediabox.durable.descriptors import DIRECTORY, open_descriptor
from mediabox.durable.publish import discard
from mediabox.durable.temporary import abandon, unlink_quietly, write_all
from mediabox.durable.volume import FOLDER, Volume
from mediabox.errors import Retryable
from mediabox.failpoints import fp
from mediabox.message import message

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

SPOOL = f"{FOLDER}/spool"
_PART = ".part"
_MARK = ".mark"
_PROVE_EVERY_BYTES = 64 << 20  # a long video must notice a vanished disk or a filling one on its way
_REREAD_BYTES = 1 << 20


class FileSink:
    """Where one resource's bytes go, hashed as they pass. Blocking; for one thread at a time.

    Opens its file at first use. With a `version` it takes up what an interrupted fetch
    of that version left (see `mark`), without one it begins anew. `size_bytes` is the
    length to expect, when the source knows, so that a full disk shows before the first
    byte. Closed by `SpoolFolder.finish`, `close`, or when let go.
    """

    def __init__(self, volume: Volume, path: str, *, size_bytes: int | None, version: str | None = None) -> None:
        self._volume = volume
        self._path = path
        self._expected_bytes = size_bytes
        self._version = version
        self._mark_path = mark_of(path)
        self._fd = -1
        self._epoch = 0
        self._offset = 0
        self._digest = sha256()
        self._prove_at = 0

    @property
    def offset(self) -> int:
        """Bytes already held from an earlier, interrupted fetch, or poured since. Raises Away, NeedsHuman."""
        self._require_open()
        return self._offset

    def restart(self) -> None:
        """Forget what is held; the next byte poured is the first. Raises Away, NeedsHuman."""
        self.close()
        with self._volume.refusals(f"restart {self._path}"):
            unlink_quietly(self._path, dir_fd=self._volume.fd)
            mark.forget(self._mark_path, dir_fd=self._volume.fd)

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append, as is: callers choose the chunk (256 KiB and more cost least). Raises Away, NeedsHuman."""
        if self._offset >= self._prove_at:
            self._require_open()
            self._prove()
        try:
            write_all(self._fd, chunk)
        except OSError as err:
            raise self._given_up(err) from err
        self._digest.update(chunk)
        self._offset += len(chunk)

    def close(self) -> None:
        """Close the file, keeping what was poured for a later sink to take up. May be repeated."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._offset, self._prove_at = -1, 0, 0
        self._digest = sha256()

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def make_durable(self) -> Staged:
        """Sync what was poured, then close. For `SpoolFolder.finish`.

        After a failed fdatasync the kernel may have dropped the dirty pages and call the
        next one a success, so the file is thrown away and fetched again, never synced again.
        """
        self._require_open()
        fp("fetch.poured")
        try:
            os.fdatasync(self._fd)
            found_bytes = os.fstat(self._fd).st_size
        except OSError as err:
            self.close()
            abandon(self._path, dir_fd=self._volume.fd)
            raise self._volume.refused(err, f"sync {self._path}") from err
        fp("fetch.synced")
        staged = Staged(digest=self._digest.hexdigest(), size_bytes=self._offset)
        self.close()
        self._volume.prove(since=self._epoch)  # a descriptor of a detached mount syncs without complaint
        if found_bytes != staged.size_bytes:
            discard(self._volume, self._path)
            raise Retryable(
                message(
                    "{path} has {found:n} bytes instead of {wanted:n}; it was discarded",
                    path=self._path,
                    found=found_bytes,
                    wanted=staged.size_bytes,
                )
            )
        return staged

    def _given_up(self, err: OSError) -> Exception:
        """Close, so that a torn write is found by reading it, not by counting. What an EIO touched is not kept."""
        attempt = f"write to {self._path} after {self._offset:,} bytes"
        self.close()
        if err.errno == errno.EIO:
            abandon(self._path, dir_fd=self._volume.fd)
        return self._volume.refused(err, attempt)

    def _prove(self) -> None:
        self._volume.prove(since=self._epoch)
        left = (self._expected_bytes or 0) - self._offset
        self._volume.ensure_room(max(left, 0))
        if self._version is not None and self._offset:
            self._checkpoint(self._version)
        self._prove_at = self._offset + _PROVE_EVERY_BYTES

    def _checkpoint(self, version: str) -> None:
        """Make what was poured so far something to continue from even after a power cut."""
        try:
            os.fdatasync(self._fd)
            self._note(version, synced_bytes=self._offset)
        except OSError as err:
            self.close()
            abandon(self._path, dir_fd=self._volume.fd)
            raise self._volume.refused(err, f"sync {self._path}") from err

    def _note(self, version: str, *, synced_bytes: int) -> None:
        note = mark.Mark(version=version, boot=mark.boot_id(), synced_bytes=synced_bytes)
        mark.put(self._mark_path, note, dir_fd=self._volume.fd)

    def _require_open(self) -> None:
        if self._fd >= 0:
            return
        self._epoch = self._volume.epoch
        self._volume.prove(since=self._epoch)
        self._volume.makedirs(SPOOL)
        with self._volume.refusals(f"open {self._path}"):
            self._fd = self._take_up()
            try:
                self._hash_held()
            except OSError:
                self.close()
                raise

    def _take_up(self) -> int:
        """A descriptor at the end of what is held, or of a new, empty file."""
        dir_fd = self._volume.fd
        try:
            held = os.stat(self._path, dir_fd=dir_fd, follow_symlinks=False)
        except FileNotFoundError:
            held = None
        usable = self._usable(held) if held else 0
        if usable:
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
            os.ftruncate(descriptor, usable)
            return descriptor
        if held:
            os.unlink(self._path, dir_fd=dir_fd)
        if self._version is not None:
            self._note(self._version, synced_bytes=0)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self._path, flags, 0o644, dir_fd=dir_fd)

    def _usable(self, held: os.stat_result) -> int:
        """How many of the held bytes this fetch may continue from. A published file is never written to."""
        is_ours_alone = held.st_nlink == 1 and bool(held.st_mode & stat.S_IWUSR)
        if self._version is None or not is_ours_alone:
            return 0
        return mark.usable_bytes(self._mark_path, self._version, held_bytes=held.st_size, dir_fd=self._volume.fd)

    def _hash_held(self) -> None:
        while block := os.pread(self._fd, _REREAD_BYTES, self._offset):
            self._digest.update(block)
            self._offset += len(block)


class SpoolFolder:
    """`contracts.Spool` on a volume. Nothing in it is needed once its resource is archived."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def sink(self, resource_id: int, *, size_bytes: int | None = None, version: str | None = None) -> FileSink:
        """A sink for one resource; touches the disk only when used. `size_bytes` as the source announced it.

        With `version` it continues what an interrupted fetch of that version left.
        """
        return FileSink(self._volume, self.path_of(resource_id), size_bytes=size_bytes, version=version)

    async def finish(self, resource_id: int, sink: Sink) -> Staged:
        """Make what was poured durable. Raises Away, NeedsHuman, Retryable; then what was poured may be gone."""
        if not isinstance(sink, FileSink):
            message = f"resource {resource_id} was poured into a {type(sink).__name__}, not into this spool"
            raise TypeError(message)
        return await asyncio.to_thread(sink.make_durable)

    def open(self, resource_id: int) -> int:
        """A read-only descriptor of the staged file, closed by the caller. Raises Away; Retryable when it is lost."""
        self._volume.prove()
        return self._volume.open_file(self.path_of(resource_id))

    def holds(self, resource_id: int) -> bool:
        """Whether anything is held for a resource. Blocking. Raises Away."""
        return self._volume.exists(self.path_of(resource_id))

    async def discard(self, resource_id: int) -> None:
        """Unlink the staged file, if it is there. Raises Away, NeedsHuman."""
        await asyncio.to_thread(self.discard_now, resource_id)

    def discard_now(self, resource_id: int) -> None:
        """As `discard`. Blocking."""
        path = self.path_of(resource_id)
        discard(self._volume, path)
        discard(self._volume, mark_of(path))

    def sweep(self, keep: "AbstractSet[int]") -> int:
        """Unlink all but the files of `keep`; how many. Blocking. For the start, when nothing is poured."""
        self._volume.prove()
        wanted = {f"{resource_id:d}{suffix}" for resource_id in keep for suffix in (_PART, _MARK)}
        stale = [name for name in self._names() if name not in wanted]
        for name in stale:
            discard(self._volume, f"{SPOOL}/{name}")
        return len(stale)

    def path_of(self, resource_id: int) -> str:
        """The staged file's path on the volume, for `publish`."""
        return f"{SPOOL}/{resource_id:d}{_PART}"

    def _names(self) -> list[str]:
        with self._volume.refusals("list the spool"):
            try:
                with open_descriptor(SPOOL, DIRECTORY, dir_fd=self._volume.fd) as descriptor:
                    return os.listdir(descriptor)
            except FileNotFoundError:  # nothing was ever taken in
                return []


def mark_of(path: str) -> str:
    """Where the note beside a staged file is."""
    return path.removesuffix(_PART) + _MARK
