"""The tables of a HEIF file's `meta` box, each parsed on its own, in memory.

Source of the format: ISO/IEC 14496-12 section 8.11, ISO/IEC 23008-12 section 9.3.
An absent table is empty. The only exception is `boxes.Malformed`; every count is
bounded before anything is allocated for it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from mediabox.native.boxes import Box, Held, Malformed, Source, boxes, payload

MAX_TABLE = 8 << 20  # bytes of one table; a 200 MP HEIC has 40 KB, an ICC profile up to 1 MB
MAX_ITEMS = 20_000  # a 200 MP grid of 512 px tiles has 800
MAX_ENTRIES = 131_072  # references, associations or extents of a whole file
READ = frozenset((b"pitm", b"iinf", b"iloc", b"iref", b"iprp", b"grpl"))


class Property(NamedTuple):
    """One item property as stored. A full box keeps its version and flags in `data`."""

    type: bytes
    data: bytes


class Extent(NamedTuple):
    """A run of an item's bytes, by absolute offset in the file."""

    offset: int
    length: int


class Reference(NamedTuple):
    """`source` refers to `targets`: dimg a grid to its tiles, auxl and thmb a picture to its master, cdsc metadata."""

    type: bytes
    source: int
    targets: tuple[int, ...]


class Group(NamedTuple):
    """An entity group (`grpl`): altr alternatives, ster stereo pairs, brst bursts."""

    type: bytes
    ids: tuple[int, ...]


class Info(NamedTuple):
    """What an item is (`infe`)."""

    id: int
    type: bytes
    name: str
    content_type: str
    is_hidden: bool


def held(source: Source, box: Box) -> Held:
    """A table, read whole. Raises Malformed when it is cut or longer than `MAX_TABLE`."""
    return Held(payload(source, box, limit=MAX_TABLE), box.payload)


def primary(table: Held | None) -> int:
    """Id of the item to show; 0 when the file does not say."""
    if table is None:
        return 0
    fields = _Fields(table)
    return fields.id(wide_from=1)


def infos(table: Held | None) -> Iterator[Info]:
    """`iinf`: one `infe` for each item. Versions below 2 (no item type) are left out: they hold no pictures."""
    if table is None:
        return
    fields = _Fields(table)
    fields.number(2 if fields.version == 0 else 4)
    for box in boxes(table, fields.position, limit=MAX_ITEMS):
        if box.type != b"infe":
            continue
        info = _Fields(table, box)
        if info.version < 2:
            continue
        number = info.id(wide_from=3)
        info.number(2)  # protection index
        kind, name = info.take(4), info.text()
        yield Info(number, kind, name, info.text() if kind == b"mime" else "", bool(info.flags & 1))


def places(table: Held | None, *, data_start: int | None, file_size: int) -> dict[int, tuple[Extent, ...]]:
    """`iloc`: where each item's bytes are, by absolute offset. `data_start` is the payload of `idat`.

    Items described by construction method 2 (a part of another item) get no extents.
    """
    if table is None:
        return {}
    fields = _Fields(table)
    widths = fields.number(2)
    offset_width, length_width, base_width, index_width = (widths >> shift & 15 for shift in (12, 8, 4, 0))
    has_method = fields.version in (1, 2)
    found: dict[int, tuple[Extent, ...]] = {}
    entries = 0
    for _ in range(_bounded(fields.id(wide_from=2), MAX_ITEMS)):
        number = fields.id(wide_from=2)
        method = fields.number(2) & 15 if has_method else 0
        fields.number(2)  # data reference: 0, this file
        base = fields.number(base_width) + _method_start(method, data_start)
        count = fields.number(2)
        entries = _bounded(entries + count, MAX_ENTRIES)
        extents = []
        for _ in range(count):
            if has_method and index_width:
                fields.number(index_width)
            offset = base + fields.number(offset_width)
            length = fields.number(length_width)
            extents.append(Extent(offset, length or max(file_size - offset, 0)))  # length 0: all of the file
        found[number] = tuple(extents) if method < 2 else ()
    return found


def properties(table: Held | None) -> dict[int, tuple[Property, ...]]:
    """`iprp`: the properties of each item, in the order they apply."""
    if table is None:
        return {}
    known: list[Property] = []
    found: dict[int, tuple[Property, ...]] = {}
    entries = 0
    for box in boxes(table, table.start, limit=64):
        if box.type == b"ipco":
            known = [_property(table, each) for each in boxes(table, box.payload, box.end, limit=MAX_ITEMS)]
        elif box.type == b"ipma":
            for number, indices in _associations(table, box):
                entries = _bounded(entries + len(indices), MAX_ENTRIES)
                found[number] = tuple(known[index - 1] for index in indices if 0 < index <= len(known))
    return found


def references(table: Held | None) -> tuple[Reference, ...]:
    """`iref`: one entry for each item and kind of reference."""
    if table is None:
        return ()
    version = _Fields(table).version
    found: list[Reference] = []
    entries = 0
    for box in boxes(table, table.start + 4, limit=MAX_ITEMS):
        fields = _Fields(table, box, is_full=False)
        fields.version = version
        source = fields.id(wide_from=1)
        count = fields.number(2)
        entries = _bounded(entries + count, MAX_ENTRIES)
        found.append(Reference(box.type, source, tuple(fields.id(wide_from=1) for _ in range(count))))
    return tuple(found)


def groups(table: Held | None) -> tuple[Group, ...]:
    """`grpl`: which entities belong together."""
    if table is None:
        return ()
    found: list[Group] = []
    for box in boxes(table, table.start, limit=MAX_ITEMS):
        fields = _Fields(table, box)
        fields.number(4)  # group id
        count = _bounded(fields.number(4), MAX_ENTRIES)
        found.append(Group(box.type, tuple(fields.number(4) for _ in range(count))))
    return tuple(found)


def _associations(table: Held, box: Box) -> Iterator[tuple[int, tuple[int, ...]]]:
    fields = _Fields(table, box)
    width, mask = (2, 0x7FFF) if fields.flags & 1 else (1, 0x7F)  # the top bit says "essential"
    for _ in range(_bounded(fields.number(4), MAX_ITEMS)):
        number = fields.id(wide_from=1)
        count = fields.number(1)
        yield number, tuple(fields.number(width) & mask for _ in range(count))


def _property(table: Held, box: Box) -> Property:
    if box.is_cut:
        raise Malformed(f"property {box.type!r} at offset {box.start} is cut")
    return Property(box.type, table.bytes(box.payload, box.length))


def _method_start(method: int, data_start: int | None) -> int:
    if method != 1:
        return 0
    if data_start is None:
        raise Malformed("an item lies in idat, but there is none")
    return data_start


def _bounded(count: int, limit: int) -> int:
    if count > limit:
        raise Malformed(f"{count} entries, at most {limit} are read")
    return count


class _Fields:
    """Big-endian numbers, one after the other, from a table or a box in it. Raises Malformed past the end."""

    __slots__ = ("_end", "_table", "flags", "position", "version")

    def __init__(self, table: Held, box: Box | None = None, *, is_full: bool = True) -> None:
        self._table = table
        self.position = table.start if box is None else box.payload
        self._end = table.size if box is None else box.end
        self.version = self.number(1) if is_full else 0
        self.flags = self.number(3) if is_full else 0

    def number(self, width: int) -> int:
        """An unsigned number of that many bytes; 0 when the width is 0."""
        return int.from_bytes(self.take(width), "big")

    def id(self, *, wide_from: int) -> int:
        """16 bit, or 32 from that version of the table on."""
        return self.number(4 if self.version >= wide_from else 2)

    def take(self, width: int) -> bytes:
        end = self.position + width
        if end > self._end:
            raise Malformed(f"a table ends within the field at offset {self.position}")
        taken = self._table.bytes(self.position, width)
        self.position = end
        return taken

    def text(self) -> str:
        """A string up to its zero byte, or to the end."""
        taken = self._table.bytes(self.position, self._end - self.position).partition(b"\0")[0]
        self.position = min(self.position + len(taken) + 1, self._end)
        return taken.decode("utf-8", "replace")
