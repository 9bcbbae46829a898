"""Where the items of a HEIF file lie (`iloc`), as a table that can be changed and written again.

Source of the format: ISO/IEC 14496-12, 8.11.3. `native.heif_tables` reads the same table
for those who only look; this one keeps every field, so that a table nobody changed is
written as it was read. Raises `Malformed`, or `Unfit` for what cannot be moved about.
"""

import struct
from collections.abc import Callable, Iterable
from typing import NamedTuple

from mediabox.native.boxes import Malformed
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_tables import MAX_ENTRIES, MAX_ITEMS

IN_FILE, IN_CATALOGUE = 0, 1  # construction methods: offsets into the file, or into `idat`
_FIELDS = {0: "0s", 4: "I", 8: "Q"}  # by width in bytes; a field of no width is b""
_MOST = {0: 0, 4: (1 << 32) - 1, 8: (1 << 64) - 1}


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


def written(places: Places) -> bytes:
    """The payload of an `iloc` box. Every number has to fit: see `moved`."""
    wide = places.version >= 2
    row, run = _structs(places.version, places.widths)
    parts = [
        bytes((places.version,)) + places.flags,
        struct.pack(
            ">BB",
            places.widths.offset << 4 | places.widths.length,
            places.widths.base << 4 | places.widths.spare,
        ),
        struct.pack(">I" if wide else ">H", len(places.rows)),
    ]
    for each in places.rows:
        method = each.method if places.version else b""
        parts.append(row.pack(each.item, method, each.reference, _field(each.base, places.widths.base), len(each.runs)))
        parts.extend(run.pack(*map(_field, one, _run_widths(places.widths))) for one in each.runs)
    return b"".join(parts)


def moved(places: Places, move: Callable[[int], int]) -> Places:
    """The table after offsets of the file have moved; fields are widened where a number outgrows them.

    `move` never makes an offset smaller. Raises Unfit for an offset nobody could have meant.
    """
    rows = tuple(_moved_row(row, places.widths, move) if row.method == IN_FILE else row for row in places.rows)
    runs = [run for row in rows for run in row.runs]
    widths = places.widths._replace(
        offset=_width(places.widths.offset, (run.offset for run in runs)),
        length=_width(places.widths.length, (run.length for run in runs)),
        base=_width(places.widths.base, (row.base for row in rows)),
    )
    return places._replace(rows=rows, widths=widths)


def with_row(places: Places, row: Row) -> Places:
    """The table with this row in place of the item's old one, else behind the others. Fields are made wide enough."""
    is_known = any(old.item == row.item for old in places.rows)
    rows = tuple(row if old.item == row.item else old for old in places.rows)
    return places._replace(
        rows=rows if is_known else (*rows, row),
        widths=places.widths._replace(
            offset=_width(places.widths.offset or 4, (run.offset for run in row.runs)),
            length=_width(places.widths.length or 4, (run.length for run in row.runs)),
        ),
    )


def _read(content: bytes) -> Places:
    version, flags = content[0], content[1:4]
    if version > 2:
        raise Malformed(f"places of items of version {version}")
    widths = Widths(content[4] >> 4, content[4] & 15, content[5] >> 4, content[5] & 15 if version else 0)
    if not _FIELDS.keys() >= set(widths):
        raise Malformed(f"places of items with numbers of {widths} bytes")
    total = struct.Struct(">I" if version == 2 else ">H")
    (count,) = total.unpack_from(content, 6)
    return Places(version, flags, widths, tuple(_rows(content, 6 + total.size, count, version, widths)))


def _rows(content: bytes, at: int, count: int, version: int, widths: Widths) -> list[Row]:
    row, run = _structs(version, widths)
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
        found = tuple(
            Run(index or 0, offset or 0, length or 0)
            for index, offset, length in (run.unpack_from(content, at + nth * run.size) for nth in range(runs))
        )
        at += runs * run.size
        rows.append(Row(item, (method or 0) & 15, reference, base or 0, found))
    return rows


def _structs(version: int, widths: Widths) -> tuple[struct.Struct, struct.Struct]:
    """How a row is stored (item, method, reference, base, count of extents), and an extent."""
    item, method = "I" if version >= 2 else "H", "H" if version else "0s"
    run = "".join(_FIELDS[width] for width in _run_widths(widths))
    return struct.Struct(f">{item}{method}H{_FIELDS[widths.base]}H"), struct.Struct(f">{run}")


def _run_widths(widths: Widths) -> tuple[int, int, int]:
    return widths.spare, widths.offset, widths.length


def _field(number: int, width: int) -> int | bytes:
    return number if width else b""


def _moved_row(row: Row, widths: Widths, move: Callable[[int], int]) -> Row:
    if row.reference:
        raise Unfit("parts of the picture lie in another file")
    if any(not run.length for run in row.runs):
        raise Unfit("a part of the picture reaches to the end of the file, wherever that is")
    if not widths.offset:  # all is told by the base
        return row._replace(base=move(row.base)) if row.runs else row
    runs = tuple(run._replace(offset=move(row.base + run.offset) - row.base) for run in row.runs)
    return row._replace(runs=runs)


def _width(width: int, numbers: Iterable[int]) -> int:
    most = max(numbers, default=0)
    return width if most <= _MOST[width] else 4 if most <= _MOST[4] else 8
