"""JPEG XL: size and orientation from the codestream, Exif and XMP from the container (ISO/IEC 18181-1 and -2)."""

from mediabox.native.boxes import Box, Source, boxes
from mediabox.native.tags.exif import read_exif
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.xmp import read_xmp_in

MAX_BOXES = 256
_BYTE_ORDERS = (b"II*\0", b"MM\0*")
_SIZE_BITS = (9, 13, 18, 30)
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_DEPTHS = (8, 10, 12)


def read_jxl(source: Source, found: Findings) -> None:
    """Take size, orientation, Exif and XMP. Raises Malformed when there is no codestream."""
    if source.bytes(0, 2) == b"\xff\x0a":
        _read_codestream(source.bytes(0, min(64, source.size)), found)
        return
    metadata: list[Box] = []
    has_codestream = False
    for box in boxes(source, limit=MAX_BOXES):
        if box.is_cut:
            found.damage.append(f"box '{box.type.decode('latin-1')}' is cut: {box.length:,} bytes are there")
        if box.type in (b"Exif", b"xml "):
            metadata.append(box)
        elif box.type in (b"jxlc", b"jxlp") and not has_codestream:
            skip = 4 if box.type == b"jxlp" else 0
            has_codestream = True
            _read_codestream(source.bytes(box.payload + skip, min(64, box.length - skip)), found)
    if not has_codestream:
        found.damage.append("the JPEG XL file has no picture")
    orientation = found.orientation
    for box in metadata:
        with Tolerant():
            _read_metadata(source, box, found)
    found.orientation = orientation  # the codestream's counts, Exif's is a copy (18181-2, 9.4)


def _read_metadata(source: Source, box: Box, found: Findings) -> None:
    if box.type == b"xml ":
        read_xmp_in(SubReader(source, box.payload, box.length), found)
        return
    head = source.bytes(box.payload, 4)
    skip = 0 if head in _BYTE_ORDERS else 4 + int.from_bytes(head, "big")  # some writers leave the count out
    read_exif(SubReader(source, box.payload + skip, box.length - skip), found)


class _Bits:
    """Bits of a codestream, least significant first (18181-1, annex B)."""

    def __init__(self, held: bytes) -> None:
        self._value = int.from_bytes(held, "little")

    def take(self, count: int) -> int:
        """The next `count` bits; zeros past the end."""
        taken = self._value & (1 << count) - 1
        self._value >>= count
        return taken


def _read_codestream(head: bytes, found: Findings) -> None:
    """SizeHeader and the beginning of ImageMetadata (18181-1, annex D)."""
    if head[:2] != b"\xff\x0a":
        found.damage.append("the JPEG XL codestream does not start like one")
        return
    bits = _Bits(head[2:])
    is_small = bool(bits.take(1))
    height = _size(bits, is_small=is_small)
    ratio = bits.take(3)
    width = height * _RATIOS[ratio - 1][0] // _RATIOS[ratio - 1][1] if ratio else _size(bits, is_small=is_small)
    found.width, found.height = width, height
    found.bit_depth = 8
    if bits.take(1):  # everything as by default
        return
    if bits.take(1):  # extra fields
        found.orientation = bits.take(3) + 1
        if bits.take(1):  # intrinsic size
            _skip_size(bits)
        if bits.take(1) or bits.take(1):  # preview or animation: their headers come before the depth
            found.bit_depth = None
            return
    is_float = bool(bits.take(1))
    choice = bits.take(2)
    if is_float:
        found.bit_depth = (32, 16, 24)[choice] if choice < 3 else bits.take(6) + 1
    else:
        found.bit_depth = _DEPTHS[choice] if choice < 3 else bits.take(6) + 1


def _size(bits: _Bits, *, is_small: bool) -> int:
    return (bits.take(5) + 1) * 8 if is_small else bits.take(_SIZE_BITS[bits.take(2)]) + 1


def _skip_size(bits: _Bits) -> None:
    is_small = bool(bits.take(1))
    _size(bits, is_small=is_small)
    if bits.take(3) == 0:
        _size(bits, is_small=is_small)
