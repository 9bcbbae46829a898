"""How a delivered file is put together from files of the archive, without decoding or copying them first.

Whoever understands the format (a sandboxed child) says which bytes come from where;
whoever writes (`durable.outbox`) only copies. So a child never writes, what is copied is
provably the original's own bytes, and nobody holds more than the inserts in memory.
"""

from enum import StrEnum

import msgspec

from mediabox.model.facts import CaptureTime, Hdr
from mediabox.model.place import Place


class Part(StrEnum):
    """Which of the files at hand."""

    FIRST = "first"  # the still, or the video when there is no still
    CLIP = "clip"  # the Live Photo's video


class Span(msgspec.Struct, frozen=True, kw_only=True, tag="span"):
    """These bytes of a file, as they are."""

    part: Part
    offset: int
    length: int


class Insert(msgspec.Struct, frozen=True, kw_only=True, tag="insert"):
    """New bytes: a metadata segment, a box header."""

    content: bytes


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """The whole result, first byte to last."""

    pieces: tuple[Span | Insert, ...]
    media_type: str  # of the result
    clip_offset: int | None = None  # where in the result the clip begins; it goes to the end of its own bytes
    edits_clip: bool = False  # outside its samples, each byte in its place: told as MP4
    still_at_us: int | None = None  # the still's presentation time within the clip
    hdr: Hdr | None = None  # how the result carries it
    note: str = ""  # what was changed beyond adding, for the ledger: "gain map rewritten as Ultra HDR"

    @property
    def size_bytes(self) -> int:
        return sum(one.length if isinstance(one, Span) else len(one.content) for one in self.pieces)


class FitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the result has to be. Time and place are given only where the file itself must be made to say them."""

    name: str
    media_type: str
    size_bytes: int
    clip_bytes: int | None = None  # length of the clip's file: make a Motion Photo
    clip_media_type: str | None = None
    capture_time: CaptureTime | None = None
    place: Place | None = None


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """A new encoding, for a place that does not take the original's. Metadata goes along; orientation is right."""

    name: str
    media_type: str
    size_bytes: int
    to: str  # image/jpeg or video/mp4 (H.264, AAC)
    most_pixels: int | None = None  # a larger still is reduced to this many
    shortest_side: int | None = None  # a video whose short side is longer is reduced to this, in pixels
    capture_time: CaptureTime | None = None
    place: Place | None = None


class Converted(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    size_bytes: int
    width: int
    height: int
    note: str = ""  # what was lost, for a person: "tone-mapped from HLG", "audio left out: pcm_s16le"
