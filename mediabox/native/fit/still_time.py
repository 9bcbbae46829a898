"""When in a Live Photo's clip its still was taken.

Apple marks it with a timed metadata track (`mebx`) whose one sample belongs to the key
`com.apple.quicktime.still-image-time` and holds -1; where the sample lies in time, edit
list included, is the answer. Layout: QuickTime File Format Specification, "Timed
Metadata Media", and iPhone clips of 2017 to 2026.
"""

import struct
from collections.abc import Iterator
from itertools import islice

import msgspec

from mediabox.native.boxes import Box, Malformed, Source, boxes, first, payload, within
from mediabox.native.tags.findings import LIES

MAX_TRACKS = 32
MAX_CHILDREN = 64
MAX_SAMPLES = 256  # of a track that says which one picture it was; every one seen has a single sample
_MAX_TABLE_BYTES = 16 * 1024
_KEY = b"mdtacom.apple.quicktime.still-image-time"
_THE_STILL = b"\xff"  # -1 as a signed byte
_HEADERS_BYTES = 8  # version, flags, count


def still_at_us(clip: Source) -> int | None:
    """Microseconds from the start of the presentation; None when the clip does not say. Raises nothing for lies."""
    try:
        moov = first(clip, b"moov")
        return None if moov is None else _in_movie(clip, moov)
    except LIES:
        return None


class _Track(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to find a sample's time. Times in `scale` ticks a second, the edits' in the movie's."""

    movie_scale: int
    scale: int
    edits: bytes
    key: bytes  # the local id that samples use for the key
    tables: dict[bytes, bytes]


def _in_movie(clip: Source, moov: Box) -> int | None:
    tracks = (box for box in boxes(clip, moov.payload, moov.end, limit=MAX_CHILDREN) if box.type == b"trak")
    header = first(clip, b"mvhd", moov.payload, moov.end)
    if header is None:
        return None
    movie_scale = _scale(payload(clip, header, limit=256))
    for trak in islice(tracks, MAX_TRACKS):
        track = _track(clip, trak, movie_scale)
        if track is not None:
            return _marked(clip, track)
    return None


def _track(clip: Source, trak: Box, movie_scale: int) -> _Track | None:
    """The track, if its samples are keyed with the still's time."""
    stbl = within(clip, trak, b"mdia", b"minf", b"stbl")
    header = within(clip, trak, b"mdia", b"mdhd")
    if stbl is None or header is None:
        return None
    tables = {
        box.type: payload(clip, box, limit=_MAX_TABLE_BYTES)
        for box in boxes(clip, stbl.payload, stbl.end, limit=MAX_CHILDREN)
        if box.type in (b"stsd", b"stts", b"stsc", b"stsz", b"stco", b"co64") and box.length <= _MAX_TABLE_BYTES
    }
    key = _local_key(tables.get(b"stsd", b""))
    if key is None:
        return None
    elst = within(clip, trak, b"edts", b"elst")
    edits = b"" if elst is None else payload(clip, elst, limit=_MAX_TABLE_BYTES)
    scale = _scale(payload(clip, header, limit=256))
    return _Track(movie_scale=movie_scale, scale=scale, edits=edits, key=key, tables=tables)


def _scale(header: bytes) -> int:
    """Ticks a second, of `mvhd` and `mdhd` alike. Raises Malformed for none."""
    (scale,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
    if not scale:
        raise Malformed("a time scale of 0")
    return int(scale)


def _local_key(descriptions: bytes) -> bytes | None:
    """The four bytes that stand for the key in samples, from `mebx` > `keys` of a sample description."""
    at = descriptions.find(_KEY)
    if at < 16 or descriptions[_HEADERS_BYTES + 4 : _HEADERS_BYTES + 8] != b"mebx":
        return None
    return descriptions[at - 12 : at - 8]  # before it: size and local id of the key's box, size and type of `keyd`


# ---------------------------------------------------------------- samples


def _marked(clip: Source, track: _Track) -> int | None:
    """The time of the sample that holds -1; of a single sample whatever it holds, as other writers have it."""
    samples = list(islice(_samples(track), MAX_SAMPLES))
    for at_ticks, offset, size in samples:
        if len(samples) == 1 or _value(clip, offset, size, track.key) == _THE_STILL:
            return _presented_us(track, at_ticks)
    return None


def _samples(track: _Track) -> Iterator[tuple[int, int, int]]:
    """Time in ticks, offset and size of each sample (ISO/IEC 14496-12, 8.6.1.2, 8.7.3 to 8.7.5)."""
    times = _times(track.tables[b"stts"])
    sizes = _sizes(track.tables[b"stsz"])
    for offset, count in _chunks(track.tables):
        at = offset
        for time, size in islice(zip(times, sizes, strict=False), count):
            yield time, at, size
            at += size


def _times(table: bytes) -> Iterator[int]:
    at = 0
    for count, ticks in _rows(table, ">II"):
        for _ in range(min(count, MAX_SAMPLES)):
            yield at
            at += ticks


def _sizes(table: bytes) -> Iterator[int]:
    constant, count = struct.unpack_from(">II", table, 4)
    if constant:
        yield from (constant for _ in range(min(count, MAX_SAMPLES)))
    else:
        yield from (size for (size,) in struct.iter_unpack(">I", table[12 : 12 + 4 * min(count, MAX_SAMPLES)]))


def _chunks(tables: dict[bytes, bytes]) -> Iterator[tuple[int, int]]:
    """Offset and number of samples of each chunk."""
    is_long = b"co64" in tables
    offsets = [row[0] for row in _rows(tables[b"co64" if is_long else b"stco"], ">Q" if is_long else ">I")]
    runs = [(first_chunk, count) for first_chunk, count, _ in _rows(tables[b"stsc"], ">III")]
    for number, offset in enumerate(offsets[:MAX_SAMPLES], start=1):
        counts = [count for first_chunk, count in runs if first_chunk <= number]
        yield offset, counts[-1] if counts else 1


def _rows(table: bytes, form: str) -> Iterator[tuple[int, ...]]:
    """The rows of a table that begins with version, flags and their number."""
    (count,) = struct.unpack_from(">I", table, 4)
    width = struct.calcsize(form)
    told = table[_HEADERS_BYTES : _HEADERS_BYTES + count * width]
    yield from struct.iter_unpack(form, told[: len(told) // width * width])


def _value(clip: Source, offset: int, size: int, key: bytes) -> bytes:
    """A sample's value for a key: items of length, local id and value; b"" when it has none."""
    if not 0 < size <= _MAX_TABLE_BYTES or offset + size > clip.size:
        return b""
    sample = clip.bytes(offset, size)
    at = 0
    while at + 8 <= len(sample):
        length = int.from_bytes(sample[at : at + 4], "big")
        if sample[at + 4 : at + 8] == key:
            return sample[at + 8 : at + length]
        at += max(length, 8)
    return b""


# ---------------------------------------------------------------- edit list


def _presented_us(track: _Track, at_ticks: int) -> int | None:
    """When a sample is shown: the edits before it push it back, an edit's start in the media pulls it forward."""
    if len(track.edits) < _HEADERS_BYTES:
        return round(at_ticks * 1_000_000 / track.scale)
    form = ">QqI" if track.edits[0] == 1 else ">IiI"
    passed = 0  # in ticks of the movie
    for length, start, _ in _rows(track.edits, form):
        end = start + length * track.scale / track.movie_scale
        if start >= 0 and start <= at_ticks < max(end, start + 1):
            return round(passed * 1_000_000 / track.movie_scale + (at_ticks - start) * 1_000_000 / track.scale)
        passed += length
    return None
