"""The tables of a HEIF file's `meta` box, each parsed on its own, in memory.

Source of the format: ISO/IEC 14496-12 section 8.11, ISO/IEC 23008-12 section 9.3.
An absent table is empty. The only exception is `boxes.Malformed`; every count is
bounded before anything is allocated for it.
"""

import struct
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple

from mediabox.native.boxes import Box, Held, Malformed, Source, boxes, payload
from mediabox.native.heif_places import IN_CATALOGUE, MAX_ENTRIES, MAX_ITEMS, read_places

MAX_TABLE = 8 << 20  # bytes of one table; a 200 MP HEIC has 40 KB, an ICC profile up to 1 MB
READ = frozenset((b"pitm", b"iinf", b"iloc", b"iref", b"iprp", b"grpl"))
_NARROW, _WIDE = struct.Struct(">H"), struct.Struct(">I")
# Behind version and flags of an `infe`: id, protection index, type.
_INFO, _WIDE_INFO = struct.Struct(">4xH2x4s"), struct.Struct(">4xI2x4s")
_INDEX = {1: "B", 2: "H"}  # by width


class ItemProperty(NamedTuple):
    """One item property as stored. A full box keeps its version and flags in `data`."""

    type: bytes
    data: bytes


class Extent(NamedTuple):
    """A run of an item's bytes, by absolute offset in the file."""

    offset: int
    length: int


class ItemReference(NamedTuple):
    """`source` refers to `targets`: dimg a grid to its tiles, auxl and thmb a picture to its master, cdsc metadata."""

    type: bytes
    source: int
    targets: tuple[int, ...]


class EntityGroup(NamedTuple):
    """An entity group (`grpl`): altr alternatives, ster stereo pairs, brst bursts."""

    type: bytes
    ids: tuple[int, ...]


class Info(NamedTuple):
    """What an item is (`infe`)."""

    id: int
    type: bytes
    name: str
    content_type: str
    content_encoding: str
    is_hidden: bool


def held(source: Source, box: Box) -> Held:
    """A table, read whole. Raises Malformed when it is cut or longer than `MAX_TABLE`."""
    return Held(payload(source, box, limit=MAX_TABLE), box.payload)


def primary(table: Held | None) -> int:
    """Id of the item to show; 0 when the file does not say."""
    if table is None:
        return 0
    content = _content(table)
    with _WithinTheTable():
        number: int = (_WIDE if _version(content) >= 1 else _NARROW).unpack_from(content, 4)[0]
    return number


def infos(table: Held | None) -> Iterator[Info]:
    """`iinf`: one `infe` for each item. Versions below 2 (no item type) are left out: they hold no pictures."""
    if table is None:
        return
    behind_count = 6 if _version(_content(table)) == 0 else 8
    if table.size - table.start < behind_count:
        raise Malformed(f"a table of items of {table.size - table.start} bytes")
    for box in boxes(table, table.start + behind_count, limit=MAX_ITEMS):
        if box.type != b"infe":
            continue
        content = table.bytes(box.payload, box.length)
        version = _version(content)
        if version < 2:
            continue
        fixed = _INFO if version == 2 else _WIDE_INFO
        with _WithinTheTable():
            number, kind = fixed.unpack_from(content)
        name, after = _text(content, fixed.size)
        content_type, after = _text(content, after) if kind == b"mime" else ("", after)
        encoding = _text(content, after)[0] if content_type else ""
        yield Info(number, kind, name, content_type, encoding, bool(content[3] & 1))


def places(table: Held | None, *, data_start: int | None, file_size: int) -> dict[int, tuple[Extent, ...]]:
    """`iloc`: where each item's bytes are, by absolute offset. `data_start` is the payload of `idat`.

    Items described by construction method 2 (a part of another item) get no extents.
    """
    if table is None:
        return {}
    found: dict[int, tuple[Extent, ...]] = {}
    for row in read_places(_content(table)).rows:
        base = row.base + (_method_start(row.method, data_start) if row.method else 0)
        extents = (Extent(base + run.offset, run.length or max(file_size - base - run.offset, 0)) for run in row.runs)
        found[row.item] = tuple(extents) if row.method <= IN_CATALOGUE else ()  # length 0: all of the file
    return found


def properties(table: Held | None) -> dict[int, tuple[ItemProperty, ...]]:
    """`iprp`: the properties of each item, in the order they apply."""
    if table is None:
        return {}
    known: list[ItemProperty] = []
    found: dict[int, tuple[ItemProperty, ...]] = {}
    entries = 0
    for box in boxes(table, table.start, limit=64):
        if box.type == b"ipco":
            known = [_property(table, each) for each in boxes(table, box.payload, box.end, limit=MAX_ITEMS)]
        elif box.type == b"ipma":
            content = table.bytes(box.payload, box.length)
            width = 2 if content[3:4] and content[3] & 1 else 1
            by_indices: dict[bytes, tuple[ItemProperty, ...]] = {}  # the tiles of a grid all have the same
            for number, indices in _associations(content, width):
                entries = _bounded(entries + len(indices) // width, MAX_ENTRIES)
                applied = by_indices.get(indices)
                if applied is None:
                    applied = by_indices[indices] = _applied(known, indices, width)
                found[number] = applied
    return found


def references(table: Held | None) -> tuple[ItemReference, ...]:
    """`iref`: one entry for each item and kind of reference."""
    if table is None:
        return ()
    wide = _version(_content(table)) >= 1
    letter, fixed = ("I", struct.Struct(">IH")) if wide else ("H", struct.Struct(">HH"))
    found: list[ItemReference] = []
    entries = 0
    for box in boxes(table, table.start + 4, limit=MAX_ITEMS):
        content = table.bytes(box.payload, box.length)
        with _WithinTheTable():
            source, count = fixed.unpack_from(content)
            entries = _bounded(entries + count, MAX_ENTRIES)
            targets = struct.unpack_from(f">{count}{letter}", content, fixed.size)
        found.append(ItemReference(box.type, source, targets))
    return tuple(found)


def groups(table: Held | None) -> tuple[EntityGroup, ...]:
    """`grpl`: which entities belong together."""
    if table is None:
        return ()
    found: list[EntityGroup] = []
    for box in boxes(table, table.start, limit=MAX_ITEMS):
        content = table.bytes(box.payload, box.length)
        with _WithinTheTable():
            count = _bounded(_WIDE.unpack_from(content, 8)[0], MAX_ENTRIES)  # behind version, flags and group id
            found.append(EntityGroup(box.type, struct.unpack_from(f">{count}I", content, 12)))
    return tuple(found)


def _associations(content: bytes, width: int) -> Iterator[tuple[int, bytes]]:
    """Each item of an `ipma` with the indices of its properties, as they are stored."""
    fixed = struct.Struct(">HB" if _version(content) == 0 else ">IB")
    at = 8
    with _WithinTheTable():
        for _ in range(_bounded(_WIDE.unpack_from(content, 4)[0], MAX_ITEMS)):
            number, count = fixed.unpack_from(content, at)
            at += fixed.size + count * width
            indices = content[at - count * width : at]
            if at > len(content):
                raise Malformed(f"the properties of item {number} are cut")
            yield number, indices


def _applied(known: list[ItemProperty], indices: bytes, width: int) -> tuple[ItemProperty, ...]:
    """The properties that stored indices name, from 1 on; the top bit says "essential"."""
    numbers = struct.unpack(f">{len(indices) // width}{_INDEX[width]}", indices)
    mask = 0x7F if width == 1 else 0x7FFF
    return tuple(known[index - 1] for number in numbers if 0 < (index := number & mask) <= len(known))


def _property(table: Held, box: Box) -> ItemProperty:
    if box.is_cut:
        raise Malformed(f"property {box.type!r} at offset {box.start} is cut")
    return ItemProperty(box.type, table.bytes(box.payload, box.length))


def _method_start(method: int, data_start: int | None) -> int:
    if method != IN_CATALOGUE:
        return 0
    if data_start is None:
        raise Malformed("an item lies in idat, but there is none")
    return data_start


def _bounded(count: int, limit: int) -> int:
    if count > limit:
        raise Malformed(f"{count} entries, at most {limit} are read")
    return count


def _content(table: Held) -> bytes:
    return table.bytes(table.start, table.size - table.start)


def _version(content: bytes) -> int:
    """Of a full box: its first byte, three of flags follow."""
    if len(content) < 4:
        raise Malformed("a table without version and flags")
    return content[0]


def _text(content: bytes, at: int) -> tuple[str, int]:
    """The string up to its zero byte, or to the end, and where the next one begins."""
    end = content.find(b"\0", at)
    taken = content[at:] if end < 0 else content[at:end]
    return taken.decode("utf-8", "replace"), len(content) if end < 0 else end + 1


class _WithinTheTable:
    """Says Malformed where a field would lie past the end of its table or box."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(err, struct.error):
            raise Malformed(f"a table ends within a field ({err})") from None
