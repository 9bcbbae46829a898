"""Files of exactly one mode, whatever the umask: keys and sealed sign-ins for their owner only, public keys for all."""

import errno
import os
from pathlib import Path

from mediabox.durable.temporary import abandon, only_writer, temporary_for, unlink_quietly, write_all

_FILE_MODE, _FOLDER_MODE = 0o600, 0o700
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # what file systems without hard links answer


def write_private(path: Path, content: bytes, *, replace: bool, mode: int = _FILE_MODE) -> None:
    """Durably write a file, 0600 if nothing else is said, whole or not at all; its folder is made with mode 0700.

    Raises FileExistsError when it is there and `replace` is False; OSError.
    """
    if not path.parent.is_dir():
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        _sync_folder(path.parent.parent)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Two processes may write here (daemon and command line), so the temp is named by its process.
        temp = temporary_for(f"{path.name}.{os.getpid()}")
        with only_writer(str(path.parent), path.name):
            _write(temp, content, mode=mode, dir_fd=folder)
            _name(temp, path.name, dir_fd=folder, replace=replace)
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(temp: str, content: bytes, *, mode: int, dir_fd: int) -> None:
    unlink_quietly(temp, dir_fd=dir_fd)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temp, flags, _FILE_MODE, dir_fd=dir_fd)
    try:
        try:
            os.fchmod(descriptor, mode)
            write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        abandon(temp, dir_fd=dir_fd)
        raise


def _name(temp: str, final: str, *, dir_fd: int, replace: bool) -> None:
    try:
        if replace:
            os.rename(temp, final, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        else:
            _link(temp, final, dir_fd=dir_fd)
            os.unlink(temp, dir_fd=dir_fd)
    except OSError:
        abandon(temp, dir_fd=dir_fd)
        raise


def _link(temp: str, final: str, *, dir_fd: int) -> None:
    try:
        os.link(temp, final, src_dir_fd=dir_fd, dst_dir_fd=dir_fd, follow_symlinks=False)
    except OSError as err:
        if err.errno not in _NO_LINKS:
            raise
        _copy_anew(temp, final, dir_fd=dir_fd)


def _copy_anew(temp: str, final: str, *, dir_fd: int) -> None:
    """Where there are no hard links (exFAT): a key has less than a sector, so it is written whole or not at all."""
    source = os.open(temp, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        target = os.open(final, flags, os.fstat(source).st_mode & 0o777, dir_fd=dir_fd)
        try:
            write_all(target, os.read(source, os.fstat(source).st_size))
            os.fsync(target)
        finally:
            os.close(target)
    finally:
        os.close(source)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
