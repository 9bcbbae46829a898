"""The decoding children of the daemon: started when there is work, asked, tried alone, let go when idle.

One child for each profile, each with as many lanes as there are threads. When a child is lost,
every file that was in it is tried once more, alone, in a fresh child with a larger budget.
"""

import asyncio
import concurrent.futures
import functools
import os
import threading
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import msgspec

from mediabox.errors import MediaboxError, Retryable
from mediabox.native import wire
from mediabox.native.child_process import COMMAND, Cause, ChildLimits, ChildProcess, Lost
from mediabox.native.pool import Pool
from mediabox.native.profiles import Profile

STILL_LIMITS = ChildLimits(wall_s=60, cpu_s=20)
VIDEO_LIMITS = ChildLimits(wall_s=60, cpu_s=60)

_ALONE_BUDGET = 2  # times the ordinary one
_OF_THE_BOX = 0.5  # killed from outside with this share of all memory: too large for this box, not bad luck

_Answer = TypeVar("_Answer")
_Arguments = ParamSpec("_Arguments")


class Counts(msgspec.Struct, kw_only=True):
    """What happened since the start, for the status page."""

    examined: int = 0
    started: int = 0  # children
    tried_alone: int = 0
    crashed: int = 0
    slow: int = 0
    out_of_memory: int = 0


class Children:
    """What any call needs: a thread that waits, a child that answers, a verdict when it does not.

    `threads` calls are made at once. `memory_bytes` is each child's budget on top of its libraries.
    Coroutines only wait: the big bytes pass through threads.
    """

    def __init__(
        self,
        threads: int,
        *,
        memory_bytes: int = 1 << 30,
        idle_exit_s: float = 60,
        recycle_after: int = 500,
        still_limits: ChildLimits = STILL_LIMITS,
        video_limits: ChildLimits = VIDEO_LIMITS,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.counts = Counts()
        self._threads = threads
        self._memory_bytes = memory_bytes
        self._idle_exit_s = idle_exit_s
        self._still_limits = still_limits
        self._video_limits = video_limits
        self._command = command
        self._is_closing = False
        self._alive: set[ChildProcess] = set()
        self._guard = threading.Lock()  # of `_alive`, `counts` and `_is_closing`
        self._alone = threading.Lock()  # one suspect at a time: its budget is twice the usual
        self._idle_timer: asyncio.TimerHandle | None = None
        # The threads live until `close`, and so does what they start (PDEATHSIG).
        self._executor = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="media")
        self._pools = {profile: self._pool(profile, recycle_after=recycle_after) for profile in Profile}

    async def greet(self, profile: Profile = Profile.PICTURE) -> wire.Hello:
        """What holds a child in, and which decoders it has. Starts one when there is none."""
        return await self._wait_for(self._submit(self._pools[profile].greet))

    def processes(self) -> list[ChildProcess]:
        """The living children. Waits for nothing."""
        with self._guard:
            return [child for child in self._alive if not child.is_lost]

    async def close(self) -> None:
        """Kill all children and wait for the threads; calls under way raise Retryable."""
        with self._guard:
            self._is_closing = True
            alive = tuple(self._alive)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        for child in alive:
            child.kill()
        await asyncio.to_thread(self._bury_all)

    async def _lend(self, descriptors: Sequence[int], work: Callable[..., _Answer], *arguments: object) -> _Answer:
        """`work(descriptors, *arguments)` in a thread, with descriptors that live as long as it does."""
        own = tuple(os.dup(one) for one in descriptors)  # a cancelled caller closes its own while our thread reads
        try:
            working = self._submit(work, own, *arguments)
        except Retryable:
            _close(own)
            raise
        working.add_done_callback(lambda _: _close(own))
        return await self._wait_for(working)

    def _submit(
        self, work: Callable[_Arguments, _Answer], *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> "concurrent.futures.Future[_Answer]":
        try:
            return self._executor.submit(work, *arguments, **named)
        except RuntimeError as err:
            raise Retryable("the media workers are closed") from err

    async def _wait_for(self, working: "concurrent.futures.Future[_Answer]") -> _Answer:
        try:
            return await asyncio.wrap_future(working)
        finally:
            self._watch_for_idleness()

    def _watch_for_idleness(self) -> None:
        if self._idle_timer is None and not self._is_closing:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(self._idle_exit_s, self._look_for_idleness)

    def _look_for_idleness(self) -> None:
        """Let idle children go, and come back when the next one may be. Runs in the loop, waits for nothing."""
        self._idle_timer = None
        if self._is_closing:
            return
        idle_s = [pool.idle_s() for pool in self._pools.values()]
        for pool, idle in zip(self._pools.values(), idle_s, strict=True):
            if idle is not None and idle >= self._idle_exit_s:
                self._executor.submit(pool.let_go, idle_for_s=self._idle_exit_s)
        waiting = [idle for idle in idle_s if idle is not None and idle < self._idle_exit_s]
        if waiting:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(self._idle_exit_s - max(waiting), self._look_for_idleness)

    def _ask(self, profile: Profile, call: wire.Call, descriptors: Sequence[int], limits: ChildLimits) -> wire.Received:
        """In the shared child; once more alone when that was lost, unless this very file ran out of time."""
        try:
            return self._pools[profile].call(call, descriptors=descriptors, limits=limits)
        except Lost as lost:
            if self._is_closing or lost.cause in (Cause.SLOW, Cause.STUCK):
                raise
        return self._ask_alone(profile, call, descriptors, limits)

    def _ask_alone(
        self, profile: Profile, call: wire.Call, descriptors: Sequence[int], limits: ChildLimits
    ) -> wire.Received:
        with self._alone:
            self._count("tried_alone")
            child = self._start(profile, lanes=1, memory_bytes=_ALONE_BUDGET * self._memory_bytes)
            try:
                return child.call(0, call, descriptors=descriptors, limits=limits)
            finally:
                self._stop(child)

    def _verdict(self, lost: Lost) -> str:
        """What is wrong with the file, for a person. Raises Retryable when it may be the box."""
        self._refuse_if_closing()
        match lost.cause:
            case Cause.CRASHED:
                self._count("crashed")
                return f"the decoder {lost.detail} on this file"
            case Cause.SLOW:
                self._count("slow")
                return lost.detail
            case Cause.MEMORY:
                self._count("out_of_memory")
                return f"needs more memory than {(_ALONE_BUDGET * self._memory_bytes) >> 20} MiB"
            case Cause.KILLED if lost.peak_bytes > _OF_THE_BOX * _box_memory_bytes():
                self._count("out_of_memory")
                return f"needs more memory than this box has ({lost.peak_bytes >> 20} MiB were not enough)"
            case Cause.KILLED | Cause.CAUGHT_UP | Cause.STUCK:
                raise Retryable(f"the decoder {lost}") from lost

    def _pool(self, profile: Profile, *, recycle_after: int) -> Pool:
        start = functools.partial(self._start, profile, lanes=self._threads, memory_bytes=self._memory_bytes)
        return Pool(start, self._stop, recycle_after=recycle_after)

    def _start(self, profile: Profile, *, lanes: int, memory_bytes: int) -> ChildProcess:
        self._refuse_if_closing()
        child = ChildProcess(profile, lanes=lanes, memory_bytes=memory_bytes, command=self._command)
        with self._guard:
            self._alive.add(child)
            self.counts.started += 1
            if self._is_closing:  # `close` did not see it
                child.kill()
        try:
            child.greet()
        except MediaboxError:
            with self._guard:
                self._alive.discard(child)
            raise
        return child

    def _refuse_if_closing(self) -> None:
        if self._is_closing:
            raise Retryable("the media workers are closing")

    def _stop(self, child: ChildProcess) -> None:
        child.stop()
        with self._guard:
            self._alive.discard(child)

    def _bury_all(self) -> None:
        self._executor.shutdown(wait=True)  # what still waits in line starts, sees that we close, and says Retryable
        for pool in self._pools.values():
            pool.let_go()

    def _count(self, what: str) -> None:
        with self._guard:
            setattr(self.counts, what, getattr(self.counts, what) + 1)


def _box_memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _close(descriptors: Sequence[int]) -> None:
    for one in descriptors:
        os.close(one)
