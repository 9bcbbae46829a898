"""What a person can type or do so that a folder or file can be read, or a file removed from its folder."""

import errno
import os
import shlex
import stat

from mediabox.sources.folder import names

_TOO_LONG = "Shorten the names of the folders above it: a whole path may have 4,095 bytes, a name 255."
_BY_CODE = {
    errno.ENAMETOOLONG: _TOO_LONG,
    errno.ELOOP: "A symbolic link there leads to itself: remove it.",
    errno.EIO: "Check the disk and its cable; the system's log (dmesg) says more.",
    errno.ENOMEM: "The box has too little memory for it just now; it is tried again.",
    errno.EMFILE: "Too many files are open just now; it is tried again.",
    errno.ENFILE: "Too many files are open just now; it is tried again.",
}


def permission_words(path: str, *, write: bool = False) -> str:
    """How this program's user gets at `path`, without opening a family's photos to everybody on the machine."""
    rights, user, shown = "rwX" if write else "rX", os.geteuid(), shlex.quote(names.display(path))
    try:
        status = os.stat(path)
    except OSError:
        return f"let user {user} read it: 'sudo setfacl -R -m u:{user}:{rights} {shown}'"
    owner = f"(it belongs to user {status.st_uid}, mode {stat.S_IMODE(status.st_mode):o})"
    if status.st_uid == user:
        return f"give its owner, user {user}, the right {owner}: 'chmod -R u+{rights} {shown}'"
    return f"let user {user} read it {owner}: 'sudo setfacl -R -m u:{user}:{rights} {shown}' (Debian: apt install acl)"


def listing_remedy(path: str, err: OSError) -> str:
    """What to do about a folder that could not be listed."""
    if err.errno in (errno.EACCES, errno.EPERM):
        words = permission_words(path)
        return f"{words[0].upper()}{words[1:]}."
    return _BY_CODE.get(err.errno or 0, "The system's log (dmesg) says more.")
