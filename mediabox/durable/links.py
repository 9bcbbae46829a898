"""Give a file another name in the folder or volume of `dir_fd`, never over another file's (invariant I3).

link(2) first; else renameat2(2) with RENAME_NOREPLACE. Where a file system has neither (exFAT through
FUSE), an empty file created with O_EXCL holds the place, and the rename goes over that.
"""

import ctypes
import errno
import os
import stat

# What file systems without hard links answer: vfat, exFAT and FUSE EPERM or ENOSYS, SMB EOPNOTSUPP.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
# What a file system answers that has no such flag; a server may refuse the whole call.
_NO_NOREPLACE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_RENAME_NOREPLACE = 1  # linux/fs.h


def name_anew(old: str, new: str, *, dir_fd: int) -> bool:
    """A second name where there are hard links, else its only one. False, and nothing done, where neither can be.

    Not synced. Raises FileExistsError; OSError.
    """
    try:
        os.link(old, new, src_dir_fd=dir_fd, dst_dir_fd=dir_fd, follow_symlinks=False)
    except OSError as err:
        if err.errno not in _NO_LINKS:
            raise
        return _rename_without_overwrite(old, new, dir_fd)
    return True


def name_over_placeholder(old: str, new: str, *, dir_fd: int) -> None:
    """Hold the place, then rename. A crash between the two leaves an empty file, which the next attempt goes over.

    Not synced. Raises FileExistsError; OSError.
    """
    os.stat(old, dir_fd=dir_fd, follow_symlinks=False)  # no place is held for what is not there
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=dir_fd))
    except FileExistsError:
        if not is_empty(new, dir_fd=dir_fd):
            raise
    os.rename(old, new, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)


def is_empty(path: str, *, dir_fd: int) -> bool:
    """Whether a file without any bytes is there, as a placeholder is. Raises OSError."""
    try:
        status = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == 0


def _rename_without_overwrite(old: str, new: str, dir_fd: int) -> bool:
    """renameat2(2) with RENAME_NOREPLACE, which Python does not offer."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(dir_fd, os.fsencode(old), dir_fd, os.fsencode(new), ctypes.c_uint(_RENAME_NOREPLACE)) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_NOREPLACE:
        return False
    raise OSError(code, os.strerror(code), new)
