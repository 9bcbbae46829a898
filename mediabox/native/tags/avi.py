"""AVI: what the header list says (Microsoft AVI RIFF File Reference; `IDIT` as cameras write it)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Source
from mediabox.native.tags.codecs import avi_codec, wave_codec
from mediabox.native.tags.dates import candidate, moment
from mediabox.native.tags.findings import Findings, Tolerant, decoded

MAX_CHUNKS = 256  # in one list; the pictures themselves are one list that is stepped over


class Chunk(NamedTuple):
    """Where a chunk's payload lies; `list_type` for lists."""

    id: bytes
    payload: int
    size: int
    list_type: bytes = b""


def read_avi(source: Source, found: Findings) -> None:
    """Take size, rate, length, codecs and date. Raises Malformed when the header is not whole."""
    told = int.from_bytes(source.bytes(4, 4), "little") + 8
    if told > source.size + 1:
        found.damage.append(f"the AVI claims {told:,} bytes, {source.size:,} are there")
    names = set()
    for chunk in chunks(source, 12, source.size):
        names.add(chunk.list_type or chunk.id)
        with Tolerant():
            if chunk.list_type == b"hdrl":
                _read_header(source, chunk, found)
            elif chunk.list_type == b"INFO":
                _read_info(source, chunk, found)
            elif chunk.id == b"IDIT":
                _take_date(source.bytes(chunk.payload, min(chunk.size, 64)), found)
    if b"movi" not in names:
        found.damage.append("the AVI has no pictures (movi)")


def chunks(source: Source, start: int, end: int) -> Iterator[Chunk]:
    """The chunks between two offsets, the payload of a list after its type."""
    at = start
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        name, size = struct.unpack("<4sI", source.bytes(at, 8))
        if name == b"LIST" and at + 12 <= end:
            yield Chunk(name, at + 12, max(size, 4) - 4, source.bytes(at + 8, 4))
        else:
            yield Chunk(name, at + 8, size)
        at += 8 + size + (size & 1)


def _read_header(source: Source, header: Chunk, found: Findings) -> None:
    for chunk in chunks(source, header.payload, min(header.payload + header.size, source.size)):
        if chunk.id == b"avih":
            frame_us, frames, width, height = struct.unpack("<I12xI12xII", source.bytes(chunk.payload, 40))
            found.width, found.height = width, height
            if 0 < frame_us < 10_000_000:
                found.frame_rate = round(1e6 / frame_us, 3)
                found.duration_s = frame_us * frames / 1e6 or None
        elif chunk.list_type == b"strl":
            _read_stream(source, chunk, found)
        elif chunk.id == b"IDIT":
            _take_date(source.bytes(chunk.payload, min(chunk.size, 64)), found)


def _read_stream(source: Source, stream: Chunk, found: Findings) -> None:
    """One stream: its header says what it is, its format how it is coded."""
    kind = b""
    for chunk in chunks(source, stream.payload, min(stream.payload + stream.size, source.size)):
        if chunk.id == b"strh":
            kind, scale, rate, length = struct.unpack("<4s16xII4xI", source.bytes(chunk.payload, 36))
            if kind == b"vids" and scale and rate:
                found.frame_rate = round(rate / scale, 3)
                found.duration_s = found.duration_s or length * scale / rate or None
        elif chunk.id == b"strf" and kind == b"vids":
            found.video_codec = found.video_codec or avi_codec(source.bytes(chunk.payload + 16, 4))
        elif chunk.id == b"strf" and kind == b"auds":
            (tag,) = struct.unpack("<H", source.bytes(chunk.payload, 2))
            found.audio_codec = found.audio_codec or wave_codec(tag)


def _read_info(source: Source, info: Chunk, found: Findings) -> None:
    for chunk in chunks(source, info.payload, min(info.payload + info.size, source.size)):
        text = source.bytes(chunk.payload, min(chunk.size, 1024))
        match chunk.id:
            case b"ICRD":
                _take_date(text, found)
            case b"ISFT":
                found.software = found.software or decoded(text)
            case b"INAM":
                found.title = found.title or decoded(text)
            case b"ICMT":
                found.caption = found.caption or decoded(text)
            case _:
                continue


def _take_date(raw: bytes, found: Findings) -> None:
    """Cameras write local time, either as C's asctime does or as EXIF does."""
    text = decoded(raw) or ""
    at = moment(text)
    if at is not None:
        found.times.append(candidate(at, TimeSource.EXIF_LOCAL))
