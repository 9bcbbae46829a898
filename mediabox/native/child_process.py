"""One decoding child, seen from the daemon: start it, call it, measure it, kill it, bury it.

All of this blocks and belongs in a thread. The thread that starts a child must live
as long as the child: the kernel sends the parent-death signal when that *thread*
ends (prctl(2), PR_SET_PDEATHSIG).
"""

import contextlib
import itertools
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from mediabox.errors import NeedsHuman, Retryable
from mediabox.native import wire
from mediabox.native.child import Orders
from mediabox.native.child_start import lane_pairs, spawn, unavailable, unstartable
from mediabox.native.profiles import Profile

COMMAND = (sys.executable, "-s", "-P", "-m", "mediabox.native")

_START_LIMIT_S = 60.0  # a Pi 3 reads the libraries from a slow card in about 10 s
_DEATH_LIMIT_S = 10.0  # after SIGKILL: only a process that waits for a disk takes longer
_FAREWELL_LIMIT_S = 5.0  # after its lanes are closed
_TICK_MS = 1000  # how often a long call's time is looked at
_TAIL_BYTES = 2048
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class ChildLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one file may take. `cpu_s` is the time of the one thread that works on it."""

    wall_s: float
    cpu_s: float


class Cause(StrEnum):
    """Why a call has no answer."""

    CRASHED = "crashed"  # a signal of its own making, or an exit
    KILLED = "killed"  # SIGKILL that was not ours: the kernel wanted memory, or a person
    SLOW = "slow"  # this very call went over its limits
    MEMORY = "memory"  # the budget was not enough
    CAUGHT_UP = "caught_up"  # killed because of another call
    STUCK = "stuck"  # does not even die: waits for a disk


class Lost(Exception):
    """A call ended without an answer. `detail` completes "the decoder ..." for a person."""

    def __init__(self, cause: Cause, detail: str, *, peak_bytes: int = 0, tail: str = "") -> None:
        super().__init__(f"{detail}; it last said: {tail}" if tail else detail)
        self.cause = cause
        self.detail = detail
        self.peak_bytes = peak_bytes


class ChildProcess:
    """A started child with `lanes` lanes; `greet` before the first call. Raises as `greet` when it cannot be started.

    Each lane is for one thread at a time; different lanes are independent.
    """

    hello: wire.Hello

    def __init__(self, profile: Profile, *, lanes: int, memory_bytes: int, command: Sequence[str] = COMMAND) -> None:
        self.profile = profile
        self.memory_bytes = memory_bytes
        self.lane_count = lanes
        self.is_lost = False
        self._numbers = itertools.count(1)
        self._burial = threading.Lock()
        self._was_killed_by_us = False
        self._status: int | None = None  # as waitpid gives it
        self._peak_bytes = 0
        self._tail = b""
        self._lanes, far_ends = lane_pairs(lanes)
        self._stderr, stderr = os.pipe()
        os.set_blocking(self._stderr, False)
        os.set_blocking(stderr, False)  # a full pipe loses words instead of stopping the decoder
        orders = Orders(
            profile=profile,
            parent=os.getpid(),
            memory_bytes=memory_bytes,
            lanes=tuple(end.fileno() for end in far_ends),
        )
        try:
            self._process = spawn([*command, msgspec.json.encode(orders).decode()], orders.lanes, stderr)
            self._alive = os.pidfd_open(self._process.pid)
        except OSError as err:
            self._close_descriptors()
            raise unstartable(profile, err) from err
        finally:
            os.close(stderr)
            for end in far_ends:
                end.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def greet(self) -> None:
        """Wait until it is armed.

        Raises Retryable when the box is short of something, NeedsHuman `sandbox.unavailable`
        when it ends by itself, `sandbox.missing` when nothing holds it in; then it is gone.
        """
        limits = ChildLimits(wall_s=_START_LIMIT_S, cpu_s=_START_LIMIT_S)
        try:
            self._await_answer(self._lanes[0], None, limits)
            hello = wire.receive_answer(self._lanes[0], number=wire.GREETING).answer
        except (OSError, wire.Broken, Lost) as err:
            lost = err if isinstance(err, Lost) else self._bury(str(err))
            self.stop()
            if lost.cause is Cause.CRASHED:
                raise unavailable(self.profile, str(lost)) from err
            raise Retryable(f"the {self.profile} decoder did not start: {lost}") from err
        if isinstance(hello, wire.Hello) and hello.layers.suffices:
            self.hello = hello
            return
        self.kill()
        self.stop()
        raise NeedsHuman(
            "pictures are not decoded: nothing on this system can confine a decoder",
            issue="sandbox.missing",
            remedy="Install libseccomp2 (Debian: apt install libseccomp2), or use a kernel with seccomp or Landlock.",
        )

    def call(
        self, lane: int, call: wire.Call, *, descriptors: Sequence[int] = (), limits: ChildLimits
    ) -> wire.Received:
        """Make one call on one lane and wait for its answer.

        Raises Lost; then the child is no more, unless the cause is MEMORY.
        """
        near_end, number = self._lanes[lane], next(self._numbers) & 0xFFFF_FFFF
        try:
            wire.send_call(near_end, call, number=number, descriptors=descriptors)
            self._await_answer(near_end, self._cpu_clock(lane), limits)
            received = wire.receive_answer(near_end, number=number)
        except (OSError, wire.Broken) as err:
            raise self._bury(str(err)) from err
        self._listen()
        if isinstance(received.answer, wire.OutOfMemory):
            raise Lost(Cause.MEMORY, f"needs more memory than {self.memory_bytes >> 20} MiB", tail=self.tail())
        return received

    def stop(self) -> None:
        """Let it go: it ends by itself when its lanes are closed, or is killed. Never call during a call."""
        self.is_lost = True
        for lane in self._lanes:
            lane.close()
        if self._status is None and not self._collect(_FAREWELL_LIMIT_S):
            self.kill()
            self._collect(_DEATH_LIMIT_S)
        self._close_descriptors()

    def kill(self) -> None:
        """End it now, from any thread; calls under way raise Lost."""
        self.is_lost = True
        with self._burial:
            if self._status is None:  # not waited for yet: the pid is still its own
                self._was_killed_by_us = True
                os.kill(self._process.pid, signal.SIGKILL)

    def _await_answer(self, lane: socket.socket, cpu: "_ThreadClock | None", limits: ChildLimits) -> None:
        """Return once something can be received. Kills the child and raises Lost at a limit."""
        poller = select.poll()
        poller.register(lane, select.POLLIN)
        deadline_s = time.monotonic() + limits.wall_s
        while not poller.poll(min(_TICK_MS, max(0.0, deadline_s - time.monotonic()) * 1000)):
            detail = None
            if time.monotonic() >= deadline_s:
                detail = f"took longer than {limits.wall_s:g} s"
            elif cpu is not None and cpu.used_s() > limits.cpu_s:
                detail = f"took more than {limits.cpu_s:g} s of processor time"
            if detail is not None:
                self.kill()
                raise self._bury("", slow=detail)

    def _cpu_clock(self, lane: int) -> "_ThreadClock | None":
        threads = self.hello.threads
        return _ThreadClock(self.pid, threads[lane]) if lane < len(threads) else None

    def _bury(self, reason: str, *, slow: str | None = None) -> Lost:
        """Make sure the child is dead and say how it ended, to each call that was under way."""
        self.is_lost = True
        talks_nonsense = not self._collect(1.0) and not self._was_killed_by_us
        if talks_nonsense:
            self.kill()
        if not self._collect(_DEATH_LIMIT_S):
            return Lost(Cause.STUCK, "does not end: it waits for a disk", tail=self.tail())
        cause, detail = self._ending()
        if slow is not None:
            cause, detail = Cause.SLOW, slow
        elif talks_nonsense:
            cause, detail = Cause.CRASHED, f"gave no answer that can be read ({reason})"
        return Lost(cause, detail, peak_bytes=self._peak_bytes, tail=self.tail())

    def _ending(self) -> tuple[Cause, str]:
        code = os.waitstatus_to_exitcode(self._status or 0)
        if self._was_killed_by_us:
            return Cause.CAUGHT_UP, "was stopped because of another file"
        if code == -signal.SIGKILL:
            return Cause.KILLED, f"was killed while it held {self._peak_bytes >> 20} MiB"
        if code < 0:
            return Cause.CRASHED, f"crashed (signal {-code})"
        return Cause.CRASHED, f"ended with status {code}"

    def _collect(self, limit_s: float) -> bool:
        """Wait for its end and keep its status: no zombie stays. False when it lives on."""
        poller = select.poll()
        poller.register(self._alive, select.POLLIN)
        if self._status is None and not poller.poll(limit_s * 1000):
            return False
        with self._burial:
            if self._status is None:
                _, self._status, usage = os.wait4(self._process.pid, 0)
                self._process.returncode = os.waitstatus_to_exitcode(self._status)  # or Popen would wait again
                self._peak_bytes = usage.ru_maxrss * 1024
        return True

    def _listen(self) -> None:
        """Keep the end of what it writes to stderr, and keep the pipe empty."""
        with contextlib.suppress(OSError):  # nothing there (EAGAIN), which is the usual case
            while heard := os.read(self._stderr, 65536):
                self._tail = (self._tail + heard)[-_TAIL_BYTES:]

    def tail(self) -> str:
        """The last words on its stderr, in one line; untrusted text, printable characters only."""
        self._listen()
        words = self._tail.decode("utf-8", "replace").split()
        return "".join(letter for letter in " ".join(words) if letter.isprintable())[-400:]

    def _close_descriptors(self) -> None:
        """Idempotent: a number closed twice may be somebody else's the second time."""
        for lane in self._lanes:
            lane.close()
        for name in ("_stderr", "_alive"):
            number = getattr(self, name, -1)
            if number >= 0:
                os.close(number)
                setattr(self, name, -1)


class _ThreadClock:
    """Processor time of one thread of the child since first asked; 0 where /proc hides it (ProtectProc=)."""

    def __init__(self, pid: int, thread: int) -> None:
        self._stat = Path(f"/proc/{pid}/task/{thread}/stat")
        self._before_s: float | None = None

    def used_s(self) -> float:
        now_s = self._now_s()
        if now_s is None:
            return 0.0
        if self._before_s is None:  # the first tick of a long call: most calls never come here
            self._before_s = now_s
        return now_s - self._before_s

    def _now_s(self) -> float | None:
        try:  # proc(5): utime and stime are fields 14 and 15; the name, field 2, may hold spaces
            fields = self._stat.read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
