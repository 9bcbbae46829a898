"""What a disk's refusal means for the work at hand: the one place where errno becomes a `MediaboxError`."""

import errno
import os
import shlex

from mediabox.errors import Away, MediaboxError, NeedsHuman, Permanent, Retryable
from mediabox.message import Text, message

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_OF_THE_PATH = {
    errno.ENAMETOOLONG: message("The disk's file system does not allow a name this long."),
    errno.EILSEQ: message("The disk's file system does not allow this name."),
    errno.ELOOP: message("There is a symbolic link in place of a folder or file of the archive; remove it."),
    errno.ENOTDIR: message("There is a file in place of a folder of the archive; move it away."),
    errno.EISDIR: message("There is a folder in place of a file of the archive; move it away."),
    errno.EFBIG: message("The disk's file system cannot store a file this large (FAT32: 4 GiB)."),
}
# A dead FUSE server, a stale NFS handle, a pulled USB disk, a sleeping server.
_GONE = (
    errno.ENOTCONN,
    errno.ESTALE,
    errno.ENODEV,
    errno.ENXIO,
    errno.ESHUTDOWN,
    errno.ECONNABORTED,
    errno.ECONNRESET,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ETIMEDOUT,
)
_BUSY = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EBUSY, errno.EAGAIN)


def refusal(err: OSError, *, volume: str, place: str, attempt: str) -> MediaboxError | None:
    """The error to raise for `err`, or None when it is a bug of ours and should escape as it is.

    `volume` is the volume's name, `place` where a person finds it, `attempt` what was tried on what.
    The caller has already made sure that the volume is there (an EIO from a disk that is gone is Away).
    """
    tried = message(
        "{attempt} ({volume}, {place}): {reason}", attempt=attempt, volume=volume, place=place, reason=str(err.strerror)
    )
    code = err.errno
    if code in _FULL:
        return NeedsHuman(
            message("{tried}. The quota is used up.", tried=tried)
            if code == errno.EDQUOT
            else message("{tried}. The disk is full.", tried=tried),
            issue="volume.full",
            subject=volume,
            remedy=message(
                "Free up space (or inodes, if `df -i` shows none free), raise the quota if there is one, or move the "
                "archive to a larger disk."
            ),
        )
    if code == errno.EROFS:
        return NeedsHuman(
            message("{tried}. The disk is read-only.", tried=tried),
            issue="volume.read_only",
            subject=volume,
            remedy=message(
                "Check the disk's health (a failing disk becomes read-only), its lock switch and how it is mounted."
            ),
        )
    if code in _FORBIDDEN:
        user, shown = os.geteuid(), shlex.quote(place)
        return NeedsHuman(
            tried,
            issue="volume.read_only",
            subject=volume,
            remedy=message(
                "Give the folder back to user {user}, who runs mediabox: `sudo chown -R {user} {path}`, then "
                "`sudo chmod -R u+rwX {path}`. `lsattr` shows whether a file was made immutable.",
                user=str(user),
                path=shown,
            ),
        )
    if code == errno.EIO:
        return NeedsHuman(
            message("{tried}. The disk is failing.", tried=tried),
            issue="volume.failing",
            subject=volume,
            remedy=message("Check cable and power, then the disk's health. Replace a failing disk first."),
        )
    if code in _GONE:
        return Away(tried, part=f"volume:{volume}")
    if code in _OF_THE_PATH:
        return Permanent(message("{tried}. {reason}", tried=tried, reason=_OF_THE_PATH[code]))
    if code in _BUSY or code == errno.ENOENT:  # ENOENT: swept or removed by hand meanwhile
        return Retryable(tried)
    return None


def failing_disk(what: Text, *, volume: str) -> NeedsHuman:
    """What was read back is not what was written: the disk, its cable or the memory lies."""
    remedy = message("Check the disk (`smartctl`), its cable and the memory before you rely on it.")
    return NeedsHuman(what, issue="volume.failing", subject=volume, remedy=remedy)
