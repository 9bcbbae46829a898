"""Shut a decoding child in: after `arm` it can compute and answer, and nothing else.

Order matters. `detach` comes first, while the process still has one thread and may
open files. Then everything the decoders need is imported, because no file can be
opened later. `arm` comes last and before any thread is started: Landlock confines
the calling thread and its offspring only.

What each layer is for (safety model, section 5): limits stop bombs; the namespaces
take the network away; Landlock takes the file system; the system-call filter takes
all of it and is the one that works on Raspberry Pi OS.
"""

import ctypes
import os
import resource
import signal
from enum import StrEnum
from pathlib import Path

import msgspec

from mediabox.native import landlock, syscalls

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x1000_0000, 0x4000_0000, 0x0800_0000
_CAPABILITY_VERSION_3 = 0x2008_0522
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
_IOPRIO_WHO_PROCESS, _IOPRIO_CLASS_IDLE = 1, 3 << 13

NICE = 10  # the status page answers within 16 ms at p99 then, 92 ms without (performance, 5.7)
OOM_SCORE_ADJ = 500  # the kernel takes this child long before the daemon
MOST_DESCRIPTORS = 64
_SPARE_TASKS = 16  # threads a decoder may start beside ours


class Layer(StrEnum):
    """What can be switched on. Production takes all that the kernel gives."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"


ALL_LAYERS = frozenset(Layer)


class SandboxLayers(msgspec.Struct, frozen=True, kw_only=True):
    """What holds around one child.

    `namespaces`: user, network and IPC of its own. `empty_root`: its root is a folder
    with nothing in it. `landlock_abi` is 0 when there is none.
    """

    namespaces: bool = False
    empty_root: bool = False
    landlock_abi: int = 0
    seccomp: bool = False

    @property
    def suffices(self) -> bool:
        """Whether foreign bytes may be parsed: neither files nor network nor other processes can be reached.

        Landlock alone leaves the Unix sockets of the box open, so it needs the namespaces too.
        """
        return self.seccomp or (self.landlock_abi >= 1 and self.namespaces and self.empty_root)


def detach(parent: int, *, layers: frozenset[Layer] = ALL_LAYERS) -> bool:
    """Tie this process to process `parent` and lower its standing. Returns whether it has namespaces of its own.

    Exits at once when `parent` is gone already: nobody would collect this process.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
    os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    ioprio_set = _IOPRIO_SET.get(os.uname().machine)
    if ioprio_set is not None:
        libc.syscall(ioprio_set, _IOPRIO_WHO_PROCESS, 0, _IOPRIO_CLASS_IDLE)
    _ask_to_be_killed_first()
    if Layer.NAMESPACES not in layers:
        return False
    # One call: the user namespace is what allows the others to an ordinary user. Refused by
    # systemd's RestrictNamespaces and by Ubuntu's AppArmor profile, which is no reason to stop.
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) == 0)


def arm(
    *,
    memory_bytes: int,
    threads: int,
    namespaces: bool,
    layers: frozenset[Layer] = ALL_LAYERS,
    may_write_bytes: int = 0,
) -> SandboxLayers:
    """Close every door but memory, time and the open descriptors. There is no way back.

    `memory_bytes` is what may be mapped on top of what the imports take. `may_write_bytes`
    is how long a file may become that is handed over open for writing; with 0 none is
    written. Returns what is really active. Raises OSError when a layer that exists is refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    tasks = threads + _SPARE_TASKS if namespaces else None
    _limit(memory_bytes=memory_bytes, tasks=tasks, may_write_bytes=may_write_bytes)
    has_one_thread = len(os.listdir("/proc/self/task")) == 1
    has_filter = Layer.SECCOMP in layers and syscalls.is_available()  # the last import: doors close from here on
    empty_root = Layer.NAMESPACES in layers and _leave_the_root()
    _drop_capabilities(libc)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")
    landlock_abi = landlock.give_up_everything() if Layer.LANDLOCK in layers and has_one_thread else 0
    if has_filter:
        syscalls.allow_only_decoding(may_write=may_write_bytes > 0)
    return SandboxLayers(
        namespaces=namespaces,
        empty_root=empty_root,
        landlock_abi=landlock_abi,
        seccomp=has_filter,
    )


def _leave_the_root() -> bool:
    """Make the list of our own descriptors the root: it holds no folder, no socket and no program.

    The user namespace gives the right to; whether Landlock exists does not matter.
    """
    try:
        os.chroot("/proc/self/fdinfo")
        os.chdir("/")
    except OSError:
        return False
    return True


def _ask_to_be_killed_first() -> None:
    score = Path("/proc/self/oom_score_adj")
    if int(score.read_text(encoding="ascii")) < OOM_SCORE_ADJ:  # lowering needs a privilege, raising never does
        score.write_text(str(OOM_SCORE_ADJ), encoding="ascii")


def _limit(*, memory_bytes: int, tasks: int | None, may_write_bytes: int) -> None:
    """Set the resource limits.

    CPU time is not limited here: a child lives long, its parent watches each file.
    The count of tasks belongs to the user, so it only means us inside our own user namespace.
    """
    mapped_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    address_space_bytes = mapped_pages * resource.getpagesize() + memory_bytes
    limits = [
        (resource.RLIMIT_AS, address_space_bytes),
        (resource.RLIMIT_FSIZE, may_write_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MOST_DESCRIPTORS),
    ]
    if tasks is not None:
        limits.append((resource.RLIMIT_NPROC, tasks))
    for limit, most in limits:
        _, hard = resource.getrlimit(limit)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (least, least))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """A new user namespace gives all of them (within it), root has them anyway: none is needed."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)())
