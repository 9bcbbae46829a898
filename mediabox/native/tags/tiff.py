"""Walk TIFF directories, wherever they are: a TIFF or raw file, or an Exif block inside something else.

Source of the format: TIFF 6.0, section 2; BigTIFF; CIPA DC-008 (Exif 3.0), section 4.6.
Only the tables are read; a value is fetched when it is asked for, and a value that is
not there is `None`, so that one bad pointer costs one tag.
"""

import struct
from collections.abc import Iterator

from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.text import decoded

MAX_ENTRIES = 1_000  # in one directory; a raw file's has about 60, a maker note's about 200
MAX_DIRECTORIES = 64
MAX_VALUE_BYTES = 64 * 1024

# Bytes and struct letter of each field type; 13 IFD, 16 to 18 BigTIFF.
_FORMS: dict[int, tuple[int, str]] = {
    1: (1, "B"), 2: (1, "s"), 3: (2, "H"), 4: (4, "I"), 5: (8, "I"), 6: (1, "b"), 7: (1, "s"), 8: (2, "h"),
    9: (4, "i"), 10: (8, "i"), 11: (4, "f"), 12: (8, "d"), 13: (4, "I"), 16: (8, "Q"), 17: (8, "q"), 18: (8, "Q"),
}  # fmt: skip
_UNKNOWN_FORM = (0, "")
WIDTHS = {form: width for form, (width, _) in _FORMS.items() if form <= 12}  # those that Exif knows
_RATIONALS = (5, 10)
_MAGICS = frozenset({42, 43, 0x4F52, 0x5352, 0x55})  # TIFF, BigTIFF, Olympus ("RO", "RS"), Panasonic


# How an entry's type and count are packed, and how its offset is; by byte order and whether it is BigTIFF.
_ENTRY_STRUCTS = {
    (endian, is_big): (struct.Struct(endian + ("HQ" if is_big else "HI")), struct.Struct(endian + "IQ"[is_big]))
    for endian in "<>"
    for is_big in (False, True)
}


class Tiff:
    """A TIFF structure that starts at offset 0 of `source`. Raises Malformed when it does not start like one."""

    def __init__(self, source: Source) -> None:
        head = source.bytes(0, 8)
        order, magic = head[:2], int.from_bytes(head[2:4], "little" if head[:2] == b"II" else "big")
        if order not in (b"II", b"MM") or magic not in _MAGICS:
            raise Malformed("no TIFF header")
        self.source = source
        self.endian = "<" if order == b"II" else ">"
        self.is_big = magic == 43
        self.entry, self.pointer = _ENTRY_STRUCTS[self.endian, self.is_big]
        if self.is_big:
            (self.first,) = struct.unpack(self.endian + "Q", source.bytes(8, 8))
        else:
            (self.first,) = struct.unpack_from(self.endian + "I", head, 4)

    def directory(self, at: int) -> "Directory":
        """The directory at this offset. Raises Malformed when it is not whole."""
        return Directory(self, at)

    def chain(self) -> Iterator["Directory"]:
        """The main directories, one for each page; stops at a loop or after `MAX_DIRECTORIES`."""
        seen: set[int] = set()
        at = self.first
        while at and at not in seen and len(seen) < MAX_DIRECTORIES:
            seen.add(at)
            directory = Directory(self, at)
            yield directory
            at = directory.next


class Note(Tiff):
    """A maker's note: its byte order stands elsewhere, and the offsets of its directory count from the note's start."""

    def __init__(self, source: Source, *, order_at: int, first: int) -> None:
        self.source = source
        self.endian = "<" if source.bytes(order_at, 2) == b"II" else ">"
        self.is_big = False
        self.entry, self.pointer = _ENTRY_STRUCTS[self.endian, False]
        self.first = first


class Directory:
    """One directory: which tags it has, and their values on demand."""

    __slots__ = ("_at", "_places", "_row", "_table", "_tiff", "endian", "next")

    def __init__(self, tiff: Tiff, at: int) -> None:
        row, counter = (20, "Q") if tiff.is_big else (12, "H")
        head = struct.calcsize(tiff.endian + counter)
        (count,) = struct.unpack(tiff.endian + counter, tiff.source.bytes(at, head))
        if count > MAX_ENTRIES:
            raise Malformed(f"a directory of {count} entries")
        link = "Q" if tiff.is_big else "I"
        table = tiff.source.bytes(at + head, min(row * count + struct.calcsize(link), tiff.source.size - at - head))
        if len(table) < row * count:
            raise Malformed("a directory that is cut")
        self._tiff = tiff
        self._table = table
        self._row = row
        self.endian = tiff.endian
        self._at = at + head
        tags = struct.unpack_from(tiff.endian + f"H{row - 2}x" * count, table)
        self._places = dict(zip(tags, range(0, row * count, row), strict=True))
        rest = table[row * count :]
        # Exif blocks are often cut right after the last row: no link is the same as no further directory.
        self.next = struct.unpack(tiff.endian + link, rest)[0] if len(rest) == struct.calcsize("=" + link) else 0

    def __contains__(self, tag: int) -> bool:
        return tag in self._places

    def tags(self) -> tuple[int, ...]:
        """Every tag there is."""
        return tuple(self._places)

    def rows(self) -> dict[int, bytes]:
        """Each tag's row as it is stored."""
        return {tag: self._table[at : at + self._row] for tag, at in self._places.items()}

    def place(self, tag: int) -> tuple[int, int, int] | None:
        """Field type, count and offset (in the source) of a tag's value."""
        at = self._places.get(tag)
        if at is None:
            return None
        form, count = self._tiff.entry.unpack_from(self._table, at + 2)
        inline = 8 if self._tiff.is_big else 4
        if _FORMS.get(form, _UNKNOWN_FORM)[0] * count <= inline:
            return form, count, self._at + at + 4 + inline
        return form, count, self._tiff.pointer.unpack_from(self._table, at + 4 + inline)[0]

    def raw(self, tag: int, *, limit: int = MAX_VALUE_BYTES) -> bytes | None:
        """A tag's value as stored; None when it is absent, longer than `limit` bytes or not in the file."""
        value = self._value(tag, limit)
        return None if value is None else value[1]

    def text(self, tag: int) -> str | None:
        """A text without padding; None when there is none."""
        raw = self.raw(tag)
        return decoded(raw) if raw else None

    def numbers(self, tag: int, *, limit: int = MAX_VALUE_BYTES) -> tuple[float, ...]:
        """A tag's numbers. Rationals are divided; one without a denominator is left out (Exif: unknown)."""
        value = self._value(tag, limit)
        if value is None or not value[1]:
            return ()
        form, raw = value
        width, letter = _FORMS[form]
        if letter == "s":
            return tuple(raw)
        if form in _RATIONALS:
            parts = struct.unpack(f"{self._tiff.endian}{len(raw) // 4}{letter}", raw)
            return tuple(above / below for above, below in zip(parts[::2], parts[1::2], strict=True) if below)
        return struct.unpack(f"{self._tiff.endian}{len(raw) // width}{letter}", raw)

    def number(self, tag: int) -> float | None:
        """The first of a tag's numbers, or None."""
        found = self.numbers(tag)
        return found[0] if found else None

    def whole(self, tag: int) -> int | None:
        """The first of a tag's numbers as a whole one, or None."""
        found = self.number(tag)
        return int(found) if found is not None and abs(found) < 1 << 53 else None

    def sub(self, tag: int) -> "Directory | None":
        """The directory a tag points to; None when there is none or it is broken."""
        at = self.whole(tag)
        return None if at is None else self._sub_at(at)

    def subs(self, tag: int) -> "list[Directory]":
        """All directories a tag points to (SubIFDs), eight at most."""
        found = (self._sub_at(int(at)) for at in self.numbers(tag)[:8])
        return [directory for directory in found if directory is not None]

    def window(self, tag: int) -> SubReader | None:
        """A tag's value as a source of its own, however long: an embedded JPEG, a maker note."""
        place = self.place(tag)
        if place is None:
            return None
        form, count, at = place
        return SubReader(self._tiff.source, at, _FORMS.get(form, _UNKNOWN_FORM)[0] * count)

    def _value(self, tag: int, limit: int) -> tuple[int, bytes] | None:
        """Field type and bytes of a value: from the table when they are in it, else from the source."""
        place = self.place(tag)
        if place is None:
            return None
        form, count, at = place
        length = _FORMS.get(form, _UNKNOWN_FORM)[0] * count
        inside = at - self._at
        if inside >= 0 and inside + length <= len(self._table):
            return form, self._table[inside : inside + length]
        if not 0 < length <= limit:
            return None
        try:
            return form, self._tiff.source.bytes(at, length)
        except Malformed:
            return None

    def _sub_at(self, at: int) -> "Directory | None":
        try:
            return Directory(self._tiff, at)
        except (Malformed, struct.error):
            return None
