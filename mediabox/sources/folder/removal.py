"""Remove the source's own copy of exactly the version that was archived."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from mediabox.errors import NeedsHuman, Permanent, Retryable
from mediabox.sources.folder.tree import Gone, Tree, remedy, show, version_of

Remover = Callable[[Path], object]
"""Unlinks a file and syncs its folder, as `durable.publish.remove_file`. Raises OSError.

It gets `/proc/self/fd/N/name`, where N is the folder that was opened step by step without
following links: whatever happens to the path meanwhile, the name is looked up in that folder.
"""


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
        remover(Path(f"/proc/self/fd/{folder}", parts[-1]))
    except OSError as err:
        if err.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise _refused(tree, parts, err, source) from err
        raise tree.translate(err, parts) from err
    if _is_there(parts[-1], folder):  # a remover that found nothing under its path must not count as done
        raise Retryable(f"{show(parts)} is still there after it was removed")


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _refused(tree: Tree, parts: tuple[str, ...], err: OSError, source: str) -> NeedsHuman:
    folder = os.path.join(tree.path, *parts[:-1])
    how = "make the disk writable" if err.errno == errno.EROFS else remedy(folder).replace("o+rX", "o+rwX")
    return NeedsHuman(
        f"{show(parts)} is archived but could not be removed: {os.strerror(err.errno or 0)}",
        issue="source.not_writable",
        subject=source,
        remedy=f"{how[0].upper()}{how[1:]}, or set the source to keep its files.",
    )
