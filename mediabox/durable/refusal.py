"""What a disk's refusal means for the work at hand: the one place where errno becomes a `MediaboxError`."""

import errno
import os
import shlex

from mediabox.errors import Away, MediaboxError, NeedsHuman, Permanent, Retryable

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_OF_THE_PATH = {
    errno.ENAMETOOLONG: "The volume's file system takes no name as long as this.",
    errno.EILSEQ: "The volume's file system does not take this name.",
    errno.ELOOP: "A symbolic link stands where a folder or file of the archive has to be: take it away.",
    errno.ENOTDIR: "A file stands where a folder of the archive has to be: take it away.",
    errno.EISDIR: "A folder stands where a file of the archive has to be: take it away.",
    errno.EFBIG: "The volume's file system cannot hold a file of this size (FAT32: 4 GiB).",
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
    tried = f"{attempt} on {volume} ({place}): {err.strerror}"
    code = err.errno
    if code in _FULL:
        return NeedsHuman(
            f"{tried}. {'Its quota is used up' if code == errno.EDQUOT else 'The volume is full'}.",
            issue="volume.full",
            subject=volume,
            remedy="Free space on it (or inodes, if `df -i` shows none), raise the quota if there is one, or move the "
            "archive to a larger disk.",
        )
    if code == errno.EROFS:
        return NeedsHuman(
            f"{tried}. The volume cannot be written to.",
            issue="volume.read_only",
            subject=volume,
            remedy="Check the disk's health (a failing one is made read-only), its lock switch and how it is mounted.",
        )
    if code in _FORBIDDEN:
        user, shown = os.geteuid(), shlex.quote(place)
        return NeedsHuman(
            tried,
            issue="volume.read_only",
            subject=volume,
            remedy=f"Give the folder back to user {user}, as whom mediabox runs: 'sudo chown -R {user} {shown}', then "
            f"'sudo chmod -R u+rX {shown}'. Folders also need u+w; `lsattr` shows what was made immutable.",
        )
    if code == errno.EIO:
        return NeedsHuman(
            f"{tried}. The disk is failing.",
            issue="volume.failing",
            subject=volume,
            remedy="Check cable and power, then the disk's health; replace it before anything else.",
        )
    if code in _GONE:
        return Away(tried, part=f"volume:{volume}")
    if code in _OF_THE_PATH:
        return Permanent(f"{tried}. {_OF_THE_PATH[code]}")
    if code in _BUSY or code == errno.ENOENT:  # ENOENT: swept or removed by hand meanwhile
        return Retryable(tried)
    return None


def failing_disk(message: str, *, volume: str) -> NeedsHuman:
    """What was read back is not what was written: the disk, its cable or the memory lies."""
    remedy = "Check the disk (smartctl), its cable and the memory before trusting it with anything."
    return NeedsHuman(message, issue="volume.failing", subject=volume, remedy=remedy)
