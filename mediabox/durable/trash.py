"""Where what was deleted at its source waits on the archive's own volume: another name, no bytes moved."""

import errno
import os

from mediabox.durable.marker import FOLDER
from mediabox.durable.names import give_name
from mediabox.durable.temporary import unlink_quietly
from mediabox.durable.volume import Volume, inside

TRASH = f"{FOLDER}/trash"


def in_trash(path: str) -> str:
    """Where a file of the archive lies while it is in the trash: under its own path, so that a person finds it."""
    return f"{TRASH}/{path}"


def move(volume: Volume, path: str, to: str) -> None:
    """Durably give a file another name on its volume, never over another file's; `to`'s folder is made.

    At every instant it has at least one of the two names. May be repeated: a move that
    a crash cut short is ended, one that was done is found done. Raises
    FileNotFoundError when it has neither name, FileExistsError when another file is at
    `to`; Away, NeedsHuman.
    """
    name_again(volume, path, to)
    unname(volume, path, kept=to)


def name_again(volume: Volume, path: str, to: str) -> None:
    """The first half of `move`: both names are there, or, where a file system knows no links, the second."""
    path, to = inside(path), inside(to)
    volume.prove()
    if not volume.exists(path):
        if not volume.exists(to):
            raise FileNotFoundError(errno.ENOENT, "no such file", path)
    else:
        volume.makedirs(to.rpartition("/")[0])
        with volume.refusals(f"move {path} to {to}"):
            try:
                give_name(volume, path, to)
            except FileExistsError:
                if not _is_same(volume, path, to):
                    raise
    with volume.refusals(f"move {path} to {to}"):
        volume.sync_directory(to.rpartition("/")[0])


def unname(volume: Volume, path: str, *, kept: str) -> None:
    """The second half: `path` goes, unless it is not the file that has the name `kept` as well."""
    path, kept = inside(path), inside(kept)
    volume.prove()
    with volume.refusals(f"move {path} to {kept}"):
        if volume.exists(path) and _is_same(volume, path, kept):
            unlink_quietly(path, dir_fd=volume.fd)  # gone already where a rename did both
        volume.sync_directory(path.rpartition("/")[0])


def _is_same(volume: Volume, path: str, to: str) -> bool:
    one, other = (os.stat(name, dir_fd=volume.fd, follow_symlinks=False) for name in (path, to))
    return os.path.samestat(one, other)
