"""What is wrong with the shape of a file of boxes."""

from collections.abc import Iterable, Iterator

from mediabox.native.boxes import Box, Malformed, Source


def box_damage(source: Source, top: Iterable[Box]) -> Iterator[str]:
    """One sentence for a top-level box that claims more bytes than there are: a file that was cut."""
    for box in top:
        if box.is_cut:
            yield f"box '{printable(box.type)}' claims {claimed_bytes(source, box):,} bytes, {box.length:,} are there"


def claimed_bytes(source: Source, box: Box) -> int:
    """How long a box says its payload is (14496-12, 4.2)."""
    try:
        head = source.bytes(box.start, 8)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            return int.from_bytes(source.bytes(box.start + 8, 8), "big") - 16
    except Malformed:
        return box.length
    return size - (box.payload - box.start)


def printable(name: bytes) -> str:
    """A box's four characters, whatever they are, for a person."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in name)
