"""Remove the source's own copy of exactly the version that was archived."""

import errno
import os
import stat
from typing import Protocol

from mediabox.errors import Gone, NeedsHuman, Permanent
from mediabox.sources.folder.tree import Tree, remedy, show, version_of


class Remover(Protocol):
    """Unlinks `name` in the folder open as `dir_fd` and syncs that folder: `durable.publish.remove_at`. Raises OSError.

    The folder was opened step by step without following links, so whatever happens to
    the path meanwhile, the name is looked up in that folder.
    """

    def __call__(self, name: str, /, *, dir_fd: int) -> None: ...


def remove(tree: Tree, parts: tuple[str, ...], *, version: str, remover: Remover, source: str) -> None:
    """Remove the file, or find it removed already on the disk that held it.

    Raises Permanent when it is another version now, Away, NeedsHuman when the folder
    may not be written.
    """
    try:
        with tree.folder_of(parts) as folder:
            _remove_in(folder, tree, parts, version=version, remover=remover, source=source)
    except Gone:
        return  # removed by us before a power cut, or by somebody else: the end that was asked for


def _remove_in(folder: int, tree: Tree, parts: tuple[str, ...], *, version: str, remover: Remover, source: str) -> None:
    try:
        status = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode) or version_of(status) != version:
            raise Permanent(f"{show(parts)} is not the archived version any more; it stays where it is")
        remover(parts[-1], dir_fd=folder)
    except OSError as err:
        if err.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise _refused(tree, parts, err, source) from err
        raise tree.translate(err, parts) from err


def _refused(tree: Tree, parts: tuple[str, ...], err: OSError, source: str) -> NeedsHuman:
    folder = os.path.join(tree.path, *parts[:-1])
    how = "make the disk writable" if err.errno == errno.EROFS else remedy(folder).replace("o+rX", "o+rwX")
    return NeedsHuman(
        f"{show(parts)} is archived but could not be removed: {os.strerror(err.errno or 0)}",
        issue="source.not_writable",
        subject=source,
        remedy=f"{how[0].upper()}{how[1:]}, or set the source to keep its files.",
    )
