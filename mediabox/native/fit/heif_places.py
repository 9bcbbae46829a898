"""Where the items of a HEIF file lie (`iloc`), changed and written again; what nobody changed as it was read.

Raises `Malformed`, or `Unfit` for what cannot be moved about.
"""

import struct
from collections.abc import Callable, Iterable

from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_places import IN_FILE, Places, Row, Widths, run_widths, structs

_MOST = {0: 0, 4: (1 << 32) - 1, 8: (1 << 64) - 1}


def written(places: Places) -> bytes:
    """The payload of an `iloc` box. Every number has to fit: see `moved`."""
    wide = places.version >= 2
    row, run = structs(places.version, places.widths)
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
        parts.extend(run.pack(*map(_field, one, run_widths(places.widths))) for one in each.runs)
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
