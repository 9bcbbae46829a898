"""Give a file a name on a volume, by what its file system can do: found out once, when the volume is opened.

A placeholder (`links`) that a crash left is taken for what it is on the next attempt.
"""

import errno
import os
from contextlib import suppress

from mediabox.durable.links import is_empty, name_anew, name_over_placeholder
from mediabox.durable.marker import FOLDER
from mediabox.durable.temporary import temporary_for, unlink_quietly, write_temporary
from mediabox.durable.volume import Volume
from mediabox.errors import NeedsHuman
from mediabox.message import message

_NO_RENAME = (errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_PROBE = f"{FOLDER}/probe"


def give_name(volume: Volume, old: str, new: str) -> None:
    """Give the file `old` the name `new`: a second name where there are hard links, else its only one.

    Not synced. Raises FileExistsError; NeedsHuman `volume.unsuitable`; OSError.
    """
    if volume.needs_placeholders:
        name_over_placeholder(old, new, dir_fd=volume.fd)
    elif not name_anew(old, new, dir_fd=volume.fd):
        raise _unsuitable(volume)


def is_placeholder(volume: Volume, path: str) -> bool:
    """Whether the file at `path` is the empty one that a crash left where a file was about to be named."""
    return volume.needs_placeholders and is_empty(path, dir_fd=volume.fd)


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
    if name_anew(trial, named, dir_fd=volume.fd):
        return
    try:
        os.rename(trial, named, src_dir_fd=volume.fd, dst_dir_fd=volume.fd)
    except OSError as err:
        if err.errno in _NO_RENAME:
            raise _unsuitable(volume) from err
        raise
    volume.needs_placeholders = True


def _unsuitable(volume: Volume) -> NeedsHuman:
    what = message(
        "the disk of the {volume} ({root}) can neither link files nor rename them without overwriting",
        volume=volume.name,
        root=str(volume.root),
    )
    remedy = message("Use a disk with ext4, XFS, Btrfs or exFAT, or a network share that can rename files.")
    return NeedsHuman(what, issue="volume.unsuitable", subject=volume.name, remedy=remedy)
