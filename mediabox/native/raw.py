"""Camera raw files: find the JPEG the camera put inside, and show that.

It is what the photographer saw on the camera, most makers store it at full size, and it
costs what a JPEG costs; developing the sensor data would need ten times that and another
parser of foreign bytes. Layouts: TIFF 6.0 and TIFF/EP (NEF, CR2, DNG, ARW, ORF, RW2,
PEF, SRW and kin), Fujifilm's RAF header, Canon's CR3 boxes and CRW heap; for what knows
none of these, nothing is guessed.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from mediabox.model.facts import Facts
from mediabox.native import jpeg
from mediabox.native.boxes import Malformed, Source, boxes, exactly
from mediabox.native.decoded import Decoded, NoPicture, Unreadable
from mediabox.native.faults import refused
from mediabox.native.window import JPEG_END, Window

_MAX_DIRECTORIES = 64
_MAX_ENTRIES = 512  # in one directory
_MAX_HEAP = 256  # records of a CRW heap
_SMALLEST = 512  # bytes; less is no preview
_JPEG = b"\xff\xd8\xff"

_COMPRESSION, _STRIPS, _STRIP_BYTES = 0x0103, 0x0111, 0x0117
_SUB_DIRECTORIES, _JPEG_AT, _JPEG_BYTES = 0x014A, 0x0201, 0x0202
_EXIF, _MAKER_NOTE = 0x8769, 0x927C
_OLYMPUS_SETTINGS, _OLYMPUS_AT, _OLYMPUS_BYTES = 0x2020, 0x0101, 0x0102  # in the maker note; offsets from its start
_OLYMPUS_NOTES = {b"OLYMPUS\0": 8, b"OM SYSTEM\0\0\0": 12}  # where its byte order stands; the IFD is 4 bytes on
_PANASONIC_PREVIEW = 0x002E  # RW2: the JPEG lies in the entry's own value
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 9: 4, 13: 4}  # bytes of a value; the types these tags have
_FORMATS = {1: "B", 2: "H", 4: "I"}
_JPEG_COMPRESSIONS = frozenset((6, 7))
_CR3_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_CR3_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CRW_PREVIEW, _CRW_THUMBNAIL = 0x2007, 0x2008
_CRW_FOLDERS = frozenset((0x28, 0x30))  # the kinds of record that are heaps themselves


class Place(NamedTuple):
    """Where a JPEG lies in the file."""

    offset: int
    length: int


def decode(source: Source, facts: Facts) -> Decoded:
    """The best preview inside, turned as the raw file's own orientation says.

    Raises NoPicture when there is none, Unreadable when those there are cannot be decoded.
    """
    found = sorted(set(_sound(source, previews(source))), key=lambda place: place.length, reverse=True)
    if not found:
        raise NoPicture(f"{facts.media_type}: no preview inside")
    fault = ""
    for place in found:
        try:
            shown = jpeg.decode(Window(source, *place, ending=JPEG_END), orientation=facts.orientation)
        except Unreadable as err:  # lossless JPEG is how some cameras store the sensor data itself
            fault = str(err)
            continue
        return _of_original(shown, facts)
    raise Unreadable(f"{facts.media_type}: {fault}")


def previews(source: Source) -> list[Place]:
    """Every JPEG a raw file's tables point at, unchecked. Raises Unreadable when the tables cannot be read."""
    head = exactly(source, 0, min(source.size, 32), limit=32)
    with refused("raw file"):
        if head.startswith(b"FUJIFILMCCD-RAW"):
            return [Place(*struct.unpack(">II", exactly(source, 84, 8, limit=8)))]
        if head[4:8] == b"ftyp":
            return list(_in_boxes(source))
        if head[6:14] == b"HEAPCCDR":
            order = "<" if head.startswith(b"II") else ">"
            return list(_in_heap(source, order, struct.unpack_from(order + "I", head, 2)[0]))
        if head[:2] in (b"II", b"MM"):
            return list(_in_directories(source, "<" if head.startswith(b"II") else ">"))
    return []


def _sound(source: Source, found: list[Place]) -> Iterator[Place]:
    """Those that lie in the file and start like a JPEG. A cut file's preview may still be partly there."""
    for offset, length in found:
        there = min(length, source.size - offset)
        if there >= _SMALLEST and exactly(source, offset, 3, limit=3) == _JPEG:
            yield Place(offset, there)


def _of_original(shown: Decoded, facts: Facts) -> Decoded:
    """Sizes and depth are those of the raw picture where its tags say them, not of the preview."""
    return msgspec.structs.replace(
        shown,
        width=facts.width or shown.width,
        height=facts.height or shown.height,
        bit_depth=facts.bit_depth,
    )


def _in_directories(source: Source, order: str) -> Iterator[Place]:
    """Walk IFD0, its successors and SubIFDs, each offset once."""
    waiting = [struct.unpack(order + "I", exactly(source, 4, 4, limit=4))[0]]
    seen: set[int] = set()
    while waiting and len(seen) < _MAX_DIRECTORIES:
        at = waiting.pop(0)
        if at in seen or not 8 <= at <= source.size - 2:
            continue
        seen.add(at)
        try:
            values, embedded, following = _directory(source, order, at)
        except Malformed:  # one broken directory does not hide the others
            continue
        waiting += [*values.get(_SUB_DIRECTORIES, ()), *values.get(_EXIF, ()), *following]
        yield from embedded
        for note in values.get(_MAKER_NOTE, ()):
            yield from _in_olympus_note(source, note)
        yield from _paired(values.get(_JPEG_AT, ()), values.get(_JPEG_BYTES, ()))
        if set(values.get(_COMPRESSION, ())) & _JPEG_COMPRESSIONS and len(values.get(_STRIPS, ())) == 1:
            yield from _paired(values[_STRIPS], values.get(_STRIP_BYTES, ()))


def _paired(offsets: tuple[int, ...], lengths: tuple[int, ...]) -> Iterator[Place]:
    """Offsets with their lengths; a missing one leaves the pair out."""
    return (Place(offset, length) for offset, length in zip(offsets, lengths, strict=False))


def _in_olympus_note(source: Source, note: int) -> Iterator[Place]:
    """ORF: no other table knows of the preview. Other makers' notes are left alone."""
    head = exactly(source, note, 16, limit=16) if note + 16 <= source.size else b""
    order_at = next((at for name, at in _OLYMPUS_NOTES.items() if head.startswith(name)), None)
    if order_at is None:
        return
    order = "<" if head[order_at:].startswith(b"II") else ">"
    try:
        values, _, _ = _directory(source, order, note + order_at + 4, start=note)
        for settings in values.get(_OLYMPUS_SETTINGS, ()):
            inner, _, _ = _directory(source, order, note + settings, start=note)
            for place in _paired(inner.get(_OLYMPUS_AT, ()), inner.get(_OLYMPUS_BYTES, ())):
                yield Place(note + place.offset, place.length)
    except Malformed:
        return


def _directory(
    source: Source, order: str, at: int, *, start: int = 0
) -> tuple[dict[int, tuple[int, ...]], list[Place], list[int]]:
    """The wanted tags of one IFD, JPEGs lying in a value, and the next IFD's offset.

    Offsets in it count from `start`. A maker note's value is where it lies.
    """
    count = min(struct.unpack(order + "H", exactly(source, at, 2, limit=2))[0], _MAX_ENTRIES)
    table = exactly(source, at + 2, 12 * count, limit=12 * _MAX_ENTRIES)
    values: dict[int, tuple[int, ...]] = {}
    embedded: list[Place] = []
    for tag, kind, length, value in struct.iter_unpack(order + "HHI4s", table):
        if tag == _PANASONIC_PREVIEW:
            embedded.append(Place(struct.unpack(order + "I", value)[0], length))
        if tag == _MAKER_NOTE and length > 16:
            values[tag] = struct.unpack(order + "I", value)
            continue
        if tag not in _WANTED or kind not in _WIDTHS or not 0 < length <= _MAX_DIRECTORIES:
            continue
        size = length * _WIDTHS[kind]
        if size > 4:
            value = exactly(source, start + struct.unpack(order + "I", value)[0], size, limit=512)  # noqa: PLW2901
        values[tag] = struct.unpack_from(f"{order}{length}{_FORMATS[_WIDTHS[kind]]}", value)
    end = at + 2 + 12 * count
    following = struct.unpack(order + "I", exactly(source, end, 4, limit=4)) if end + 4 <= source.size else ()
    return values, embedded, list(following)


_WANTED = frozenset((
    _COMPRESSION, _STRIPS, _STRIP_BYTES, _SUB_DIRECTORIES, _JPEG_AT, _JPEG_BYTES, _EXIF,
    _OLYMPUS_SETTINGS, _OLYMPUS_AT, _OLYMPUS_BYTES,
))  # fmt: skip


def _in_boxes(source: Source) -> Iterator[Place]:
    """CR3: the 1620 px PRVW in its own uuid box, THMB inside moov, the full-size JPEG as the first track's sample."""
    for box in boxes(source):
        if box.type == b"uuid" and box.name == _CR3_PREVIEW:
            yield from _canon_jpegs(source, box.payload + 8, box.end)  # version and a count come first
        elif box.type == b"moov":
            for inner in boxes(source, box.payload, box.end):
                if inner.type == b"uuid" and inner.name == _CR3_CANON:
                    yield from _canon_jpegs(source, inner.payload, inner.end)
                elif inner.type == b"trak":
                    yield from _first_sample(source, inner.payload, inner.end)


def _canon_jpegs(source: Source, start: int, end: int) -> Iterator[Place]:
    """The JPEG after the header of PRVW (16 bytes) and THMB (16 bytes); found by its marker, versions differ."""
    for box in boxes(source, start, end, limit=64):
        if box.type not in (b"PRVW", b"THMB"):
            continue
        head = exactly(source, box.payload, min(32, box.length), limit=32)
        marker = head.find(_JPEG)
        if marker >= 0:
            yield Place(box.payload + marker, box.length - marker)


def _first_sample(source: Source, start: int, end: int) -> Iterator[Place]:
    """One sample of a track that has one: offset from co64 or stco, length from stsz."""
    path, offset, length = (b"mdia", b"minf", b"stbl"), 0, 0
    for name in path:
        box = next((box for box in boxes(source, start, end, limit=64) if box.type == name), None)
        if box is None:
            return
        start, end = box.payload, box.end
    for box in boxes(source, start, end, limit=64):
        if box.type == b"stsz" and box.length >= 12:
            size, count = struct.unpack(">II", exactly(source, box.payload + 4, 8, limit=8))
            first = exactly(source, box.payload + 12, 4, limit=4) if not size and box.length >= 16 else b""
            length = size or (int.from_bytes(first, "big") if count else 0)
        elif box.type in (b"co64", b"stco"):
            width = 8 if box.type == b"co64" else 4
            if box.length >= 8 + width:
                offset = int.from_bytes(exactly(source, box.payload + 8, width, limit=8), "big")
    if offset and length:
        yield Place(offset, length)


def _in_heap(source: Source, order: str, start: int) -> Iterator[Place]:
    """CRW: records listed at the end of each heap; a heap may hold heaps (Phil Harvey, The Canon RAW (CRW) format)."""
    waiting = [(start, source.size)]
    for _ in range(_MAX_DIRECTORIES):
        if not waiting:
            return
        begin, end = waiting.pop(0)
        table = begin + struct.unpack(order + "I", exactly(source, end - 4, 4, limit=4))[0]
        count = min(struct.unpack(order + "H", exactly(source, table, 2, limit=2))[0], _MAX_HEAP)
        records = exactly(source, table + 2, 10 * count, limit=10 * _MAX_HEAP)
        for tag, length, offset in struct.iter_unpack(order + "HII", records):
            if tag & 0x3FFF in (_CRW_PREVIEW, _CRW_THUMBNAIL):
                yield Place(begin + offset, length)
            elif tag >> 8 & 0x38 in _CRW_FOLDERS and not tag & 0xC000:
                waiting.append((begin + offset, begin + offset + length))
