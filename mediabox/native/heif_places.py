"""Where the items of a HEIF file lie (`iloc`), field by field, for those who look and those who write it again.

Source of the format: ISO/IEC 14496-12, 8.11.3. Raises `Malformed` only.
"""

import struct
from typing import NamedTuple

from mediabox.native.boxes import Malformed

MAX_ITEMS = 20_000  # a 200 MP grid of 512 px tiles has 800
MAX_ENTRIES = 131_072  # references, associations or extents of a whole file
IN_FILE, IN_CATALOGUE = 0, 1  # construction methods: offsets into the file, or into `idat`
_FIELDS = {0: "0s", 4: "I", 8: "Q"}  # by width in bytes; a field of no width is b"", which is false


class Run(NamedTuple):
    """One extent; `offset` counts from the row's base, `spare` is `extent_index`, of use to method 2 only."""

    spare: int
    offset: int
    length: int


class Row(NamedTuple):
    """One item's place."""

    item: int
    method: int
    reference: int  # data in another file when it is not 0
    base: int
    runs: tuple[Run, ...]


class Widths(NamedTuple):
    """Bytes of each field: 0, 4 or 8."""

    offset: int
    length: int
    base: int
    spare: int


class Places(NamedTuple):
    """The whole table."""

    version: int
    flags: bytes
    widths: Widths
    rows: tuple[Row, ...]


def read_places(content: bytes) -> Places:
    """The payload of an `iloc` box. Raises Malformed."""
    try:
        return _read(content)
    except (struct.error, IndexError) as err:
        raise Malformed(f"the places of items end within a field ({err})") from None


def _read(content: bytes) -> Places:
    version, flags = content[0], content[1:4]
    if version > 2:
        raise Malformed(f"places of items of version {version}")
    widths = Widths(content[4] >> 4, content[4] & 15, content[5] >> 4, content[5] & 15 if version else 0)
    if (odd := next((width for width in widths if width not in _FIELDS), None)) is not None:
        raise Malformed(f"places of items with numbers of {odd} bytes")
    total = struct.Struct(">I" if version == 2 else ">H")
    (count,) = total.unpack_from(content, 6)
    return Places(version, flags, widths, tuple(_rows(content, 6 + total.size, count, version, widths)))


def _rows(content: bytes, at: int, count: int, version: int, widths: Widths) -> list[Row]:
    row, run = structs(version, widths)
    rows: list[Row] = []
    entries = 0
    if count > MAX_ITEMS:
        raise Malformed(f"places of {count} items, at most {MAX_ITEMS} are read")
    for _ in range(count):
        item, method, reference, base, runs = row.unpack_from(content, at)
        at += row.size
        entries += runs
        if entries > MAX_ENTRIES:
            raise Malformed(f"more than {MAX_ENTRIES} extents")
        found: list[Run] = []
        for _ in range(runs):
            index, offset, length = run.unpack_from(content, at)
            at += run.size
            found.append(Run(index or 0, offset or 0, length or 0))
        rows.append(Row(item, (method or 0) & 15, reference, base or 0, tuple(found)))
    return rows


def structs(version: int, widths: Widths) -> tuple[struct.Struct, struct.Struct]:
    """How a row is stored (item, method, reference, base, count of extents), and an extent."""
    item, method = "I" if version >= 2 else "H", "H" if version else "0s"
    run = "".join(_FIELDS[width] for width in run_widths(widths))
    return struct.Struct(f">{item}{method}H{_FIELDS[widths.base]}H"), struct.Struct(f">{run}")


def run_widths(widths: Widths) -> tuple[int, int, int]:
    return widths.spare, widths.offset, widths.length
