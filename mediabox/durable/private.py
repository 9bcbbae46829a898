"""Files of exactly one mode, whatever the umask: keys and sealed sign-ins for their owner only, public keys for all."""

import os
import secrets
from collections.abc import Container
from pathlib import Path

from mediabox.durable.descriptors import DIRECTORY, open_descriptor, sync_folder
from mediabox.durable.links import is_empty, name_anew, name_over_placeholder
from mediabox.durable.temporary import abandon, only_writer, temporary_for, unlink_quietly, write_temporary

_FILE_MODE, _FOLDER_MODE = 0o600, 0o700


def write_private(path: Path, content: bytes, *, replace: bool, mode: int = _FILE_MODE) -> None:
    """Durably write a file, 0600 if nothing else is said, whole or not at all; its folder is made with mode 0700.

    Raises FileExistsError when it is there and `replace` is False; OSError.
    """
    if not path.parent.is_dir():
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        sync_folder(path.parent.parent)
    with open_descriptor(path.parent, DIRECTORY) as folder:
        # Two processes may write here (daemon and command line), so the temp is named by its process.
        temp = temporary_for(f"{path.name}.{os.getpid()}")
        with only_writer(str(path.parent), path.name):
            write_temporary(temp, content, dir_fd=folder, sync=True, mode=mode)
            _name(temp, path.name, dir_fd=folder, replace=replace)
        os.fsync(folder)


def keep_secret(folder: Path, content: bytes) -> str:
    """A private file that waits to be read once; its name. Raises OSError."""
    name = secrets.token_hex(16)
    write_private(folder / name, content, replace=False)
    return name


def erase_files(folder: Path, *, keep: Container[str]) -> None:
    """Overwrite and unlink every file of a folder but these. Raises OSError.

    A file system that copies on write, or a card's own wear levelling, may keep the old block.
    """
    doomed = [path for path in folder.iterdir() if path.name not in keep] if folder.is_dir() else []
    for path in doomed:
        with open(path, "r+b", buffering=0) as file:
            file.write(bytes(path.stat().st_size))
            os.fsync(file.fileno())
        path.unlink()
    if doomed:
        sync_folder(folder)


def _name(temp: str, final: str, *, dir_fd: int, replace: bool) -> None:
    try:
        if replace:
            os.rename(temp, final, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        elif is_empty(final, dir_fd=dir_fd) or not name_anew(temp, final, dir_fd=dir_fd):  # nothing of ours is empty
            name_over_placeholder(temp, final, dir_fd=dir_fd)
        unlink_quietly(temp, dir_fd=dir_fd)
    except OSError:
        abandon(temp, dir_fd=dir_fd)
        raise
