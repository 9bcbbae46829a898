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
from mediabox.native.boxes import Box, Malformed, Source, boxes, exactly, within
from mediabox.native.decoded import Decoded, NoPicture, Unreadable
from mediabox.native.faults import refused
from mediabox.native.tags.ciff import heap_records
from mediabox.native.tags.reader import SubReader as Part
from mediabox.native.tags.tiff import Directory, Note, Tiff
from mediabox.native.window import JPEG_END, Window

_MAX_DIRECTORIES = 64
_SMALLEST = 512  # bytes; less is no preview
_JPEG = b"\xff\xd8\xff"

_COMPRESSION, _STRIPS, _STRIP_BYTES = 0x0103, 0x0111, 0x0117
_SUB_DIRECTORIES, _JPEG_AT, _JPEG_BYTES = 0x014A, 0x0201, 0x0202
_EXIF, _MAKER_NOTE = 0x8769, 0x927C
_OLYMPUS_SETTINGS, _OLYMPUS_AT, _OLYMPUS_BYTES = 0x2020, 0x0101, 0x0102  # in the maker note; offsets from its start
_OLYMPUS_NOTES = {b"OLYMPUS\0": 8, b"OM SYSTEM\0\0\0": 12}  # where its byte order stands; the IFD is 4 bytes on
_PANASONIC_PREVIEW = 0x002E  # RW2: the JPEG lies in the entry's own value
_JPEG_COMPRESSIONS = (6, 7)
_CR3_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_CR3_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CRW_PREVIEWS = (0x2007, 0x2008)  # the preview, the thumbnail


class PreviewSpan(NamedTuple):
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


def previews(source: Source) -> list[PreviewSpan]:
    """Every JPEG a raw file's tables point at, unchecked. Raises Unreadable when the tables cannot be read."""
    head = exactly(source, 0, min(source.size, 32), limit=32)
    with refused("raw file"):
        if head.startswith(b"FUJIFILMCCD-RAW"):
            return [PreviewSpan(*struct.unpack(">II", exactly(source, 84, 8, limit=8)))]
        if head[4:8] == b"ftyp":
            return list(_in_boxes(source))
        if head[6:14] == b"HEAPCCDR":
            return [PreviewSpan(at, length) for tag, at, length in heap_records(source) if tag in _CRW_PREVIEWS]
        return list(_in_directories(source))


def _sound(source: Source, found: list[PreviewSpan]) -> Iterator[PreviewSpan]:
    """Those that lie in the file and start like a JPEG. A cut file's preview may still be partly there."""
    for offset, length in found:
        there = min(length, source.size - offset)
        if there >= _SMALLEST and exactly(source, offset, 3, limit=3) == _JPEG:
            yield PreviewSpan(offset, there)


def _of_original(shown: Decoded, facts: Facts) -> Decoded:
    """Sizes and depth are those of the raw picture where its tags say them, not of the preview."""
    return msgspec.structs.replace(
        shown,
        width=facts.width or shown.width,
        height=facts.height or shown.height,
        bit_depth=facts.bit_depth,
    )


def _in_directories(source: Source) -> Iterator[PreviewSpan]:
    """Walk IFD0, its successors and SubIFDs, each offset once; of what is no TIFF nothing."""
    try:
        tiff = Tiff(source)
    except Malformed:
        return
    waiting, seen = [tiff.first], {0}
    while waiting and len(seen) <= _MAX_DIRECTORIES:
        at = waiting.pop(0)
        if at in seen:
            continue
        seen.add(at)
        try:
            directory = tiff.directory(at)
        except (Malformed, struct.error):  # one broken directory does not hide the others
            continue
        waiting += [*_offsets(directory, _SUB_DIRECTORIES), *_offsets(directory, _EXIF), directory.next]
        yield from _in_directory(source, directory)


def _in_directory(source: Source, directory: Directory) -> Iterator[PreviewSpan]:
    if (value := directory.place(_PANASONIC_PREVIEW)) is not None:
        yield PreviewSpan(value[2], value[1])
    if (note := directory.place(_MAKER_NOTE)) is not None:
        yield from _in_olympus_note(source, note[2])
    yield from _paired(directory, _JPEG_AT, _JPEG_BYTES)
    if directory.whole(_COMPRESSION) in _JPEG_COMPRESSIONS and len(_offsets(directory, _STRIPS)) == 1:
        yield from _paired(directory, _STRIPS, _STRIP_BYTES)


def _offsets(directory: Directory, tag: int) -> list[int]:
    return [at for at in directory.numbers(tag)[:_MAX_DIRECTORIES] if isinstance(at, int) and at >= 0]


def _paired(directory: Directory, at: int, length: int, *, start: int = 0) -> Iterator[PreviewSpan]:
    """Offsets from `start` with their lengths; a missing one leaves the pair out."""
    pairs = zip(_offsets(directory, at), _offsets(directory, length), strict=False)
    return (PreviewSpan(start + offset, size) for offset, size in pairs)


def _in_olympus_note(source: Source, at: int) -> Iterator[PreviewSpan]:
    """ORF: no other table knows of the preview. Other makers' notes are left alone."""
    part = Part(source, at, source.size - at)  # what it points to may lie behind it
    try:
        head = part.bytes(0, 16)
        order_at = next((order_at for name, order_at in _OLYMPUS_NOTES.items() if head.startswith(name)), None)
        if order_at is not None:
            note = Note(part, order_at=order_at, first=order_at + 4)
            for settings in note.directory(note.first).subs(_OLYMPUS_SETTINGS):
                yield from _paired(settings, _OLYMPUS_AT, _OLYMPUS_BYTES, start=at)
    except (Malformed, struct.error):
        return


def _in_boxes(source: Source) -> Iterator[PreviewSpan]:
    """CR3: the 1620 px PRVW in its own uuid box, THMB inside moov, the full-size JPEG as the first track's sample."""
    for box in boxes(source):
        if box.type == b"uuid" and box.name == _CR3_PREVIEW:
            yield from _canon_jpegs(source, box.payload + 8, box.end)  # version and a count come first
        elif box.type == b"moov":
            for inner in boxes(source, box.payload, box.end):
                if inner.type == b"uuid" and inner.name == _CR3_CANON:
                    yield from _canon_jpegs(source, inner.payload, inner.end)
                elif inner.type == b"trak":
                    yield from _first_sample(source, inner)


def _canon_jpegs(source: Source, start: int, end: int) -> Iterator[PreviewSpan]:
    """The JPEG after the header of PRVW (16 bytes) and THMB (16 bytes); found by its marker, versions differ."""
    for box in boxes(source, start, end, limit=64):
        if box.type not in (b"PRVW", b"THMB"):
            continue
        head = exactly(source, box.payload, min(32, box.length), limit=32)
        marker = head.find(_JPEG)
        if marker >= 0:
            yield PreviewSpan(box.payload + marker, box.length - marker)


def _first_sample(source: Source, trak: Box) -> Iterator[PreviewSpan]:
    """One sample of a track that has one: offset from co64 or stco, length from stsz."""
    stbl = within(source, trak, b"mdia", b"minf", b"stbl")
    offset = length = 0
    for box in () if stbl is None else boxes(source, stbl.payload, stbl.end, limit=64):
        if box.type == b"stsz" and box.length >= 12:
            size, count = struct.unpack(">II", exactly(source, box.payload + 4, 8, limit=8))
            first = exactly(source, box.payload + 12, 4, limit=4) if not size and box.length >= 16 else b""
            length = size or (int.from_bytes(first, "big") if count else 0)
        elif box.type in (b"co64", b"stco"):
            width = 8 if box.type == b"co64" else 4
            if box.length >= 8 + width:
                offset = int.from_bytes(exactly(source, box.payload + 8, width, limit=8), "big")
    if offset and length:
        yield PreviewSpan(offset, length)
