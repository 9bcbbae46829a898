"""Remove the source's own copy of exactly the version that was archived."""

import errno
import os
import stat
from hashlib import sha256
from typing import Protocol

from mediabox.errors import Gone, NeedsHuman, Permanent
from mediabox.message import message
from mediabox.model.asset import Resource
from mediabox.sources.folder.remedies import permission_remedy
from mediabox.sources.folder.tree import Tree, show, version_of

_BLOCK_BYTES = 1 << 18  # hashed while it is in the cache


class Remover(Protocol):
    """Unlinks `name` in the folder open as `dir_fd` and syncs that folder: `durable.publish.remove_at`. Raises OSError.

    The folder was opened step by step without following links, so whatever happens to
    the path meanwhile, the name is looked up in that folder.
    """

    def __call__(self, name: str, /, *, dir_fd: int) -> None: ...


def remove(tree: Tree, parts: tuple[str, ...], *, archived: Resource, remover: Remover, source: str) -> None:
    """Remove the file, or find it removed already on the disk that held it.

    Its bytes are read once more: an edit may keep size and time. Raises Permanent when
    they are not the archived ones, Away, NeedsHuman when the folder may not be written.
    """
    try:
        _require_archived_bytes(tree, parts, archived)
        with tree.folder_of(parts) as folder:
            _remove_in(folder, tree, parts, version=archived.version, remover=remover, source=source)
    except Gone:
        return  # removed by us before a power cut, or by somebody else: the end that was asked for


def _require_archived_bytes(tree: Tree, parts: tuple[str, ...], archived: Resource) -> None:
    with tree.file(parts) as (descriptor, status):
        if version_of(status) != archived.version:
            raise _changed(parts)
        digest = sha256()
        try:
            while block := os.read(descriptor, _BLOCK_BYTES):
                digest.update(block)
        except OSError as err:
            raise tree.translate(err, parts) from err
    if digest.hexdigest() != archived.digest:
        raise _changed(parts)


def _changed(parts: tuple[str, ...]) -> Permanent:
    return Permanent(message("{path} has changed since it was archived; it is kept", path=show(parts)))


def _remove_in(folder: int, tree: Tree, parts: tuple[str, ...], *, version: str, remover: Remover, source: str) -> None:
    try:
        status = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode) or version_of(status) != version:
            raise _changed(parts)
        remover(parts[-1], dir_fd=folder)
    except OSError as err:
        if err.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise _refused(tree, parts, err, source) from err
        raise tree.translate(err, parts) from err


def _refused(tree: Tree, parts: tuple[str, ...], err: OSError, source: str) -> NeedsHuman:
    folder = os.path.join(tree.path, *parts[:-1])
    is_read_only = err.errno == errno.EROFS
    how = message("Make the disk writable.") if is_read_only else permission_remedy(folder, write=True)
    return NeedsHuman(
        message(
            "{path} is archived but cannot be deleted: {reason}", path=show(parts), reason=os.strerror(err.errno or 0)
        ),
        issue="source.not_writable",
        subject=source,
        remedy=message("{how} Or set the source to keep its files.", how=how),
    )
