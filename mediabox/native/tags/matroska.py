"""Matroska and WebM: what the segment says before its first cluster (RFC 9559; EBML: RFC 8794)."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from mediabox.model.facts import Hdr, TimeSource
from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags.codecs import matroska_codec
from mediabox.native.tags.dates import utc_candidate
from mediabox.native.tags.findings import Findings, Tolerant, decoded

MAX_ELEMENTS = 512  # in one parent
MAX_TRACKS = 32
MAX_VALUE_BYTES = 4096
_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)  # RFC 9559, 4.3: dates are nanoseconds since the millennium

_SEGMENT, _CLUSTER, _INFO, _TRACKS = 0x18538067, 0x1F43B675, 0x1549A966, 0x1654AE6B
_SCALE, _DURATION, _DATE, _TITLE, _WRITER = 0x2AD7B1, 0x4489, 0x4461, 0x7BA9, 0x5741
_TRACK, _TRACK_TYPE, _CODEC, _FRAME_NS, _VIDEO, _ADDITION = 0xAE, 0x83, 0x86, 0x23E383, 0xE0, 0x41E4
_WIDTH, _HEIGHT = 0xB0, 0xBA
_COLOUR, _MATRIX, _DEPTH, _TRANSFER, _PRIMARIES = 0x55B0, 0x55B1, 0x55B2, 0x55BA, 0x55BB
_PROJECTION, _ROLL, _ADDITION_TYPE = 0x7670, 0x7675, 0x41E7
_PICTURE_TRACK, _SOUND_TRACK = 1, 2
_TRANSFERS = {16: Hdr.PQ, 18: Hdr.HLG}
_HDR10_PLUS, _DOLBY = 4, (0x64766343, 0x64767643)  # ITU-T T.35; `dvcC`, `dvvC` (Block Addition Mapping registry)
_ROLLS = {90: 8, -90: 6, 270: 6, -270: 8, 180: 3, -180: 3}  # a roll turns the camera, so the picture the other way


class Element(NamedTuple):
    """Where one element's payload lies. `told` is the size it claims, None when it does not know (a live recording)."""

    id: int
    payload: int
    end: int
    told: int | None


def read_matroska(source: Source, found: Findings) -> None:
    """Take length, date, tracks. Raises Malformed when the file is not EBML."""
    segment = next((each for each in elements(source, 0, source.size) if each.id == _SEGMENT), None)
    if segment is None:
        found.damage.append("the Matroska file has no segment")
        return
    if segment.told is not None and segment.payload + segment.told > source.size:
        there = source.size - segment.payload
        found.damage.append(f"the segment claims {segment.told:,} bytes, {there:,} are there")
    for element in elements(source, segment.payload, segment.end):
        with Tolerant():
            if element.id == _INFO:
                _read_info(source, element, found)
            elif element.id == _TRACKS:
                _read_tracks(source, element, found)
            elif element.id == _CLUSTER:
                return


def elements(source: Source, start: int, end: int) -> Iterator[Element]:
    """The elements between two offsets, `MAX_ELEMENTS` at most. Raises Malformed."""
    at = start
    for _ in range(MAX_ELEMENTS):
        if at + 2 > end:
            return
        head = source.bytes(at, min(12, end - at))
        id_width = _width(head[0], longest=4)
        size_width = _width(head[id_width], longest=8)
        size = int.from_bytes(head[id_width : id_width + size_width], "big") & (1 << 7 * size_width) - 1
        told = None if size == (1 << 7 * size_width) - 1 else size
        payload = at + id_width + size_width
        stop = end if told is None else min(payload + told, end)
        yield Element(int.from_bytes(head[:id_width], "big"), payload, stop, told)
        at = stop


def _width(first: int, *, longest: int) -> int:
    """Bytes of a variable-length number: as many as its first byte has leading zeros, and one."""
    width = 9 - first.bit_length()
    if width > longest:
        raise Malformed("an EBML number that is too long")
    return width


def _children(source: Source, parent: Element) -> dict[int, Element]:
    """The first element of each id."""
    found: dict[int, Element] = {}
    for element in elements(source, parent.payload, parent.end):
        found.setdefault(element.id, element)
    return found


def _raw(source: Source, element: Element) -> bytes:
    return source.bytes(element.payload, min(element.end - element.payload, MAX_VALUE_BYTES))


def _whole(source: Source, element: Element | None) -> int | None:
    return None if element is None else int.from_bytes(_raw(source, element)[:8], "big")


def _real(source: Source, element: Element | None) -> float | None:
    raw = b"" if element is None else _raw(source, element)
    forms = {4: ">f", 8: ">d"}
    return float(struct.unpack(forms[len(raw)], raw)[0]) if len(raw) in forms else None


def _text(source: Source, element: Element | None) -> str | None:
    return None if element is None else decoded(_raw(source, element))


def _read_info(source: Source, info: Element, found: Findings) -> None:
    told = _children(source, info)
    duration = _real(source, told.get(_DURATION))
    scale_ns = _whole(source, told.get(_SCALE)) or 1_000_000
    if duration is not None and 0 < duration < 1e12:
        found.duration_s = duration * scale_ns / 1e9
    found.title = found.title or _text(source, told.get(_TITLE))
    found.software = found.software or _text(source, told.get(_WRITER))
    if _DATE in told:
        nanoseconds = int.from_bytes(_raw(source, told[_DATE])[:8], "big", signed=True)
        at = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
        found.times.append(utc_candidate(at, TimeSource.MOVIE_HEADER))


def _read_tracks(source: Source, tracks: Element, found: Findings) -> None:
    for number, element in enumerate(elements(source, tracks.payload, tracks.end)):
        if number == MAX_TRACKS:
            return
        if element.id != _TRACK:
            continue
        track = _children(source, element)
        kind = _whole(source, track.get(_TRACK_TYPE))
        codec = matroska_codec(_text(source, track.get(_CODEC)) or "")
        if kind == _SOUND_TRACK and found.audio_codec is None:
            found.audio_codec = codec
        elif kind == _PICTURE_TRACK and found.video_codec is None:
            found.video_codec = codec
            _read_pictures(source, track, found)


def _read_pictures(source: Source, track: dict[int, Element], found: Findings) -> None:
    frame_ns = _whole(source, track.get(_FRAME_NS))
    if frame_ns:
        found.frame_rate = round(1e9 / frame_ns, 3)
    if _ADDITION in track:
        addition = _whole(source, _children(source, track[_ADDITION]).get(_ADDITION_TYPE))
        found.hdr = Hdr.HDR10_PLUS if addition == _HDR10_PLUS else Hdr.DOLBY_VISION if addition in _DOLBY else None
    if _VIDEO not in track:
        return
    video = _children(source, track[_VIDEO])
    found.width, found.height = _whole(source, video.get(_WIDTH)), _whole(source, video.get(_HEIGHT))
    if _COLOUR in video:
        _read_colour(source, _children(source, video[_COLOUR]), found)
    if _PROJECTION in video:
        roll = _real(source, _children(source, video[_PROJECTION]).get(_ROLL))
        found.orientation = _ROLLS.get(round(roll), 1) if roll is not None and abs(roll) < 1000 else 1


def _read_colour(source: Source, colour: dict[int, Element], found: Findings) -> None:
    found.bit_depth = _whole(source, colour.get(_DEPTH)) or None
    transfer = _whole(source, colour.get(_TRANSFER))
    found.hdr = found.hdr or _TRANSFERS.get(transfer or 0)
    numbers = [_whole(source, colour.get(name)) for name in (_PRIMARIES, _TRANSFER, _MATRIX)]
    if all(number is not None for number in numbers):
        found.color_profile = "/".join(str(number) for number in numbers)
