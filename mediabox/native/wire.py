"""What the daemon and its decoding children say to each other, over one Unix stream per lane.

A call is a small msgpack message with up to two open descriptors beside it
(SCM_RIGHTS). An answer is a msgpack message and up to two blobs (thumbnail,
preview) that follow it as they are, so that nobody copies them into a message.

Frame: four little-endian numbers (the call's number, then three lengths: message, first blob, second
blob), then the three parts. `ABSENT` as a length means "no blob", which is not the same as an empty one.
The daemon does not trust a child: an answer bears the number of its call, so that no file gets
another's; lengths are bounded, the message is decoded against its type, facts are held to what can
be (`ranges`), and descriptors that come back are never received.
"""

import array
import os
import socket
import struct
from collections.abc import Sequence
from typing import Final

import msgspec

from mediabox.contracts import ExamineRequest
from mediabox.model.facts import Facts
from mediabox.model.recipe import Conversion, Converted, FitRequest, Recipe
from mediabox.model.sidecar import SidecarRecord
from mediabox.native.profiles import Profile
from mediabox.native.ranges import find_impossible
from mediabox.native.sandbox import SandboxLayers

LARGEST_MESSAGE_BYTES: Final = 4 << 20  # a sidecar of several MiB of edits is the largest seen
LARGEST_BLOB_BYTES: Final = 32 << 20  # a 1440 x 30,000 panorama's preview is about 12 MiB
MOST_DESCRIPTORS: Final = 3  # beside one call: a result, the still it was made from, and its clip
ABSENT: Final = 0xFFFF_FFFF
GREETING: Final = 0  # the number of Hello, which answers no call

_HEAD = struct.Struct("<IIII")
_DESCRIPTOR_BYTES = array.array("i").itemsize


class Broken(Exception):
    """The other side is gone in the middle of a frame, or does not speak this protocol."""


# ---------------------------------------------------------------- calls


class ExamineFile(msgspec.Struct, frozen=True, kw_only=True, tag="examine"):
    """Look at the descriptor that comes along. `pixels` false: only at its tags, a decoder has failed on it before."""

    request: ExamineRequest
    pixels: bool = True


class MergeSidecar(msgspec.Struct, frozen=True, kw_only=True, tag="merge_sidecar"):
    """`native.sidecar.merge`."""

    existing: bytes | None
    source: bytes | None
    record: SidecarRecord


class ParseSidecar(msgspec.Struct, frozen=True, kw_only=True, tag="parse_sidecar"):
    """`native.sidecar.parse`."""

    content: bytes


class Fit(msgspec.Struct, frozen=True, kw_only=True, tag="fit"):
    """`native.fit.fit`. Descriptors: the still or the video, then the clip when the request names one."""

    request: FitRequest


class Check(msgspec.Struct, frozen=True, kw_only=True, tag="check"):
    """`native.fit.check`. Descriptors: the made file, the one it was made from, its clip where it has an offset."""

    name: str
    media_type: str
    clip_offset: int | None = None


class Convert(msgspec.Struct, frozen=True, kw_only=True, tag="convert"):
    """`native.encode.convert`. Descriptors: the source, then an empty file open for reading and writing."""

    conversion: Conversion


Call = ExamineFile | MergeSidecar | ParseSidecar | Fit | Check | Convert


# ---------------------------------------------------------------- answers


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello"):
    """The child is armed and serves. `versions`: of its decoders, by name, for the status page.

    `threads` are the kernel's ids of the threads behind its lanes, in lane order.
    """

    layers: SandboxLayers
    versions: dict[str, str]
    threads: tuple[int, ...]


class Examined(msgspec.Struct, frozen=True, kw_only=True, tag="examined"):
    """Blobs: thumbnail, preview. `is_spent`: the decoder behaved oddly, this child must not be used again."""

    facts: Facts
    is_spent: bool = False


class TryProfile(msgspec.Struct, frozen=True, kw_only=True, tag="try_profile"):
    """Another child can decode this file."""

    profile: Profile


class CannotRead(msgspec.Struct, frozen=True, kw_only=True, tag="cannot_read"):
    """The disk failed, not the file."""

    reason: str


class Sidecar(msgspec.Struct, frozen=True, kw_only=True, tag="sidecar"):
    """Answer to both sidecar calls: merged content is the first blob, a parsed record is `parsed` (msgpack)."""

    parsed: msgspec.Raw = msgspec.Raw(b"\xc0")


class Fitted(msgspec.Struct, frozen=True, kw_only=True, tag="fitted"):
    """How to put the file together."""

    recipe: Recipe


class Checked(msgspec.Struct, frozen=True, kw_only=True, tag="checked"):
    """The picture data are the same. `facts` are the made file's."""

    facts: Facts


class ConvertedAnswer(msgspec.Struct, frozen=True, kw_only=True, tag="converted"):
    """The file is written, not yet synced."""

    converted: Converted


class OutOfMemory(msgspec.Struct, frozen=True, kw_only=True, tag="out_of_memory"):
    """The file wanted more than the child's budget. The child goes on."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The content of a call cannot be used; `reason` is for a person."""

    reason: str


Answer = (
    Hello | Examined | TryProfile | CannotRead | Sidecar | Fitted | Checked | ConvertedAnswer | OutOfMemory | Refused
)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One answer as the daemon got it."""

    answer: Answer
    first: bytes | None
    second: bytes | None


_calls = msgspec.msgpack.Decoder(Call)
_answers = msgspec.msgpack.Decoder(Answer)
_encoder = msgspec.msgpack.Encoder()


# ---------------------------------------------------------------- the daemon's side


def send_call(lane: socket.socket, call: Call, *, number: int, descriptors: Sequence[int] = ()) -> None:
    """Send one call. Raises OSError when the child is gone or does not read."""
    message = _encoder.encode(call)
    head = _HEAD.pack(number, len(message), ABSENT, ABSENT)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    _send(lane, [head, message], rights)


def receive_answer(lane: socket.socket, *, number: int) -> Received:
    """Wait for the answer to call `number`. Raises Broken, or OSError when the socket's own time limit passed."""
    answered, *lengths = _HEAD.unpack(_exactly(lane, _HEAD.size))
    if answered != number:
        raise Broken(f"the child answered call {answered} instead of {number}")
    if lengths[0] > LARGEST_MESSAGE_BYTES or any(n != ABSENT and n > LARGEST_BLOB_BYTES for n in lengths[1:]):
        raise Broken(f"the child announced {lengths} bytes")
    message, first, second = (None if n == ABSENT else _exactly(lane, n) for n in lengths)
    try:
        answer = _answers.decode(message or b"")
    except (msgspec.DecodeError, RecursionError) as err:  # ValidationError is one; the other: nested without end
        raise Broken(f"the child's answer cannot be read: {err}") from err
    if isinstance(answer, Examined | Checked) and (impossible := find_impossible(answer.facts)):
        raise Broken(f"the child's answer cannot be right: {impossible}")
    return Received(answer=answer, first=first, second=second)


def _exactly(lane: socket.socket, length: int) -> bytes:
    """`length` bytes in one allocation and, from a blocking socket, one call."""
    if length == 0:
        return b""
    piece = lane.recv(length, socket.MSG_WAITALL)
    if len(piece) < length:
        raise Broken(f"{len(piece)} of {length} bytes")
    return piece


# ---------------------------------------------------------------- the child's side


def receive_call(lane: socket.socket) -> tuple[int, Call, tuple[int, ...]] | None:
    """Wait for a call: its number, itself, and descriptors that are the caller's to close. None at the end."""
    room = socket.CMSG_SPACE(MOST_DESCRIPTORS * _DESCRIPTOR_BYTES)
    head, ancillary, _, _ = lane.recvmsg(_HEAD.size, room, socket.MSG_WAITALL)
    if not head:
        return None
    descriptors = _descriptors_in(ancillary)
    if len(head) < _HEAD.size:
        raise Broken(f"{len(head)} of {_HEAD.size} bytes")
    number, length, _, _ = _HEAD.unpack(head)
    return number, _calls.decode(_exactly(lane, length)), descriptors


def send_answer(
    lane: socket.socket, answer: Answer, *, number: int, first: bytes | None = None, second: bytes | None = None
) -> None:
    """Send the answer to call `number` with its blobs. Raises BrokenPipeError when the daemon is gone."""
    message = _encoder.encode(answer)
    blobs = (first, second)
    head = _HEAD.pack(number, len(message), *(ABSENT if blob is None else len(blob) for blob in blobs))
    _send(lane, [head, message, *(blob for blob in blobs if blob)], [])


def _descriptors_in(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, ...]:
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) - len(content) % _DESCRIPTOR_BYTES])
    for surplus in descriptors[MOST_DESCRIPTORS:]:
        os.close(surplus)
    return tuple(descriptors[:MOST_DESCRIPTORS])


def _send(lane: socket.socket, parts: list[bytes], rights: "list[tuple[int, int, array.array[int]]]") -> None:
    """All of it, however the socket cuts it; `rights` travel with the first byte."""
    left = [memoryview(part) for part in parts]
    while left:
        sent = lane.sendmsg(left, rights)
        rights = []
        while left and sent >= len(left[0]):
            sent -= len(left.pop(0))
        if left:
            left[0] = left[0][sent:]
