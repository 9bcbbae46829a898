"""A folder of copies that a peer fetches from: `contracts.Outbox` on a volume of its own.

Files are made in the volume's own hidden folder, where the peer sees nothing, and get
their name in `photos` whole, synced and read back. They are copies: a peer's deletion
comes back to them, so never a link to an original. Where the file system can, a copy
shares the original's blocks until one of them changes (FICLONE, ioctl_ficlone(2)).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from hashlib import sha256
from typing import TYPE_CHECKING

from mediabox.contracts import Lying, Made
from mediabox.durable.assembling import copied, digest_of, digest_of_original, is_whole_of, poured, read
from mediabox.durable.descriptors import DIRECTORY
from mediabox.durable.opening import opened_in_thread
from mediabox.durable.publish import adopt, discard, discard_stale, publish, remove, replace
from mediabox.durable.refusal import failing_disk
from mediabox.durable.threads import in_thread
from mediabox.durable.verify import check, digest_past_cache
from mediabox.durable.volume import FOLDER
from mediabox.errors import Retryable
from mediabox.failpoints import fp
from mediabox.message import message
from mediabox.model.ledger import CopyState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mediabox.durable.volume import Volume
    from mediabox.model.recipe import Part, Recipe

PHOTOS = "photos"  # what the peer sees
MAKING = f"{FOLDER}/making"
NOTES = f"{FOLDER}/published"  # a note for each file that may be in PHOTOS without a row
_SHARED_MODE = 0o2775  # the peer's program may run as another user of the same group


class OutboxFolder:
    """See `contracts.Outbox`. Names are single path components."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    @property
    def folder(self) -> Path:
        return self._volume.root / PHOTOS

    @in_thread
    def prepare(self) -> None:
        """Make the folders. May be repeated."""
        self._volume.prove()
        for folder in (MAKING, NOTES, PHOTOS):
            self._volume.makedirs(folder)
        with self._volume.refusals(f"share {PHOTOS}"):
            try:
                os.chmod(PHOTOS, _SHARED_MODE, dir_fd=self._volume.fd)
            except PermissionError:  # exFAT has no modes, a folder of another user's is theirs to share
                return

    @in_thread
    def assemble(self, name: str, recipe: Recipe, files: Mapping[Part, int], digests: Mapping[Part, str]) -> Made:
        epoch = self._volume.epoch
        self._volume.prove(since=epoch)
        self._volume.ensure_room(recipe.size_bytes)
        descriptor = self._create(name)
        try:
            with self._volume.refusals(f"write {_made(name)}"):
                made = copied(descriptor, recipe, files) or poured(descriptor, recipe, files)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fp("deliver.made")
        self._volume.prove(since=epoch)  # a detached mount takes and syncs everything without complaint
        for part, digest in digests.items():
            found = made.digest if is_whole_of(recipe, part, files) else digest_of_original(files[part])
            if found != digest:
                raise Retryable(message("{name}: its archived file differs from what was archived", name=name))
        return made

    async def scratch(self, name: str) -> int:
        return await opened_in_thread(self._scratch, name)

    async def open_made(self, name: str) -> int:
        return await opened_in_thread(self._volume.open_file, _made(name))

    @in_thread
    def seal(self, name: str) -> Made:
        with self._volume.opened(_made(name), f"sync {_made(name)}") as descriptor:
            os.fsync(descriptor)
            return Made(digest=digest_of(descriptor), size_bytes=os.fstat(descriptor).st_size)

    @in_thread
    def discard(self, name: str) -> None:
        discard(self._volume, _made(name))

    @in_thread
    def digest_of(self, name: str, offset: int, length: int) -> str:
        digest = sha256()
        with self._volume.opened(_made(name), f"read {_made(name)}") as descriptor:
            for block in read(descriptor, offset, length):
                digest.update(block)
        return digest.hexdigest()

    @in_thread
    def note(self, name: str, content: bytes) -> None:
        replace(self._volume, f"{NOTES}/{name}", content)

    @in_thread
    def notes(self) -> Mapping[str, bytes]:
        discard_stale(self._volume, NOTES)
        return {name: self._volume.read(f"{NOTES}/{name}") for name in self._files(NOTES)}

    @in_thread
    def forget(self, name: str) -> None:
        discard(self._volume, f"{NOTES}/{name}")

    @in_thread
    def publish(self, name: str, made: Made, *, modified_at_ms: int | None) -> None:
        final = f"{PHOTOS}/{name}"
        if self._volume.exists(final):  # before a crash, or by the peer
            if not self._is_whole(final, made):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), final)
            adopt(self._volume, final, modified_at_ms=modified_at_ms)
        else:
            publish(self._volume, _made(name), final, modified_at_ms=modified_at_ms)
        with self._volume.refusals(f"publish {final}"):
            self._volume.sync_directory(PHOTOS)
        fp("deliver.published")
        if not self._is_whole(final, made):
            remove(self._volume, final)  # before the peer takes it for the photo
            raise failing_disk(
                f"{name} was written to the outbox at {self.folder} and does not read back as written",
                volume=self._volume.name,
            )
        discard(self._volume, _made(name))

    @in_thread
    def files(self) -> Mapping[str, Lying]:
        return self._files(PHOTOS)

    @in_thread
    def read(self, path: str) -> Made:
        digest, size_bytes = digest_past_cache(self._volume, f"{PHOTOS}/{path}")
        return Made(size_bytes=size_bytes, digest=digest)

    @in_thread
    def is_whole(self, name: str, made: Made) -> bool:
        return self._is_whole(f"{PHOTOS}/{name}", made)

    @in_thread
    def remove(self, name: str) -> None:
        remove(self._volume, f"{PHOTOS}/{name}")

    @in_thread
    def clear(self) -> None:
        for name in self._files(MAKING):
            discard(self._volume, f"{MAKING}/{name}")

    # ------------------------------------------------------------ in a thread

    def _scratch(self, name: str) -> int:
        self._volume.ensure_room(0)  # nobody knows how large it will be: at least the reserve stays free
        return self._create(name)

    def _create(self, name: str) -> int:
        """A new, empty file; what an earlier attempt left of it is gone."""
        path = _made(name)
        self._volume.prove()
        discard(self._volume, path)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._volume.refusals(f"write {path}"):
            return os.open(path, flags, 0o644, dir_fd=self._volume.fd)

    def _is_whole(self, path: str, made: Made) -> bool:
        verdict = check(self._volume, path, digest=made.digest, size_bytes=made.size_bytes)
        return verdict.state is CopyState.PRESENT

    def _files(self, folder: str) -> dict[str, Lying]:
        """On a proven volume: an absent one has no empty folder."""
        epoch = self._volume.epoch
        self._volume.prove(since=epoch)
        with self._volume.opened(folder, f"list {folder}", DIRECTORY) as descriptor:
            found = dict(_walk(descriptor))
        self._volume.prove(since=epoch)
        return found


def _walk(folder: int) -> Iterator[tuple[str, Lying]]:
    """What goes while we look is not there; neither is what has no regular file's bytes."""
    for root, _, names, descriptor in os.fwalk(".", dir_fd=folder, onerror=_unless_gone):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    lying = Lying(size_bytes=status.st_size, changed_at_ms=status.st_ctime_ns // 1_000_000)
                    yield os.path.normpath(os.path.join(root, name)), lying


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _made(name: str) -> str:
    return f"{MAKING}/{name}"
