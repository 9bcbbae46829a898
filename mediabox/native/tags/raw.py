"""Cameras' raw files and plain TIFF: which directory holds the picture, where the Exif is.

TIFF 6.0 and DNG 1.7 for what is built on TIFF; for the others the layouts that
ExifTool documents (FujiFilm.pm, Canon.pm CR3, MinoltaRaw.pm, SigmaRaw.pm).
"""

import struct

from mediabox.native.boxes import Source, boxes, first
from mediabox.native.tags.exif import read_directories, read_exif
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.icc import describe_profile
from mediabox.native.tags.iptc import read_iim
from mediabox.native.tags.jpeg import read_jpeg
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.structure import box_damage
from mediabox.native.tags.tiff import Directory, Tiff
from mediabox.native.tags.xmp import read_xmp, read_xmp_in
from mediabox.native.xmp.packet import MAX_PACKET_BYTES

MAX_TOP_BOXES = 64
_SUBFILE, _WIDTH, _HEIGHT, _DEPTH = 0x00FE, 0x0100, 0x0101, 0x0102
_SUB_DIRECTORIES, _XMP, _IPTC, _ICC = 0x014A, 0x02BC, 0x83BB, 0x8773
_CROP_SIZE = 0xC620  # DNG DefaultCropSize
_PANASONIC_WIDTH, _PANASONIC_HEIGHT, _PANASONIC_JPEG = 0x0002, 0x0003, 0x002E
_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 0x0111, 0x0117, 0x0144, 0x0145
_IS_REDUCED = 1

_CANON_UUID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_FUJI_SIZES = (0x0111, 0x0100)  # cropped, full; height before width
_MAX_FUJI_TAGS = 256


def read_tiff(source: Source, found: Findings) -> None:
    """A TIFF, or a raw file built on it (DNG, NEF, CR2, ARW, ORF, RW2, PEF, SRW ...). Raises Malformed."""
    tiff = Tiff(source)
    pages = list(tiff.chain())
    if not pages:
        found.damage.append("the TIFF has no directory")
        return
    main = pages[0]
    read_directories(main, found)
    _read_picture(pages, found, source.size)
    _read_blocks(main, found)
    preview = main.window(_PANASONIC_JPEG)
    if preview is not None and preview.size > 1000:
        _read_preview(preview, found)


def read_raf(source: Source, found: Findings) -> None:
    """Fujifilm RAF: a JPEG with the Exif at the front, then Fuji's own directory with the size."""
    at, length, table_at, table_length = struct.unpack(">IIII", source.bytes(84, 16))
    if at + length > source.size:
        found.damage.append("the raw file ends within its preview")
    read_jpeg(SubReader(source, at, length), found, is_whole_file=False)
    sizes = dict(_fuji_sizes(SubReader(source, table_at, table_length)))
    size = next((sizes[tag] for tag in _FUJI_SIZES if tag in sizes), None)
    if size is not None:
        found.height, found.width = size


def read_cr3(source: Source, found: Findings) -> None:
    """Canon CR3: boxes; Exif is spread over four small TIFFs in Canon's own box."""
    top = [box for _, box in zip(range(MAX_TOP_BOXES), boxes(source), strict=False)]
    found.damage.extend(box_damage(source, top))
    moov = first(source, b"moov")
    if moov is None:
        found.damage.append("the raw file has no index (moov)")
        return
    parts: dict[bytes, Directory] = {}
    for canon in boxes(source, moov.payload, moov.end, limit=64):
        if canon.type == b"uuid" and canon.name == _CANON_UUID:
            for box in boxes(source, canon.payload, canon.end, limit=64):
                if box.type in (b"CMT1", b"CMT2", b"CMT4"):
                    with Tolerant():
                        tiff = Tiff(SubReader(source, box.payload, box.length))
                        parts[box.type] = tiff.directory(tiff.first)
    main = parts.get(b"CMT1")
    if main is not None:
        read_directories(main, found, parts.get(b"CMT2"), parts.get(b"CMT4"))
        found.width, found.height = main.whole(_WIDTH), main.whole(_HEIGHT)
    for box in top:
        if box.type == b"uuid" and box.name == _XMP_UUID:
            with Tolerant():
                read_xmp_in(SubReader(source, box.payload, box.length), found)


def read_mrw(source: Source, found: Findings) -> None:
    """Minolta MRW: blocks; `TTW` is a TIFF, `PRD` the size."""
    end = 8 + int.from_bytes(source.bytes(4, 4), "big")
    at = 8
    for _ in range(32):
        if at + 8 > min(end, source.size):
            return
        name, length = struct.unpack(">4sI", source.bytes(at, 8))
        with Tolerant():
            if name == b"\0PRD":
                found.height, found.width = struct.unpack(">HH", source.bytes(at + 8 + 12, 4))
            elif name == b"\0TTW":
                read_exif(SubReader(source, at + 8, length), found)
        at += 8 + length


def read_x3f(source: Source, found: Findings) -> None:
    """Sigma X3F: size and turn from the header (version 2 and 3)."""
    width, height, turn = struct.unpack("<III", source.bytes(28, 12))
    if 0 < width < 1 << 16 and 0 < height < 1 << 16:
        found.width, found.height = width, height
        found.orientation = {90: 6, 180: 3, 270: 8}.get(turn, 1)


def _read_preview(preview: SubReader, found: Findings) -> None:
    """A JPEG inside a raw file: it has the full Exif, but its size is its own."""
    size = found.width, found.height, found.bit_depth
    own, found.exif = found.exif, None
    with Tolerant():
        read_jpeg(preview, found, is_whole_file=False)
    found.exif = found.exif or own
    found.width, found.height, found.bit_depth = size


def _read_picture(pages: list[Directory], found: Findings, size: int) -> None:
    """Size and depth of the largest full picture; how many pages a plain TIFF has."""
    subs = [sub for page in pages[:4] for sub in page.subs(_SUB_DIRECTORIES)]
    full = [page for page in (*pages, *subs) if not (page.whole(_SUBFILE) or 0) & _IS_REDUCED]
    sized = [(shown, page) for page in full or pages if (shown := _size(page)) is not None]
    if sized:
        (found.width, found.height), best = max(sized, key=lambda each: each[0][0] * each[0][1])
        found.bit_depth = best.whole(_DEPTH) or found.bit_depth
        cut = _data_end(best) - size
        if cut > 0:
            found.damage.append(f"the picture's data ends {cut:,} bytes beyond the file")
    main_pages = sum(1 for page in pages if not (page.whole(_SUBFILE) or 0) & _IS_REDUCED)
    if found.media_type == "image/tiff" and main_pages > 1:
        found.frames = main_pages


def _size(page: Directory) -> tuple[int, int] | None:
    crop = page.numbers(_CROP_SIZE)
    if len(crop) == 2 and min(crop) > 0:
        return int(crop[0]), int(crop[1])
    width = page.whole(_WIDTH) or page.whole(_PANASONIC_WIDTH)
    height = page.whole(_HEIGHT) or page.whole(_PANASONIC_HEIGHT)
    return (width, height) if width and height else None


def _data_end(page: Directory) -> int:
    """Offset just past the last strip or tile; 0 when there is no table, or one too long to look at."""
    for starts_tag, lengths_tag in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
        starts, lengths = page.numbers(starts_tag), page.numbers(lengths_tag)
        if starts and len(starts) == len(lengths):
            return int(max(start + length for start, length in zip(starts, lengths, strict=True)))
    return 0


def _read_blocks(main: Directory, found: Findings) -> None:
    """IPTC, XMP and ICC as TIFF carries them."""
    for tag, take in ((_IPTC, read_iim), (_XMP, read_xmp)):
        block = main.raw(tag, limit=MAX_PACKET_BYTES)
        if block:
            with Tolerant():
                take(block, found)
    profile = main.window(_ICC)
    if profile is not None:
        with Tolerant():
            found.color_profile = describe_profile(profile)


def _fuji_sizes(table: SubReader) -> list[tuple[int, tuple[int, int]]]:
    found = []
    (count,) = struct.unpack(">I", table.bytes(0, 4))
    at = 4
    for _ in range(min(count, _MAX_FUJI_TAGS)):
        if at + 4 > table.size:
            break
        tag, length = struct.unpack(">HH", table.bytes(at, 4))
        if tag in _FUJI_SIZES and length == 4:
            height, width = struct.unpack(">HH", table.bytes(at + 4, 4))
            found.append((tag, (height, width)))
        at += 4 + length
    return found
