"""Look at foreign bytes without touching them: the daemon's end of the decoding children.

What is lost in a child of its own, too (`children`), is the culprit, and its tags are read
without its pixels. The daemon itself never fails because of a file.
"""

import os
from typing import TypeVar

import msgspec

from mediabox.contracts import Examination, ExamineRequest
from mediabox.contracts.media import ClipAt
from mediabox.errors import Permanent, Retryable
from mediabox.model import signature
from mediabox.model.facts import Facts
from mediabox.model.recipe import Conversion, Converted, FitRequest, Recipe
from mediabox.model.sidecar import SidecarRecord
from mediabox.native import wire
from mediabox.native.child_process import ChildLimits, Lost
from mediabox.native.children import Children
from mediabox.native.encode.limits import limits_of
from mediabox.native.profiles import Profile, profile_of

SIDECAR_LIMITS = ChildLimits(wall_s=20, cpu_s=10)
FIT_LIMITS = ChildLimits(wall_s=60, cpu_s=20)

_MOST_PROFILES = 3  # a file is handed on from one profile's child to another's at most this often
_UNKNOWN_TYPE = "application/octet-stream"
_SLOWEST_BYTES_PER_S = 5_000_000  # of a disk that is asked for two films at once while the box is busy

_Expected = TypeVar("_Expected", bound=wire.Answer)


class MediaWorkers(Children):
    """`contracts.Examiner` and `contracts.Fitter` over sandboxed children; also the sidecar calls: foreign XML."""

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

    async def check(
        self, result: int, first: int, *, media_type: str, name: str, size_bytes: int, clip: ClipAt | None = None
    ) -> Facts:
        """`contracts.Fitter.check`: compares bytes, decodes nothing."""
        call = wire.Check(name=name, media_type=media_type, clip_offset=clip[1] if clip else None)
        limits = _reading(FIT_LIMITS, 2 * size_bytes)
        files = (result, first, clip[0]) if clip else (result, first)
        answer = await self._lend(files, self._answer_to, call, profile_of(media_type), limits)
        return _expected(answer, wire.Checked).facts

    async def convert(
        self, source: int, into: int, conversion: Conversion, *, limits: ChildLimits | None = None
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

    async def parse_sidecar(self, content: bytes) -> SidecarRecord | None:
        """`native.sidecar.parse` in a child; None when it is not one of ours. Raises Permanent: nobody can read it."""
        received = await self._wait_for(self._submit(self._sidecar, wire.ParseSidecar(content=content)))
        if not isinstance(received.answer, wire.Sidecar):
            raise Permanent("the sidecar cannot be read")
        try:
            return msgspec.msgpack.decode(received.answer.parsed, type=SidecarRecord | None)
        except (msgspec.DecodeError, RecursionError) as err:
            raise Permanent(f"the sidecar cannot be read: {err}") from err

    # ------------------------------------------------------------ in the threads

    def _examine(self, descriptors: tuple[int, ...], request: ExamineRequest, media_type: str | None) -> Examination:
        (descriptor,) = descriptors
        media_type = media_type or _media_type(descriptor, request.name)
        self._count("examined")
        return self._look(request, media_type, descriptor)

    def _look(self, request: ExamineRequest, media_type: str, descriptor: int) -> Examination:
        """Ask the children that can decode it, one after the other; a lost child ends in a verdict."""
        profile, limits = profile_of(media_type), self._limits(media_type)
        damage = "no decoder takes it"
        for _ in range(_MOST_PROFILES):
            try:
                received = self._ask(profile, wire.ExamineFile(request=request), (descriptor,), limits)
            except Lost as lost:
                damage = self._verdict(lost)
                break
            match received.answer:
                case wire.Examined(facts=facts):
                    return Examination(facts=facts, thumbnail=received.first, preview=received.second)
                case wire.TryProfile():
                    profile = received.answer.profile
                case wire.CannotRead(reason=reason):
                    raise Retryable(f"{request.name} cannot be read: {reason}")
                case wire.Refused(reason=reason):
                    damage = reason
                    break
                case other:
                    damage = f"the decoder answered {type(other).__name__}"
                    break
        bare = Facts(kind=request.kind, media_type=media_type, damage=damage)
        return Examination(facts=self._without_pixels(request, descriptor, bare, limits))

    def _without_pixels(self, request: ExamineRequest, descriptor: int, bare: Facts, limits: ChildLimits) -> Facts:
        """What the tags still say of a file whose pixels nobody survives: when and where it was taken."""
        call = wire.ExamineFile(request=msgspec.structs.replace(request, renditions=False), pixels=False)
        try:
            answer = self._ask_alone(Profile.PICTURE, call, (descriptor,), limits).answer
        except Lost:
            return bare
        return msgspec.structs.replace(answer.facts, damage=bare.damage) if isinstance(answer, wire.Examined) else bare

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
        self,
        descriptors: tuple[int, ...],
        call: wire.Fit | wire.Check | wire.Convert,
        profile: Profile,
        limits: ChildLimits,
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

    def _convert(self, descriptors: tuple[int, ...], call: wire.Convert, limits: ChildLimits) -> Converted:
        answer = self._answer_to(descriptors, call, Profile.ENCODE, limits)
        converted = _expected(answer, wire.ConvertedAnswer).converted
        _, into = descriptors
        written = os.fstat(into).st_size
        if not 0 < converted.size_bytes <= written:
            raise Retryable(f"{written:,} of {converted.size_bytes:,} bytes of {call.conversion.name} were written")
        os.ftruncate(into, converted.size_bytes)  # a child that was lost before this one may have written more
        return converted

    def _limits(self, media_type: str) -> ChildLimits:
        return self._video_limits if media_type.startswith("video/") else self._still_limits


def _media_type(descriptor: int, name: str) -> str:
    """Enough to choose the child; its tags say it exactly. Raises Retryable when the disk fails."""
    try:
        head = os.pread(descriptor, signature.HEAD_BYTES, 0)
    except OSError as err:
        raise Retryable(f"{name} cannot be read: {err}") from err
    return signature.media_type_of(head) or signature.media_type_of_name(name) or _UNKNOWN_TYPE


def _reading(limits: ChildLimits, size_bytes: int) -> ChildLimits:
    """Limits for work that may read all of a file, and does little to each byte."""
    more_s = size_bytes / _SLOWEST_BYTES_PER_S
    return ChildLimits(wall_s=limits.wall_s + more_s, cpu_s=limits.cpu_s + more_s)


def _expected(answer: wire.Answer, kind: type[_Expected]) -> _Expected:
    if not isinstance(answer, kind):
        raise Permanent(f"the decoder answered {type(answer).__name__}")
    return answer
