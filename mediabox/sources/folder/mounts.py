"""Which file system a folder is on, from the kernel's own table."""

import os
import re
from pathlib import Path

# Others change these file systems without this kernel noticing, so inotify stays silent.
_NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "9p", "afs", "auristorfs", "ceph", "coda", "glusterfs"),
        *("lustre", "beegfs", "gpfs", "gfs2", "ocfs2", "orangefs", "ncpfs", "davfs", "autofs"),
        *("virtiofs", "vboxsf", "vmhgfs", "prl_fs", "drvfs"),  # the host's files, seen from a virtual machine
    }
)
_LOCAL_FUSE = frozenset({"fuse.mergerfs", "fuse.ntfs-3g", "fuse.exfat", "fuse.unionfs", "fuse.bindfs", "fuse.lxcfs"})
_OCTAL = re.compile(r"\\([0-7]{3})")  # proc(5): space, tab, newline and backslash are written \040 ...

MOUNTINFO = Path("/proc/self/mountinfo")


def filesystem_of(path: str, *, mountinfo: Path = MOUNTINFO) -> str:
    """The type of the file system that holds `path` (`ext4`, `nfs4`, `fuse.sshfs`); "" when the table does not say."""
    real = os.path.realpath(path)
    longest, found = -1, ""
    for line in _lines(mountinfo):
        fields, _, rest = line.partition(" - ")
        point = _OCTAL.sub(lambda code: chr(int(code[1], 8)), fields.split(" ")[4])
        # Of two mounts on one point the later line hides the earlier.
        if len(point) >= longest and (real == point or real.startswith(point.rstrip("/") + "/")):
            longest, found = len(point), rest.split(" ")[0]
    return found


def is_watchable(filesystem: str) -> bool:
    """Whether inotify hears of every change on a file system of this type. FUSE: only the known local ones."""
    if filesystem == "fuse" or filesystem.startswith("fuse."):
        return filesystem in _LOCAL_FUSE
    return filesystem not in _NETWORK


def _lines(mountinfo: Path) -> list[str]:
    try:
        return mountinfo.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
