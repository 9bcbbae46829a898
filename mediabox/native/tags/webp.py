"""Walk a WebP's RIFF chunks (RFC 9649): size, animation, Exif, XMP, colour profile."""

import struct

from mediabox.native.boxes import Source
from mediabox.native.tags.exif import read_exif
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.icc import describe_profile
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.xmp import read_xmp_in

MAX_CHUNKS = 10_000  # one for each frame of an animation


def read_webp(source: Source, found: Findings) -> None:
    """Take what the chunks say. Raises Malformed when the header is not whole."""
    told = int.from_bytes(source.bytes(4, 4), "little") + 8
    if told > source.size + 1:  # an odd last chunk is often left unpadded
        found.damage.append(f"the WebP claims {told:,} bytes, {source.size:,} are there")
    frames, duration_ms = 0, 0
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > min(source.size, told):
            break
        kind, length = struct.unpack("<4sI", source.bytes(at, 8))
        body = SubReader(source, at + 8, length)
        if kind == b"ANMF":
            frames += 1
            duration_ms += int.from_bytes(body.bytes(12, 3), "little")
        with Tolerant():
            _take(kind, body, found)
        at += 8 + length + (length & 1)
    if frames > 1:
        found.frames = frames
        found.duration_s = duration_ms / 1000 or None


def _take(kind: bytes, body: SubReader, found: Findings) -> None:
    match kind:
        case b"VP8X":
            found.width = int.from_bytes(body.bytes(4, 3), "little") + 1
            found.height = int.from_bytes(body.bytes(7, 3), "little") + 1
        case b"VP8 " if found.width is None:
            width, height = struct.unpack("<HH", body.bytes(6, 4))
            found.width, found.height = width & 0x3FFF, height & 0x3FFF
        case b"VP8L" if found.width is None:
            bits = int.from_bytes(body.bytes(1, 4), "little")
            found.width, found.height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"EXIF":
            read_exif(body, found)
        case b"XMP ":
            read_xmp_in(body, found)
        case b"ICCP":
            found.color_profile = describe_profile(body)
        case _:
            return
    found.bit_depth = 8
