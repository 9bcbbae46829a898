"""What a hijacked decoder would try, each as one call that either works or is refused.

Import before arming: nothing can be imported afterwards.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_PTRACE_ATTACH = 16
_SYS_TGKILL = {"x86_64": 234, "aarch64": 131}[os.uname().machine]
_SYS_OPENAT2 = 437
_SYS_IO_URING_SETUP = 425
_TARGET = str(Path(tempfile.gettempdir()) / "mediabox-attack")
_TWO_GIB = 2 << 30

listening_socket = ""  # a path where somebody listens


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def _connect_tcp() -> None:
    with socket.socket() as attempt:
        try:
            attempt.connect(("127.0.0.1", 9))
        except ConnectionRefusedError:  # it got as far as the network
            return


def _connect_unix() -> None:
    with socket.socket(socket.AF_UNIX) as attempt:
        attempt.connect(listening_socket)


def _take_over_a_signal() -> None:
    """F_SETOWN aims SIGIO at another process without ever calling kill."""
    fcntl.fcntl(0, 8, os.getppid())


def _make_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


ATTACKS: dict[str, Callable[[], object]] = {
    "read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "read through openat2": lambda: _checked(_libc.syscall(_SYS_OPENAT2, -100, b"/etc/passwd", bytes(24), 24)),
    "write a file": lambda: os.open(_TARGET, os.O_WRONLY | os.O_CREAT, 0o600),
    "list a folder": lambda: os.listdir("/"),
    "delete a file": lambda: os.unlink("/etc/hostname-that-is-not"),
    "connect by TCP": _connect_tcp,
    "connect to a Unix socket": _connect_unix,
    "fork": _fork,
    "execute a program": lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0),
    "trace the daemon": lambda: _checked(_libc.ptrace(_PTRACE_ATTACH, os.getppid(), 0, 0)),
    "signal the daemon": lambda: os.kill(os.getppid(), 0),
    "signal a thread of the daemon": lambda: _checked(_libc.syscall(_SYS_TGKILL, os.getppid(), os.getppid(), 0)),
    "aim SIGIO at the daemon": _take_over_a_signal,
    "use io_uring": lambda: _checked(_libc.syscall(_SYS_IO_URING_SETUP, 1, bytes(120))),
    "enter another namespace": lambda: _checked(_libc.unshare(0x0002_0000)),
    "map memory as code": _make_code,
    "take 2 GiB": lambda: bytearray(_TWO_GIB),
    "raise its own limits": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
}


def outcome_of(attack: Callable[[], object]) -> str:
    """`allowed`, or the name of what refused it."""
    try:
        attack()
    except MemoryError:
        return "MemoryError"
    except OSError as err:
        return errno.errorcode.get(err.errno or 0, "?")
    except ValueError as err:  # `resource` translates EPERM to this
        return str(err)
    return "allowed"


def attack_all(socket_path: str) -> dict[str, str]:
    """Try everything; attack name to outcome."""
    global listening_socket  # noqa: PLW0603 - imported before arming, told afterwards
    listening_socket = socket_path
    return {name: outcome_of(attack) for name, attack in ATTACKS.items()}
