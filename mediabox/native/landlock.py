"""Give up the file system for good (Landlock, kernel 5.13 and later).

A ruleset that handles every right and allows none: from then on no path can be
opened, listed, created or executed, TCP is closed (ABI 4), and abstract sockets and
signals stay inside (ABI 6). Open descriptors go on working. Source:
Documentation/userspace-api/landlock.rst, Linux 6.12. Raspberry Pi OS kernels are
built without it, so this is a second layer, never the only one to rely on there.
"""

import ctypes
import os
import struct

# The same numbers on every architecture: they are younger than the common table (5.12).
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION_FLAG = 1

# LANDLOCK_ACCESS_FS_*: 13 rights in ABI 1, REFER in 2, TRUNCATE in 3, IOCTL_DEV in 5.
_FILE_RIGHTS = ((5, (1 << 16) - 1), (3, (1 << 15) - 1), (2, (1 << 14) - 1), (1, (1 << 13) - 1))
_TCP_BIND_AND_CONNECT = 0b11  # ABI 4
_ABSTRACT_SOCKET_AND_SIGNAL = 0b11  # ABI 6


def abi() -> int:
    """The kernel's Landlock version; 0 when it has none or it is switched off."""
    version = ctypes.CDLL(None, use_errno=True).syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    return max(0, int(version))


def give_up_everything() -> int:
    """Close every path to the calling thread and the threads it starts later. Returns the ABI used, 0 for none.

    `no_new_privs` must be set. Raises OSError when the kernel has Landlock and refuses.
    """
    version = abi()
    if not version:
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    attributes = _ruleset(version)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    try:
        if libc.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    finally:
        os.close(ruleset)
    return version


def _ruleset(version: int) -> bytes:
    """`struct landlock_ruleset_attr` as long as this ABI knows it."""
    files = next(rights for least, rights in _FILE_RIGHTS if version >= least)
    if version < 4:
        return struct.pack("=Q", files)
    if version < 6:
        return struct.pack("=QQ", files, _TCP_BIND_AND_CONNECT)
    return struct.pack("=QQQ", files, _TCP_BIND_AND_CONNECT, _ABSTRACT_SOCKET_AND_SIGNAL)
