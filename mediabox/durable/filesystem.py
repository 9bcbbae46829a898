"""Which kind of file system a path or descriptor lives on, from the kernel's own table."""

import os
from pathlib import Path

from mediabox.durable.descriptors import open_descriptor
from mediabox.errors import Fatal
from mediabox.message import message

UNKNOWN = "unknown"

# Where SQLite's locks and shared memory cannot be trusted (https://www.sqlite.org/wal.html, "same host").
_NETWORK = frozenset(
    {
        "9p",
        "afs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb3",
    }
    | {"smbfs", "vboxsf", "fuse.afpfs", "fuse.ceph", "fuse.curlftpfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs"}
    | {"fuse.goofys", "fuse.jmtpfs", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs"}
    | {"fuse.vmhgfs-fuse"}
)

# The same disk is reported differently by different drivers; a kernel update must not make it a stranger.
_FAMILY = {
    "ext2": "ext4",
    "ext3": "ext4",
    "nfs4": "nfs",
    "smb3": "cifs",
    "ntfs": "ntfs3",
    "fuseblk": "ntfs3",  # ntfs-3g; the kernel does not say which block file system a FUSE driver serves
}


def filesystem_of(path: Path) -> str:
    """Type of the file system `path` is on (`ext4`, `fuse.sshfs`), `unknown` when the kernel does not say.

    Raises OSError when the path cannot be reached.
    """
    with open_descriptor(path, os.O_PATH | os.O_CLOEXEC) as descriptor:
        return filesystem_behind(descriptor)


def filesystem_behind(descriptor: int) -> str:
    """As `filesystem_of`, for an open descriptor; `unknown` when its mount was detached (`umount -l`).

    By mount id, not by path prefix: mounts may be stacked on one another (proc(5), `fdinfo`, `mountinfo`).
    """
    try:
        fdinfo = Path(f"/proc/self/fdinfo/{descriptor}").read_text("ascii")
        mounts = Path("/proc/self/mountinfo").read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:  # no /proc
        return UNKNOWN
    mount_id = next((line.split()[1] for line in fdinfo.splitlines() if line.startswith("mnt_id:")), "")
    for line in mounts.splitlines():
        if line.split(" ", 1)[0] == mount_id:
            return line.partition(" - ")[2].split(" ", 1)[0] or UNKNOWN
    return UNKNOWN


def is_network(filesystem: str) -> bool:
    """Whether other hosts may share it, so that no database may live there (invariant I12)."""
    return filesystem in _NETWORK


def is_same_family(one: str, other: str) -> bool:
    """Whether two type names may be the same disk seen through another driver."""
    return _FAMILY.get(one, one) == _FAMILY.get(other, other)


def missing_mount(path: Path, *, fstab: Path = Path("/etc/fstab")) -> Path | None:
    """The mount point at or above `path` that `fstab` promises and that nothing is mounted on now."""
    try:
        lines = fstab.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:  # no table, no promise
        return None
    fields = [line.split() for line in lines if not line.lstrip().startswith("#")]
    promised = {_unescaped(mount_point) for _, mount_point, *_ in (row for row in fields if len(row) > 1)}
    for folder in (path, *path.parents):
        if str(folder) in promised and not os.path.ismount(folder):
            return folder
    return None


def _unescaped(field: str) -> str:
    """Undo fstab(5)'s octal escapes (space, tab, backslash)."""
    return field.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def refuse_network(home: Path) -> None:
    """Raises Fatal: SQLite on NFS or SMB loses what it promised (Sonarr #1886, Jellyfin #11387; invariant I12)."""
    filesystem = filesystem_of(home)
    if is_network(filesystem):
        raise Fatal(
            message(
                "the home folder {home} is on a network file system ({filesystem}), where a database can be damaged: "
                "choose a --home on a local disk; the archive may stay on the network",
                home=str(home),
                filesystem=filesystem,
            )
        )
