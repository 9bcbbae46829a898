"""What a person can type or do so that a folder or file can be read, or a file removed from its folder."""

import errno
import os
import shlex
import stat

from mediabox.message import Text, message
from mediabox.sources.folder import names

_BUSY = message("Too many files are open at the moment; this is retried automatically.")
_BY_CODE = {
    errno.ENAMETOOLONG: message("Shorten the names of the folders above it: a path may have 4,095 bytes, a name 255."),
    errno.ELOOP: message("A symbolic link there points to itself: remove it."),
    errno.EIO: message("Check the disk and its cable; the system log (`dmesg`) has details."),
    errno.ENOMEM: message("The box is short of memory at the moment; this is retried automatically."),
    errno.EMFILE: _BUSY,
    errno.ENFILE: _BUSY,
}
_OTHER = message("The system log (`dmesg`) has details.")


def permission_remedy(path: str, *, write: bool = False) -> Text:
    """How this program's user gets at `path`, without opening a family's photos to everybody on the machine."""
    values = {"user": str(os.geteuid()), "rights": "rwX" if write else "rX", "path": shlex.quote(names.display(path))}
    try:
        status = os.stat(path)
    except OSError:
        return message("Give user {user} access: `sudo setfacl -R -m u:{user}:{rights} {path}`.", **values)
    values |= {"owner": str(status.st_uid), "mode": f"{stat.S_IMODE(status.st_mode):o}"}
    if status.st_uid == os.geteuid():
        return message(
            "Give its owner, user {user}, the right (its mode is {mode}): `chmod -R u+{rights} {path}`.", **values
        )
    return message(
        "Give user {user} access (it belongs to user {owner}, mode {mode}): "
        "`sudo setfacl -R -m u:{user}:{rights} {path}` (Debian: `apt install acl`).",
        **values,
    )


def listing_remedy(path: str, err: OSError) -> Text:
    """What to do about a folder that could not be listed."""
    if err.errno in (errno.EACCES, errno.EPERM):
        return permission_remedy(path)
    return _BY_CODE.get(err.errno or 0, _OTHER)
