"""Where each kind of still keeps its Exif block."""

import struct
from collections.abc import Iterator
from itertools import islice

from mediabox.model.facts import Facts
from mediabox.native import heif_items
from mediabox.native.boxes import Held, Source, boxes, first
from mediabox.native.encode import exif
from mediabox.native.fit import heif_exif
from mediabox.native.profiles import HEIF_TYPES
from mediabox.native.tags import jpeg
from mediabox.native.tags.findings import LIES
from mediabox.native.tags.reader import Window
from mediabox.native.tags.tiff import Tiff

_MAX_CHUNKS = 10_000
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_BYTE_ORDERS = (b"II*\0", b"MM\0*")
_PANASONIC_JPEG = 0x002E


def tables(source: Source, facts: Facts) -> exif.Tables:
    """The source's tags; what `facts` know where it has no Exif that can be read."""
    try:
        if facts.media_type == "image/x-canon-cr3":
            return _of_canon(source)
        found = _block(source, facts.media_type)
        return exif.of_facts(facts) if found is None else exif.read(Tiff(found))
    except LIES:
        return exif.of_facts(facts)


def _block(source: Source, media_type: str) -> Source | None:
    match media_type:
        case "image/jpeg":
            return jpeg.walk(source).exif
        case "image/avif":
            return _of_heif(source)
        case kind if kind in HEIF_TYPES:
            return _of_heif(source)
        case "image/png" | "image/apng":
            return next((body for kind, body in _png(source) if kind == b"eXIf"), None)
        case "image/webp":
            return next((_bare(body) for kind, body in _webp(source) if kind == b"EXIF"), None)
        case "image/jxl":
            return _of_jxl(source)
        case "image/x-fujifilm-raf":
            return jpeg.walk(Window(source, *struct.unpack(">II", source.bytes(84, 8)))).exif
        case "image/x-panasonic-rw2" | "image/x-leica-rwl":
            return _of_panasonic(source)
        case _ if source.bytes(0, 2) in (b"II", b"MM"):
            return source
        case _:
            return None


def _of_heif(source: Source) -> Source | None:
    block = heif_exif.block_of(source, heif_exif.exif_of(heif_items.read_items(source)))
    return None if block is None else Held(block)


def _png(source: Source) -> Iterator[tuple[bytes, Window]]:
    at = 8
    for _ in range(_MAX_CHUNKS):
        if at + 12 > source.size:
            return
        length, kind = struct.unpack(">I4s", source.bytes(at, 8))
        yield kind, Window(source, at + 8, length)
        at += 12 + length


def _webp(source: Source) -> Iterator[tuple[bytes, Window]]:
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > source.size:
            return
        kind, length = struct.unpack("<4sI", source.bytes(at, 8))
        yield kind, Window(source, at + 8, length)
        at += 8 + length + (length & 1)


def _of_jxl(source: Source) -> Source | None:
    if source.bytes(0, 2) == b"\xff\x0a":  # a bare codestream
        return None
    found = next((one for one in islice(boxes(source), _MAX_CHUNKS) if one.type == b"Exif"), None)
    if found is None:
        return None
    head = source.bytes(found.payload, 4)
    skip = 0 if head in _BYTE_ORDERS else 4 + int.from_bytes(head, "big")  # some writers leave the count out
    return Window(source, found.payload + skip, found.length - skip)


def _of_panasonic(source: Source) -> Source | None:
    """The JPEG inside has the whole block."""
    tiff = Tiff(source)
    preview = tiff.directory(tiff.first).window(_PANASONIC_JPEG)
    return None if preview is None else jpeg.walk(preview).exif


def _of_canon(source: Source) -> exif.Tables:
    """CR3: four small TIFFs; the first has what the main directory has, then Exif, then GPS (the fourth)."""
    moov = first(source, b"moov")
    parts: dict[bytes, Tiff] = {}
    for canon in boxes(source, moov.payload, moov.end, limit=64) if moov else ():
        if canon.name == _CANON:
            for one in boxes(source, canon.payload, canon.end, limit=64):
                if one.type in (b"CMT1", b"CMT2", b"CMT4"):
                    parts[one.type] = Tiff(Window(source, one.payload, one.length))
    return exif.joined(parts[b"CMT1"], parts.get(b"CMT2"), parts.get(b"CMT4"))


def _bare(body: Window) -> Window:
    """Some writers keep JPEG's prefix."""
    return Window(body, 6, body.size - 6) if body.bytes(0, min(6, body.size)) == b"Exif\0\0" else body
