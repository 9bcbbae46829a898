"""The system calls a decoding child may make: an allow-list, everything else answers EPERM.

What is left: read and write what is already open, get memory, start threads, wait,
tell the time, and exit. Nothing is opened, connected, executed, forked, traced or
signalled. A child that encodes may also write at an offset and cut short what it was given
open for writing. Calls that reach another process through an argument are held to this
one: `tgkill`, `prlimit64`, `fcntl` (F_SETOWN would raise SIGIO in the daemon).

Names are resolved by libseccomp for the machine at hand; those an architecture does
not have (`poll` on aarch64) resolve to a negative number and are left out.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyseccomp as seccomp

_ALWAYS = (
    # descriptors that are open already
    "read", "pread64", "readv", "preadv", "write", "writev", "lseek", "fstat", "close", "dup",
    "recvmsg", "recvfrom", "sendmsg", "sendto", "poll", "ppoll", "select", "pselect6",
    # memory
    "munmap", "mremap", "madvise", "brk",
    # threads of this process
    "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "set_tid_address", "membarrier",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "exit", "exit_group",
    # questions about itself and the time
    "getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getrusage", "sysinfo", "uname",
    "getcpu", "getcwd", "getrandom", "times",
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
)  # fmt: skip

_TO_ENCODE = ("pwrite64", "ftruncate")  # into descriptors that are open already, as `write` is

_LOW_32 = 0xFFFF_FFFF  # arguments of type int: the upper half of the register is not defined
_PROT_EXEC = 0x4
_AT_EMPTY_PATH = 0x1000
_PR_SET_NAME = 15
_FCNTL_OF_ITS_OWN = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
_CLONE_THREAD = 0x0001_0000
_CLONE_NEW_NAMESPACES = 0x7E02_0080  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME


def is_available() -> bool:
    """Whether libseccomp is installed; the kernel's own word comes when the filter is loaded."""
    try:
        import pyseccomp  # noqa: F401 - a system library may be missing: found out here, reported by `doctor`
    except (ImportError, RuntimeError):
        return False
    return True


def allow_only_decoding(*, may_write: bool = False) -> None:
    """Install the filter in every thread of this process. Raises OSError when the kernel refuses it."""
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    rules.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)  # i386 or x32 calls from x86-64: an exploit
    rules.set_attr(seccomp.Attr.CTL_TSYNC, 1)
    rules.set_attr(seccomp.Attr.CTL_OPTIMIZE, 2)  # binary tree: 60 names cost 6 comparisons a call

    def allow(name: str, *arguments: seccomp.Arg) -> None:
        _add(rules, seccomp.ALLOW, name, *arguments)

    for name in (*_ALWAYS, *(_TO_ENCODE if may_write else ())):
        allow(name)
    for name in ("mmap", "mprotect"):  # no memory becomes code any more
        allow(name, seccomp.Arg(2, seccomp.MASKED_EQ, _PROT_EXEC, 0))
    for command in _FCNTL_OF_ITS_OWN:
        allow("fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, _LOW_32, command))
    allow("newfstatat", seccomp.Arg(3, seccomp.MASKED_EQ, _AT_EMPTY_PATH, _AT_EMPTY_PATH))  # glibc's fstat
    allow("prctl", seccomp.Arg(0, seccomp.MASKED_EQ, _LOW_32, _PR_SET_NAME))
    allow("prlimit64", seccomp.Arg(0, seccomp.MASKED_EQ, _LOW_32, 0))
    allow("tgkill", seccomp.Arg(0, seccomp.MASKED_EQ, _LOW_32, os.getpid()))  # abort() and faulthandler
    allow("clone", seccomp.Arg(0, seccomp.MASKED_EQ, _CLONE_THREAD | _CLONE_NEW_NAMESPACES, _CLONE_THREAD))
    _add(rules, seccomp.ERRNO(errno.ENOSYS), "clone3")  # flags behind a pointer: glibc falls back to clone
    rules.load()


def _add(rules: seccomp.SyscallFilter, action: int, name: str, *arguments: seccomp.Arg) -> None:
    import pyseccomp as seccomp

    number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)
    if number >= 0:
        rules.add_rule(action, number, *arguments)
