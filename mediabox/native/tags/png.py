"""Walk a PNG's chunks (W3C PNG 3rd edition): size, animation, Exif, XMP, colour, and whether its end is there."""

import struct
import zlib
from collections.abc import Iterator

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Held, Source
from mediabox.native.colour import HDR_OF
from mediabox.native.tags.dates import candidate, moment
from mediabox.native.tags.exif import read_exif
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.png_text import MAX_TEXT_BYTES, take_text
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.text import clean

MAX_CHUNKS = 64  # from the start; text and colour come first, pixels may come in thousands
TAIL_BYTES = 16 * 1024
_STEP_BYTES = 1 << 20
_END = b"\0\0\0\0IEND\xaeB`\x82"
_TOLD = (b"eXIf", b"iTXt", b"tIME", b"tEXt", b"zTXt")


def read_png(source: Source, found: Findings) -> None:
    """Take what the chunks at the start and those at the end say. Raises Malformed when there is no header."""
    reached = 8
    for kind, body, end in _chunks(source):
        with Tolerant():
            _take(kind, body, found)
        reached = end
        if kind == b"IEND":
            return
    tail = source.bytes(max(0, source.size - TAIL_BYTES), min(TAIL_BYTES, source.size))
    if _END not in tail and not _has_end(source):
        found.damage.append("the PNG ends before its end chunk")
    for kind, body in _behind_pixels(tail, reached - (source.size - len(tail))):
        with Tolerant():
            _take(kind, body, found)


def _has_end(source: Source) -> bool:
    """Whether the end chunk is anywhere: a program may have put much behind it."""
    starts = range(0, source.size, _STEP_BYTES)
    return any(_END in source.bytes(at, min(_STEP_BYTES + len(_END), source.size - at)) for at in reversed(starts))


def _chunks(source: Source) -> Iterator[tuple[bytes, SubReader, int]]:
    at = 8
    for _ in range(MAX_CHUNKS):
        if at + 12 > source.size:
            return
        length, kind = struct.unpack(">I4s", source.bytes(at, 8))
        end = at + 12 + length
        if end > source.size:
            return
        yield kind, SubReader(source, at + 8, length), end
        at = end


def _behind_pixels(tail: bytes, start: int) -> Iterator[tuple[bytes, SubReader]]:
    """Text chunks among the last bytes, past `start`: found by name, believed by checksum."""
    held = Held(tail)
    for kind in _TOLD:
        at, left = tail.find(kind, max(start, 4)), MAX_CHUNKS
        while at >= 4 and left:
            length = int.from_bytes(tail[at - 4 : at], "big")
            end = at + 4 + length
            if end + 4 <= len(tail) and zlib.crc32(tail[at:end]) == int.from_bytes(tail[end : end + 4], "big"):
                yield kind, SubReader(held, at + 4, length)
                left -= 1
            at = tail.find(kind, at + 4)


def _take(kind: bytes, body: SubReader, found: Findings) -> None:
    match kind:
        case b"IHDR":
            found.width, found.height, found.bit_depth = struct.unpack(">IIB", body.bytes(0, 9))
        case b"acTL":
            frames, _ = struct.unpack(">II", body.bytes(0, 8))
            found.frames = frames if frames > 1 else None
        case b"eXIf":
            read_exif(body, found)
        case b"iTXt" | b"tEXt" | b"zTXt":
            take_text(kind, body.bytes(0, min(body.size, MAX_TEXT_BYTES)), found)
        case b"iCCP":
            found.color_profile = clean(body.bytes(0, min(80, body.size)).partition(b"\0")[0].decode("latin-1"))
        case b"cICP":
            primaries, transfer, matrix = body.bytes(0, 3)
            found.color_profile = f"{primaries}/{transfer}/{matrix}"
            found.hdr = HDR_OF.get(transfer)
        case b"tIME":
            year, month, day, hour, minute, second = struct.unpack(">HBBBBB", body.bytes(0, 7))
            at = moment(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")  # UTC, 11.3.5
            if at is not None:
                found.times.append(candidate(at, TimeSource.EXIF_MODIFIED))
        case _:
            return
