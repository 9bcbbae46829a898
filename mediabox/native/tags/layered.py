"""Photoshop's documents and JPEG 2000: size, and the Exif, IPTC and XMP they carry as others do.

Adobe Photoshop file formats (header, image resources); ISO/IEC 15444-1, annex I; ExifTool's Jpeg2000.pm for the UUIDs.
"""

import struct
from collections.abc import Callable

from mediabox.native.boxes import Malformed, Source, boxes, first
from mediabox.native.tags.exif import read_exif
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.iptc import read_iim, resources
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.xmp import read_xmp_in

MAX_BOXES = 256
MAX_BYTES = 2 * 1024 * 1024
_MOST_PIXELS, _MOST_BITS = 300_000, 32  # on a side, of a channel (PSB)
_Take = Callable[[SubReader, Findings], None]


def read_photoshop_document(source: Source, found: Findings) -> None:
    """Take size, depth and what the image resources say (PSD and PSB). Raises Malformed."""
    height, width, depth = struct.unpack(">IIH", source.bytes(14, 10))
    if max(height, width) > _MOST_PIXELS or not 0 < depth <= _MOST_BITS:
        raise Malformed(f"a document of {width} x {height} pixels, {depth} bits")
    found.height, found.width, found.bit_depth = height, width, depth
    at = 30 + int.from_bytes(source.bytes(26, 4), "big")  # behind the palette
    for number, body in resources(SubReader(source, at + 4, int.from_bytes(source.bytes(at, 4), "big"))):
        if number in _RESOURCES:
            with Tolerant():
                _RESOURCES[number](body, found)


def read_jpeg_2000(source: Source, found: Findings) -> None:
    """Take size and what the UUID boxes say; of a bare codestream nothing. Raises Malformed."""
    if source.bytes(4, 4) != b"jP  ":
        return
    for box in boxes(source, limit=MAX_BOXES):
        body = SubReader(source, box.payload, box.length)
        with Tolerant():
            if box.type == b"jp2h" and (header := first(source, b"ihdr", box.payload, box.end)) is not None:
                found.height, found.width = struct.unpack(">II", source.bytes(header.payload, 8))
            elif box.type == b"uuid" and box.name in _UUIDS:
                _UUIDS[box.name](body, found)
            elif box.type == b"xml ":
                read_xmp_in(body, found)


def _take_iptc(body: SubReader, found: Findings) -> None:
    read_iim(body.bytes(0, min(body.size, MAX_BYTES)), found)


_RESOURCES: dict[int, _Take] = {0x0404: _take_iptc, 0x0422: read_exif, 0x0424: read_xmp_in}
_UUIDS: dict[bytes, _Take] = {
    b"JpgTiffExif->JP2": read_exif,
    bytes.fromhex("0537cdab9d0c4431a72afa561f2a113e"): read_exif,  # Photoshop's
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): _take_iptc,
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): read_xmp_in,
}
