"""The catalogue of a HEIF file (`meta`) while items are added to it or given new bytes.

A table is rebuilt only when something was added to it; everything else stays a span of
the original. Item numbers of ours are those nobody uses yet.
"""

import struct

from mediabox.model.recipe import Insert, Part, Span
from mediabox.native import heif_tables
from mediabox.native.boxes import Box, Malformed, Source, boxes, payload
from mediabox.native.fit import heif_edits
from mediabox.native.fit.heif_frame import Frame, Moves, Piece, length_of
from mediabox.native.fit.heif_places import moved, with_row, written
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_items import Items
from mediabox.native.heif_places import IN_CATALOGUE, IN_FILE, Places, Row, Run, read_places

MAX_CHILDREN = 64
_TABLES = (b"iinf", b"iref", b"iprp", b"grpl")  # besides `iloc`, which always changes


class Catalogue:
    """One `meta` box. Raises Malformed when its tables are not whole, Unfit for what they cannot be made to hold."""

    def __init__(self, source: Source, meta: Box, items: Items) -> None:
        self._meta = meta
        self._head = source.bytes(meta.payload, 4)
        self._children = list(boxes(source, meta.payload + 4, meta.end, limit=MAX_CHILDREN))
        if any(box.is_cut for box in self._children) or max(box.end for box in self._children) != meta.end:
            raise Malformed("the picture's catalogue does not end with its last table")
        kinds = [box.type for box in self._children]
        if any(kinds.count(kind) > 1 for kind in (*_TABLES, b"iloc")):
            raise Malformed("the picture's catalogue has a table twice")
        tables = {box.type: self._read(source, box) for box in self._children if box.type in (*_TABLES, b"iloc")}
        self._places = read_places(tables.pop(b"iloc", b""))
        self._refuse_data_elsewhere(source.size)
        self._tables = {kind: tables.get(kind, b"") for kind in _TABLES}
        self._changed: set[bytes] = set()
        self._fresh: list[tuple[int, bytes]] = []
        self._taken = {*items.by_id, *(row.item for row in self._places.rows), items.primary}
        self._taken.update(heif_edits.numbers_in_groups(self._tables[b"grpl"]))

    @property
    def is_changed(self) -> bool:
        return bool(self._changed or self._fresh)

    def number(self) -> int:
        """An item or group number that nobody has, mostly the one above all others."""
        highest = max(self._taken)
        if highest >= heif_edits.MOST_NUMBER:
            highest = next(n for n in range(len(self._taken) + 1) if n + 1 not in self._taken)
        self._taken.add(highest + 1)
        return highest + 1

    def add(self, kind: bytes, content: bytes, *, content_type: str = "", is_hidden: bool = True) -> int:
        """A new item with these bytes; its number."""
        number = self.number()
        if number > heif_edits.MOST_NUMBER:
            raise Unfit("all item numbers of the picture are in use")
        self._change(
            b"iinf",
            heif_edits.with_info(self._tables[b"iinf"], number, kind, content_type=content_type, is_hidden=is_hidden),
        )
        self.replace(number, content)
        return number

    def replace(self, item: int, content: bytes) -> None:
        """Give an item new bytes. Its old ones stay where they are; nothing refers to them any more."""
        if not content:
            raise Malformed(f"item {item} would have no bytes")  # a length of 0 says: all there are
        self._fresh.append((item, content))

    def refer(self, kind: bytes, source: int, *targets: int) -> None:
        """A new reference from an item to others."""
        self._change(b"iref", heif_edits.with_reference(self._tables[b"iref"], kind, source, targets))

    def group(self, kind: bytes, *entities: int) -> None:
        """A new group of items."""
        self._change(b"grpl", heif_edits.with_group(self._tables[b"grpl"], kind, self.number(), entities))

    def describe(self, item: int, *properties: bytes) -> None:
        """Properties (whole boxes) of a new item. Its number has to be above those of all items."""
        self._change(b"iprp", heif_edits.with_properties(self._tables[b"iprp"], item, properties))

    def pieces(self, frame: Frame, *, brand: bytes | None) -> list[Piece]:
        """The whole file with everything that was added, so far without a video."""
        type_box = frame.type_box(brand)
        data = heif_edits.box(b"mdat", *(content for _, content in self._fresh))
        grown = 0
        while True:  # numbers in `iloc` may need more bytes where they have moved to: twice at most
            moves = Moves((
                (frame.boxes[0].end, len(type_box) - (frame.boxes[0].end - frame.boxes[0].start)),
                (self._meta.end, grown),
                (frame.tail, len(data)),
            ))  # fmt: skip
            meta = self._box(moves, data_at=moves.of(frame.tail) - len(data) + 8)
            if grown == (by := length_of(meta) - (self._meta.end - self._meta.start)):
                return frame.laid_out(type_box, meta, data)
            grown = by

    def _box(self, moves: Moves, *, data_at: int) -> list[Piece]:
        """`meta`, for a file whose bytes have moved so and whose new data begin at `data_at`."""
        places = moved(self._places, moves.of)
        for item, content in self._fresh:
            places = with_row(places, Row(item, IN_FILE, 0, 0, (Run(0, data_at, len(content)),)))
            data_at += len(content)
        inside = self._inside(places)
        head = struct.pack(">I4s", 12 + length_of(inside), b"meta") + self._head
        return [Insert(content=head), *inside]

    def _inside(self, places: Places) -> list[Piece]:
        changed = {kind: self._tables[kind] for kind in _TABLES if kind in self._changed} | {b"iloc": written(places)}
        found: list[Piece] = []
        for each in self._children:
            content = changed.pop(each.type, None)
            if content is None:
                found.append(Span(part=Part.FIRST, offset=each.start, length=each.end - each.start))
            else:
                found.append(Insert(content=heif_edits.box(each.type, content)))
        return found + [Insert(content=heif_edits.box(kind, content)) for kind, content in changed.items()]

    def _refuse_data_elsewhere(self, file_size: int) -> None:
        """Data inside `meta` are told by `idat`; absolute offsets into it could not be followed."""
        for row in self._places.rows:
            if row.method > IN_CATALOGUE:
                raise Unfit("a part of the picture is described as a part of another one")
            for start, length in ((row.base + run.offset, run.length) for run in row.runs if row.method == IN_FILE):
                if start + length > file_size:
                    raise Unfit(f"a part of the picture would end at byte {start + length:,} of {file_size:,}")
                if self._meta.start <= start < self._meta.end:
                    raise Unfit("a part of the picture lies inside its catalogue")

    def _change(self, kind: bytes, content: bytes) -> None:
        self._tables[kind] = content
        self._changed.add(kind)

    @staticmethod
    def _read(source: Source, box: Box) -> bytes:
        return payload(source, box, limit=heif_tables.MAX_TABLE)
