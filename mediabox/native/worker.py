"""Look at foreign bytes without touching them: the daemon's end of the decoding children.

One child for each profile, started when there is work for it, each with as many
lanes as there are threads. When a child is lost, every file that was in it is tried
once more, alone, in a fresh child with a larger budget; what is lost there again is
the culprit, and its tags are read without its pixels. The daemon itself never fails
because of a file.
"""

import asyncio
import concurrent.futures
import functools
import os
import threading
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import msgspec

from mediabox.contracts import Examination, ExamineRequest
from mediabox.errors import MediaboxError, Permanent, Retryable
from mediabox.model import signature
from mediabox.model.facts import Facts
from mediabox.model.recipe import Conversion, Converted, FitRequest, Recipe
from mediabox.model.sidecar import SidecarRecord
from mediabox.native import wire
from mediabox.native.child_process import COMMAND, Cause, ChildProcess, Limits, Lost
from mediabox.native.encode.limits import limits_of
from mediabox.native.pool import Pool
from mediabox.native.profiles import Profile, profile_of

STILL_LIMITS = Limits(wall_s=60, cpu_s=20)
VIDEO_LIMITS = Limits(wall_s=60, cpu_s=60)
SIDECAR_LIMITS = Limits(wall_s=20, cpu_s=10)
FIT_LIMITS = Limits(wall_s=60, cpu_s=20)

_ALONE_BUDGET = 2  # times the ordinary one
_OF_THE_BOX = 0.5  # killed from outside with this share of all memory: too large for this box, not bad luck
_MOST_PROFILES = 3  # a file is handed on from one profile's child to another's at most this often
_UNKNOWN_TYPE = "application/octet-stream"
_SLOWEST_BYTES_PER_S = 5_000_000  # of a disk that is asked for two films at once while the box is busy

_Answer = TypeVar("_Answer")
_Expected = TypeVar("_Expected", bound=wire.Answer)
_Arguments = ParamSpec("_Arguments")


class Counts(msgspec.Struct, kw_only=True):
    """What happened since the start, for the status page."""

    examined: int = 0
    started: int = 0  # children
    tried_alone: int = 0
    crashed: int = 0
    slow: int = 0
    out_of_memory: int = 0


class ChildStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A living child. `rss_bytes` is None where it cannot be read."""

    profile: Profile
    pid: int
    rss_bytes: int | None


class MediaWorkers:
    """`contracts.Examiner` and `contracts.Fitter` over sandboxed children; also the sidecar calls: foreign XML.

    `threads` files are examined at once. `memory_bytes` is each child's budget on
    top of its libraries. Coroutines only wait: the big bytes pass through threads.
    """

    def __init__(
        self,
        threads: int,
        *,
        memory_bytes: int = 1 << 30,
        idle_exit_s: float = 60,
        recycle_after: int = 500,
        still_limits: Limits = STILL_LIMITS,
        video_limits: Limits = VIDEO_LIMITS,
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

    # ------------------------------------------------------------ for coroutines

    async def examine(self, descriptor: int, request: ExamineRequest, *, media_type: str | None = None) -> Examination:
        """One look at one open file, whose descriptor stays the caller's.

        Never raises for the file's own faults: those are `facts.damage`. Raises
        Retryable when the box is to blame, NeedsHuman when nothing confines a decoder.
        """
        return await self._lend((descriptor,), self._examine, request, media_type)

    async def fit(self, first: int, clip: int | None, request: FitRequest) -> Recipe:
        """`contracts.Fitter.fit`: walks headers, decodes at most a gain map."""
        files = (first,) if clip is None else (first, clip)
        profile = profile_of(request.media_type)
        limits = _reading(FIT_LIMITS, request.size_bytes)
        answer = await self._lend(files, self._answer_to, wire.Fit(request=request), profile, limits)
        return _expected(answer, wire.Fitted).recipe

    async def check(self, result: int, first: int, *, media_type: str, name: str, size_bytes: int) -> Facts:
        """`contracts.Fitter.check`: compares bytes, decodes nothing."""
        call = wire.Check(name=name, media_type=media_type, size_bytes=size_bytes)
        limits = _reading(FIT_LIMITS, 2 * size_bytes)
        answer = await self._lend((result, first), self._answer_to, call, profile_of(media_type), limits)
        return _expected(answer, wire.Checked).facts

    async def convert(
        self, source: int, into: int, conversion: Conversion, *, limits: Limits | None = None
    ) -> Converted:
        """`contracts.Fitter.convert`. `limits` are for this one file, else what one of its kind and length may take."""
        call = wire.Convert(conversion=conversion)
        limits = limits or limits_of(conversion.media_type, size_bytes=conversion.size_bytes)
        return await self._lend((source, into), self._convert, call, limits)

    async def merge_sidecar(self, existing: bytes | None, source: bytes | None, record: SidecarRecord) -> bytes:
        """`native.sidecar.merge` in a child. Raises Permanent: `existing` is no XMP, or the answer not of `record`."""
        call = wire.MergeSidecar(existing=existing, source=source, record=record)
        merged = (await self._wait_for(self._submit(self._sidecar, call))).first or b""
        if not all(one.sha256.encode() in merged for one in record.members):  # it is to replace what people wrote
            raise Permanent("the sidecar stays as it is: the parser's answer does not name its files")
        return merged

    async def parse_sidecar(self, content: bytes, *, into: type[_Answer]) -> _Answer | None:
        """`native.sidecar.parse` in a child; None when it is not one of ours. Raises Permanent when nobody can read it.

        `into` is the type of record, `SidecarRecord`.
        """
        received = await self._wait_for(self._submit(self._sidecar, wire.ParseSidecar(content=content)))
        if not isinstance(received.answer, wire.Sidecar):
            raise Permanent("the sidecar cannot be read")
        try:
            return msgspec.msgpack.decode(received.answer.parsed, type=into | None)
        except (msgspec.DecodeError, RecursionError) as err:
            raise Permanent(f"the sidecar cannot be read: {err}") from err

    async def greet(self, profile: Profile = Profile.PICTURE) -> wire.Hello:
        """What holds a child in, and which decoders it has. Starts one when there is none."""
        return await self._wait_for(self._submit(self._pools[profile].greet))

    def processes(self) -> list[ChildStatus]:
        """The living children. Waits for nothing."""
        with self._guard:
            alive = [child for child in self._alive if not child.is_lost]
        return [ChildStatus(profile=one.profile, pid=one.pid, rss_bytes=one.rss_bytes()) for one in alive]

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

    # ------------------------------------------------------------ in the threads

    def _examine(self, descriptors: tuple[int, ...], request: ExamineRequest, media_type: str | None) -> Examination:
        (descriptor,) = descriptors
        media_type = media_type or _media_type(descriptor, request.name)
        call = wire.Examine(
            name=request.name,
            kind=request.kind,
            media_type=media_type,
            size_bytes=request.size_bytes,
            modified_at_ms=request.modified_at_ms,
            renditions=request.renditions,
            folder=request.folder,
        )
        self._count("examined")
        return self._look(call, descriptor)

    def _look(self, call: wire.Examine, descriptor: int) -> Examination:
        """Ask the children that can decode it, one after the other; a lost child ends in a verdict."""
        profile = profile_of(call.media_type)
        damage = "no decoder takes it"
        for _ in range(_MOST_PROFILES):
            try:
                received = self._ask(profile, call, (descriptor,), self._limits(call))
            except Lost as lost:
                damage = self._verdict(lost)
                break
            match received.answer:
                case wire.Examined(facts=facts):
                    return Examination(facts=facts, thumbnail=received.first, preview=received.second)
                case wire.TryProfile():
                    profile = received.answer.profile
                case wire.CannotRead(reason=reason):
                    raise Retryable(f"{call.name} cannot be read: {reason}")
                case wire.Refused(reason=reason):
                    damage = reason
                    break
                case other:
                    damage = f"the decoder answered {type(other).__name__}"
                    break
        return Examination(facts=self._without_pixels(call, descriptor, damage))

    def _without_pixels(self, call: wire.Examine, descriptor: int, damage: str) -> Facts:
        """What the tags still say of a file whose pixels nobody survives: when and where it was taken."""
        bare = Facts(kind=call.kind, media_type=call.media_type, damage=damage)
        tags_only = msgspec.structs.replace(call, pixels=False, renditions=False)
        try:
            answer = self._ask_alone(Profile.PICTURE, tags_only, (descriptor,), self._limits(call)).answer
        except Lost:
            return bare
        return msgspec.structs.replace(answer.facts, damage=damage) if isinstance(answer, wire.Examined) else bare

    def _sidecar(self, call: wire.MergeSidecar | wire.ParseSidecar) -> wire.Received:
        try:
            received = self._ask(Profile.PICTURE, call, (), SIDECAR_LIMITS)
        except Lost as lost:
            raise Permanent(f"the sidecar cannot be read: the parser {self._verdict(lost)}") from lost
        if isinstance(received.answer, wire.Sidecar):
            return received
        reason = received.answer.reason if isinstance(received.answer, wire.Refused) else "it is too large"
        raise Permanent(f"the sidecar cannot be read: {reason}")

    def _answer_to(
        self, descriptors: tuple[int, ...], call: wire.Fit | wire.Check | wire.Convert, profile: Profile, limits: Limits
    ) -> wire.Answer:
        """What a child makes of a file for a destination. Raises Permanent when it cannot be made so."""
        for _ in range(_MOST_PROFILES):
            try:
                answer = self._ask(profile, call, descriptors, limits).answer
            except Lost as lost:
                raise Permanent(self._verdict(lost)) from lost
            match answer:
                case wire.TryProfile():
                    profile = answer.profile
                case wire.CannotRead(reason=reason):
                    raise Retryable(f"a file to be delivered cannot be read or written: {reason}")
                case wire.Refused(reason=reason):
                    raise Permanent(reason)
                case _:
                    return answer
        raise Permanent("no decoder takes it")

    def _convert(self, descriptors: tuple[int, ...], call: wire.Convert, limits: Limits) -> Converted:
        answer = self._answer_to(descriptors, call, Profile.ENCODE, limits)
        converted = _expected(answer, wire.ConvertedAnswer).converted
        _, into = descriptors
        written = os.fstat(into).st_size
        if not 0 < converted.size_bytes <= written:
            raise Retryable(f"{written:,} of {converted.size_bytes:,} bytes of {call.conversion.name} were written")
        os.ftruncate(into, converted.size_bytes)  # a child that was lost before this one may have written more
        return converted

    def _ask(self, profile: Profile, call: wire.Call, descriptors: Sequence[int], limits: Limits) -> wire.Received:
        """In the shared child; once more alone when that was lost, unless this very file ran out of time."""
        try:
            return self._pools[profile].call(call, descriptors=descriptors, limits=limits)
        except Lost as lost:
            if self._is_closing or lost.cause in (Cause.SLOW, Cause.STUCK):
                raise
        return self._ask_alone(profile, call, descriptors, limits)

    def _ask_alone(
        self, profile: Profile, call: wire.Call, descriptors: Sequence[int], limits: Limits
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

    def _limits(self, call: wire.Examine) -> Limits:
        return self._video_limits if call.media_type.startswith("video/") else self._still_limits

    # ------------------------------------------------------------ children

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


def _media_type(descriptor: int, name: str) -> str:
    """Enough to choose the child; its tags say it exactly. Raises Retryable when the disk fails."""
    try:
        head = os.pread(descriptor, signature.HEAD_BYTES, 0)
    except OSError as err:
        raise Retryable(f"{name} cannot be read: {err}") from err
    return signature.media_type_of(head) or signature.media_type_of_name(name) or _UNKNOWN_TYPE


def _box_memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _reading(limits: Limits, size_bytes: int) -> Limits:
    """Limits for work that may read all of a file, and does little to each byte."""
    more_s = size_bytes / _SLOWEST_BYTES_PER_S
    return Limits(wall_s=limits.wall_s + more_s, cpu_s=limits.cpu_s + more_s)


def _expected(answer: wire.Answer, kind: type[_Expected]) -> _Expected:
    if not isinstance(answer, kind):
        raise Permanent(f"the decoder answered {type(answer).__name__}")
    return answer


def _close(descriptors: Sequence[int]) -> None:
    for one in descriptors:
        os.close(one)
