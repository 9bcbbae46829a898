"""Give a file a name on a volume, never over another file's (invariant I3): by what its file system can do.

link(2) first; else renameat2(2) with RENAME_NOREPLACE; else, on an archive whose file system has neither
(exFAT through FUSE), an empty file that is created with O_EXCL holds the place, and the rename goes over that.
A crash between those two leaves the empty file, which is taken for the placeholder it is on the next attempt.
"""

import ctypes
import errno
import os
import stat
from contextlib import suppress

from mediabox.durable.marker import FOLDER
from mediabox.durable.temporary import temporary_for, unlink_quietly, write_temporary
from mediabox.durable.volume import Volume
from mediabox.errors import NeedsHuman

# What file systems without hard links answer: vfat, exFAT and FUSE EPERM or ENOSYS, SMB EOPNOTSUPP.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
# What a file system answers that has no such flag; a server may refuse the whole call.
_NO_NOREPLACE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_NO_RENAME = (errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_RENAME_NOREPLACE = 1  # linux/fs.h
_PROBE = f"{FOLDER}/probe"


def give_name(volume: Volume, old: str, new: str) -> None:
    """Give the file `old` the name `new`: a second name where there are hard links, else its only one.

    Not synced. Raises FileExistsError; NeedsHuman `volume.unsuitable`; OSError.
    """
    if volume.needs_placeholders:
        _rename_over_placeholder(volume, old, new)
        return
    try:
        os.link(old, new, src_dir_fd=volume.fd, dst_dir_fd=volume.fd, follow_symlinks=False)
    except OSError as err:
        if err.errno not in _NO_LINKS:
            raise
        _rename_without_overwrite(volume, old, new)


def is_placeholder(volume: Volume, path: str) -> bool:
    """Whether the file at `path` is the empty one that a crash left where a file was about to be named."""
    if not volume.needs_placeholders:
        return False
    status = volume.stat(path)
    return stat.S_ISREG(status.st_mode) and status.st_size == 0


def probe_names(volume: Volume) -> None:
    """Find out how files get their names here, by one small file of ours that is gone afterwards.

    Raises NeedsHuman `volume.unsuitable` for a volume that cannot even rename: before anything is copied to it.
    """
    trial, named = temporary_for(f"{_PROBE}-1"), temporary_for(f"{_PROBE}-2")
    try:
        for left_over in (trial, named):
            unlink_quietly(left_over, dir_fd=volume.fd)
        write_temporary(trial, b"", dir_fd=volume.fd, sync=False)
    except OSError:  # full or read-only: that is said when something is written
        return
    volume.needs_placeholders = False
    try:
        _try_names(volume, trial, named)
    except OSError:  # as above
        return
    finally:
        with suppress(OSError):
            for left_over in (trial, named):
                unlink_quietly(left_over, dir_fd=volume.fd)


def _try_names(volume: Volume, trial: str, named: str) -> None:
    try:
        give_name(volume, trial, named)
    except NeedsHuman:
        try:
            os.rename(trial, named, src_dir_fd=volume.fd, dst_dir_fd=volume.fd)
        except OSError as err:
            if err.errno in _NO_RENAME:
                raise _unsuitable(volume) from err
            raise
        volume.needs_placeholders = True


def _rename_without_overwrite(volume: Volume, old: str, new: str) -> None:
    """renameat2(2) with RENAME_NOREPLACE, which Python does not offer."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    code = errno.ENOSYS
    if call is not None:
        done = call(volume.fd, os.fsencode(old), volume.fd, os.fsencode(new), ctypes.c_uint(_RENAME_NOREPLACE))
        if done == 0:
            return
        code = ctypes.get_errno()
    if code in _NO_NOREPLACE:
        raise _unsuitable(volume)
    raise OSError(code, os.strerror(code), new)


def _rename_over_placeholder(volume: Volume, old: str, new: str) -> None:
    os.stat(old, dir_fd=volume.fd, follow_symlinks=False)  # no place is held for what is not there
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=volume.fd))
    except FileExistsError:
        if not is_placeholder(volume, new):
            raise
    os.rename(old, new, src_dir_fd=volume.fd, dst_dir_fd=volume.fd)


def _unsuitable(volume: Volume) -> NeedsHuman:
    message = f"Volume {volume.name} ({volume.root}) can neither link files nor rename without overwriting"
    remedy = "Use a disk with ext4, XFS, Btrfs or exFAT for it, or a share that can rename files."
    return NeedsHuman(message, issue="volume.unsuitable", subject=volume.name, remedy=remedy)
