"""A folder of copies that a peer fetches from: `contracts.Outbox` on a volume of its own.

Files are made in the volume's own hidden folder, where the peer sees nothing, and get
their name in `photos` whole, synced and read back. They are copies: a peer's deletion
comes back to them, so never a link to an original. Where the file system can, a copy
shares the original's blocks until one of them changes (FICLONE, ioctl_ficlone(2)).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from hashlib import sha256
from typing import TYPE_CHECKING

from mediabox.contracts import Made
from mediabox.durable.publish import adopt, discard, publish, remove
from mediabox.durable.temporary import write_all
from mediabox.durable.verify import check
from mediabox.durable.volume import FOLDER
from mediabox.errors import NeedsHuman, Retryable
from mediabox.failpoints import fp
from mediabox.model.ledger import CopyState
from mediabox.model.recipe import Insert, Part, Recipe, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mediabox.durable.volume import Volume

PHOTOS = "photos"  # what the peer sees
MAKING = f"{FOLDER}/making"
_FICLONE = 0x40049409  # linux/fs.h
_BLOCK_BYTES = 1 << 20
_SHARED_MODE = 0o2775  # the peer's program may run as another user of the same group


class OutboxFolder:
    """See `contracts.Outbox`. Names are single path components."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    @property
    def folder(self) -> Path:
        return self._volume.root / PHOTOS

    async def prepare(self) -> None:
        """Make the folders. May be repeated."""
        await asyncio.to_thread(self._prepare)

    async def assemble(self, name: str, recipe: Recipe, files: Mapping[Part, int], digests: Mapping[Part, str]) -> Made:
        return await asyncio.to_thread(self._assemble, name, recipe, files, digests)

    async def scratch(self, name: str) -> int:
        return await asyncio.to_thread(self._create, name)

    async def seal(self, name: str) -> Made:
        return await asyncio.to_thread(self._seal, name)

    async def open_made(self, name: str) -> int:
        return await asyncio.to_thread(self._open_made, name)

    async def digest_of(self, name: str, offset: int, length: int) -> str:
        return await asyncio.to_thread(self._digest_of, name, offset, length)

    async def publish(self, name: str, made: Made, *, modified_at_ms: int | None) -> None:
        await asyncio.to_thread(self._publish, name, made, modified_at_ms)

    async def names(self) -> frozenset[str]:
        return await asyncio.to_thread(self._names, PHOTOS)

    async def is_whole(self, name: str, made: Made) -> bool:
        return await asyncio.to_thread(self._is_whole, f"{PHOTOS}/{name}", made)

    async def remove(self, name: str) -> None:
        await asyncio.to_thread(remove, self._volume, f"{PHOTOS}/{name}")

    async def clear(self) -> None:
        await asyncio.to_thread(self._clear)

    # ------------------------------------------------------------ in a thread

    def _prepare(self) -> None:
        self._volume.prove()
        for folder in (MAKING, PHOTOS):
            self._volume.makedirs(folder)
        with self._volume.refusals(f"share {PHOTOS}"):
            try:
                os.chmod(PHOTOS, _SHARED_MODE, dir_fd=self._volume.fd)
            except PermissionError:  # exFAT has no modes, a folder of another user's is theirs to share
                return

    def _create(self, name: str) -> int:
        """A new, empty file; what an earlier attempt left of it is gone."""
        path = _made(name)
        self._volume.prove()
        discard(self._volume, path)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._volume.refusals(f"write {path}"):
            return os.open(path, flags, 0o644, dir_fd=self._volume.fd)

    def _assemble(self, name: str, recipe: Recipe, files: Mapping[Part, int], digests: Mapping[Part, str]) -> Made:
        epoch = self._volume.epoch
        self._volume.prove(since=epoch)
        self._volume.ensure_room(recipe.size_bytes)
        descriptor = self._create(name)
        try:
            with self._volume.refusals(f"write {_made(name)}"):
                made = _copied(descriptor, recipe, files) or _poured(descriptor, recipe, files)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fp("deliver.made")
        self._volume.prove(since=epoch)  # a detached mount takes and syncs everything without complaint
        for part, digest in digests.items():
            if _is_whole_of(recipe, part) and made.digest == digest:
                continue
            if _digest(files[part]) != digest:
                raise Retryable(f"{name}: what was read of its {part.value} file is not what was archived")
        return made

    def _seal(self, name: str) -> Made:
        descriptor = self._open_made(name)
        try:
            with self._volume.refusals(f"sync {_made(name)}"):
                os.fsync(descriptor)
                return Made(digest=_digest(descriptor), size_bytes=os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def _open_made(self, name: str) -> int:
        with self._volume.refusals(f"open {_made(name)}"):
            return os.open(_made(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._volume.fd)

    def _digest_of(self, name: str, offset: int, length: int) -> str:
        digest = sha256()
        descriptor = self._open_made(name)
        try:
            for block in _read(descriptor, offset, length):
                digest.update(block)
        finally:
            os.close(descriptor)
        return digest.hexdigest()

    def _publish(self, name: str, made: Made, modified_at_ms: int | None) -> None:
        final = f"{PHOTOS}/{name}"
        if self._volume.exists(final):  # before a crash, or by the peer
            if not self._is_whole(final, made):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), final)
            adopt(self._volume, final, modified_at_ms=modified_at_ms)
        else:
            publish(self._volume, _made(name), final, modified_at_ms=modified_at_ms)
        self._volume.sync_directory(PHOTOS)
        fp("deliver.published")
        if not self._is_whole(final, made):
            raise self._failing(name)
        discard(self._volume, _made(name))

    def _is_whole(self, path: str, made: Made) -> bool:
        verdict = check(self._volume, path, digest=made.digest, size_bytes=made.size_bytes)
        return verdict.state is CopyState.PRESENT

    def _failing(self, name: str) -> NeedsHuman:
        return NeedsHuman(
            f"{name} was written to the outbox at {self.folder} and does not read back as written",
            issue="volume.failing",
            subject=self._volume.name,
            remedy="Check the disk (smartctl), its cable and the memory before trusting it with anything.",
        )

    def _clear(self) -> None:
        for name in self._names(MAKING):
            discard(self._volume, f"{MAKING}/{name}")

    def _names(self, folder: str) -> frozenset[str]:
        """Of the files in a folder, on a proven volume: an absent one has no empty folder."""
        epoch = self._volume.epoch
        self._volume.prove(since=epoch)
        with self._volume.refusals(f"list {folder}"):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._volume.fd)
            try:
                with os.scandir(descriptor) as entries:
                    names = frozenset(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
            finally:
                os.close(descriptor)
        self._volume.prove(since=epoch)
        return names


def _made(name: str) -> str:
    return f"{MAKING}/{name}"


def _copied(descriptor: int, recipe: Recipe, files: Mapping[Part, int]) -> Made | None:
    """A whole file as it is, its blocks shared; None where that is not asked for, or not possible here."""
    match recipe.pieces:
        case (Span(part=part, offset=0, length=length),) if length == os.fstat(files[part]).st_size:
            try:
                fcntl.ioctl(descriptor, _FICLONE, files[part])
            except OSError:  # another file system, or one that cannot
                return None
            return Made(digest=_digest(descriptor), size_bytes=length)
        case _:
            return None


def _poured(descriptor: int, recipe: Recipe, files: Mapping[Part, int]) -> Made:
    digest = sha256()
    for block in _blocks(recipe, files):
        write_all(descriptor, block)
        digest.update(block)
    return Made(digest=digest.hexdigest(), size_bytes=recipe.size_bytes)


def _blocks(recipe: Recipe, files: Mapping[Part, int]) -> Iterator[bytes]:
    for piece in recipe.pieces:
        match piece:
            case Insert(content=content):
                yield content
            case Span():
                yield from _read(files[piece.part], piece.offset, piece.length)


def _read(descriptor: int, offset: int, length: int) -> Iterator[bytes]:
    """Raises Retryable when the file is shorter than that."""
    end = offset + length
    while offset < end:
        block = os.pread(descriptor, min(_BLOCK_BYTES, end - offset), offset)
        if not block:
            raise Retryable(f"a file of the archive ends at {offset:,} bytes where {end:,} were expected")
        yield block
        offset += len(block)


def _is_whole_of(recipe: Recipe, part: Part) -> bool:
    """Whether the result is that file and nothing else: its hash is the file's."""
    return len(recipe.pieces) == 1 and isinstance(recipe.pieces[0], Span) and recipe.pieces[0].part is part


def _digest(descriptor: int) -> str:
    digest, offset = sha256(), 0
    while block := os.pread(descriptor, _BLOCK_BYTES, offset):
        digest.update(block)
        offset += len(block)
    return digest.hexdigest()
