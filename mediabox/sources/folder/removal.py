"""Remove the source's own copy of exactly the version that was archived."""

import errno
import os
import stat
from hashlib import sha256
from typing import Protocol

from mediabox.errors import Gone, NeedsHuman, Permanent
from mediabox.model.asset import Resource
from mediabox.sources.folder.remedies import permission_words
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
    return Permanent(f"{show(parts)} is not the archived version any more; it stays where it is")


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
    how = "make the disk writable" if err.errno == errno.EROFS else permission_words(folder, write=True)
    return NeedsHuman(
        f"{show(parts)} is archived but could not be removed: {os.strerror(err.errno or 0)}",
        issue="source.not_writable",
        subject=source,
        remedy=f"{how[0].upper()}{how[1:]}, or set the source to keep its files.",
    )
