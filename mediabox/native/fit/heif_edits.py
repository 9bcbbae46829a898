"""Additions to the tables of a HEIF catalogue, each a pure function from one payload to the next.

Source of the format: ISO/IEC 14496-12, 8.11.6 (iinf), 8.11.12 (iref), 8.18.3 (grpl), 8.11.14
(iprp). A table keeps its version; one that is not there begins as an empty payload. Raises
`Unfit` for what a table's version cannot hold, `Malformed` for what is none.
"""

import struct
from collections.abc import Iterator, Sequence

from mediabox.native.boxes import Held, Malformed, boxes, exactly, first
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_places import MAX_ITEMS

MOST_NUMBER = 0xFFFF  # of an item: what every version of every table can hold
_HIDDEN = 1  # a flag of `infe`
_WIDE_INDICES = 1  # a flag of `ipma`
_TRANSFORMS = (b"irot", b"imir", b"clap")  # readers have to know them (ISO/IEC 23008-12, 6.5.1)


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box with a 32-bit size."""
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full_box(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def with_info(iinf: bytes, number: int, kind: bytes, *, content_type: str = "", is_hidden: bool = True) -> bytes:
    """`iinf` with one more item."""
    count = struct.Struct(">I" if _version(iinf) else ">H")
    if len(iinf) < 4 + count.size:
        raise Malformed("a table of items without their number")
    told = count.unpack_from(iinf, 4)[0] + 1
    if told > MAX_ITEMS:
        raise Unfit(f"the picture has {told - 1:,} items")
    tail = content_type.encode() + b"\0" if content_type else b""
    entry = full_box(
        b"infe", struct.pack(">HH4sB", number, 0, kind, 0), tail, version=2, flags=_HIDDEN if is_hidden else 0
    )
    return iinf[:4] + count.pack(told) + iinf[4 + count.size :] + entry


def with_reference(iref: bytes, kind: bytes, source: int, targets: Sequence[int]) -> bytes:
    """`iref` with one more reference from an item to others."""
    needs_wide = max(targets) > MOST_NUMBER
    iref = iref or bytes((needs_wide, 0, 0, 0))
    if needs_wide and not _version(iref):
        raise Unfit("the picture's item numbers are larger than its own table of references can hold")
    letter = "I" if _version(iref) else "H"
    return iref + box(kind, struct.pack(f">{letter}H{len(targets)}{letter}", source, len(targets), *targets))


def with_group(grpl: bytes, kind: bytes, number: int, entities: Sequence[int]) -> bytes:
    """`grpl` with one more group of entities."""
    return grpl + full_box(kind, struct.pack(f">II{len(entities)}I", number, len(entities), *entities))


def numbers_in_groups(grpl: bytes) -> Iterator[int]:
    """The groups' own numbers and those of their entities, which share one space with items."""
    for group in boxes(Held(grpl), limit=MAX_ITEMS):
        content = grpl[group.payload + 4 : group.end]
        words = struct.unpack(f">{len(content) // 4}I", content[: len(content) // 4 * 4])
        yield from (*words[:1], *words[2:])


def with_properties(iprp: bytes, number: int, properties: Sequence[bytes]) -> bytes:
    """`iprp` with these properties (whole boxes) for a new item, whose number is the highest of all."""
    held = Held(iprp)
    ipco, ipma = first(held, b"ipco"), first(held, b"ipma")
    if ipco is None or ipma is None:
        raise Malformed("a table of properties without its parts")
    known = [iprp[each.start : each.end] for each in boxes(held, ipco.payload, ipco.end, limit=MAX_ITEMS)]
    fresh = [each for each in dict.fromkeys(properties) if each not in known]
    indices = [(known + fresh).index(each) + 1 for each in properties]
    essential = [each[4:8] in _TRANSFORMS for each in properties]
    parts = {
        ipco: box(b"ipco", exactly(held, ipco.payload, ipco.length, limit=len(iprp)), *fresh),
        ipma: box(b"ipma", _associated(iprp[ipma.payload : ipma.end], number, indices, essential)),
    }
    return b"".join(parts.get(each) or iprp[each.start : each.end] for each in boxes(held, limit=64))


def _associated(ipma: bytes, number: int, indices: Sequence[int], essential: Sequence[bool]) -> bytes:
    """`ipma` with a last row: items stand there in the order of their numbers (ISO/IEC 23008-12, 9.3.2)."""
    if len(ipma) < 8:
        raise Malformed("a table of associations without its length")
    bits = 15 if ipma[3] & _WIDE_INDICES else 7
    if max(indices) >> bits:
        raise Unfit("the picture has more properties than its own table can refer to")
    row = struct.pack(">IB" if _version(ipma) else ">HB", number, len(indices))
    for index, is_essential in zip(indices, essential, strict=True):
        row += (is_essential << bits | index).to_bytes((bits + 1) // 8, "big")
    return ipma[:4] + struct.pack(">I", _unsigned(ipma[4:8]) + 1) + ipma[8:] + row


def _version(table: bytes) -> int:
    if len(table) < 4:
        raise Malformed("a table without version and flags")
    return table[0]


def _unsigned(field: bytes) -> int:
    return int.from_bytes(field, "big")
