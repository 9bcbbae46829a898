"""The catalogue inside a HEIF or AVIF file: which items there are, what they are made of, where their bytes lie.

Source of the format: ISO/IEC 14496-12 section 8.11 (meta, iinf, iloc, iref, pitm,
idat) and ISO/IEC 23008-12 section 6 (properties, derived items). Only tables are
read (`heif_tables`), each of bounded size; item data stays in the file until asked for.
The only exception is `boxes.Malformed`.
"""

import struct
from typing import NamedTuple

from mediabox.model.facts import Hdr
from mediabox.native import heif_tables
from mediabox.native.boxes import Malformed, Source, boxes, exactly, first
from mediabox.native.colour import Nclx
from mediabox.native.heif_tables import EntityGroup, Extent, ItemProperty, ItemReference

_BYTE_ORDERS = (b"II*\0", b"MM\0*")
MAX_ITEM_BYTES = 64 << 20  # one coded tile, Exif or XMP block
MIRROR_ROWS = 0  # ISO/IEC 23008-12:2022, 6.5.12: top and bottom are exchanged; 1: left and right
XMP_TYPE = "application/rdf+xml"
_APPLE_GAIN_MAP = "urn:com:apple:photo:2020:aux:hdrgainmap"


class Item(NamedTuple):
    """One item. `extents` is empty when its bytes are described in a way nobody uses (construction method 2)."""

    id: int
    type: bytes  # b"hvc1", b"av01", b"grid", b"Exif", b"mime", b"tmap", ...
    name: str
    content_type: str  # of a `mime` item
    content_encoding: str  # how its bytes are packed: "gzip"; empty for not at all
    is_hidden: bool
    properties: tuple[ItemProperty, ...]
    extents: tuple[Extent, ...]

    @property
    def is_xmp(self) -> bool:
        return self.type == b"mime" and self.content_type == XMP_TYPE

    def property(self, kind: bytes) -> bytes | None:
        """Payload of the first property of that type."""
        return next((found.data for found in self.properties if found.type == kind), None)


class Grid(NamedTuple):
    """A picture put together from equal tiles, row by row (ISO/IEC 23008-12, 6.6.2.3). Sizes in pixels."""

    rows: int
    columns: int
    width: int
    height: int


class Items(NamedTuple):
    """Everything the tables of one file say."""

    primary: int
    by_id: dict[int, Item]
    references: tuple[ItemReference, ...]
    groups: tuple[EntityGroup, ...]

    def targets(self, source: int, kind: bytes) -> tuple[int, ...]:
        """What `source` refers to: the tiles of a grid (`dimg`)."""
        return next((ref.targets for ref in self.references if ref.source == source and ref.type == kind), ())

    def sources(self, target: int, kind: bytes) -> tuple[int, ...]:
        """What refers to `target`: its thumbnails (`thmb`), auxiliary pictures (`auxl`), metadata (`cdsc`)."""
        return tuple(ref.source for ref in self.references if ref.type == kind and target in ref.targets)

    def of_type(self, kind: bytes) -> tuple[Item, ...]:
        """All items of a type, in file order."""
        return tuple(item for item in self.by_id.values() if item.type == kind)


def read_items(source: Source) -> Items:
    """Read the file's tables. Raises Malformed when there is no `meta` box or it contradicts itself."""
    meta = first(source, b"meta")
    if meta is None or meta.is_cut:
        raise Malformed("no whole meta box")
    found = {box.type: box for box in boxes(source, meta.payload + 4, meta.end, limit=64)}
    table = {kind: heif_tables.held(source, box) for kind, box in found.items() if kind in heif_tables.READ}
    data_start = found[b"idat"].payload if b"idat" in found else None
    places = heif_tables.places(table.get(b"iloc"), data_start=data_start, file_size=source.size)
    properties = heif_tables.properties(table.get(b"iprp"))
    return Items(
        heif_tables.primary(table.get(b"pitm")),
        {
            info.id: Item(*info, properties.get(info.id, ()), places.get(info.id, ()))
            for info in heif_tables.infos(table.get(b"iinf"))
        },
        heif_tables.references(table.get(b"iref")),
        heif_tables.groups(table.get(b"grpl")),
    )


def item_bytes(source: Source, item: Item, *, limit: int = MAX_ITEM_BYTES) -> bytes:
    """An item's data, its extents joined. Raises Malformed when any of it is not in the file, or past `limit` bytes."""
    if not item.extents:
        raise Malformed(f"item {item.id} has no data")
    if len(item.extents) == 1:
        return exactly(source, *item.extents[0], limit=limit)
    if sum(extent.length for extent in item.extents) > limit:
        raise Malformed(f"item {item.id} has more than {limit} bytes")
    return b"".join(exactly(source, *extent, limit=limit) for extent in item.extents)


def grid(data: bytes) -> Grid:
    """The payload of a `grid` item. Raises Malformed."""
    if len(data) < 8:
        raise Malformed("grid of less than 8 bytes")
    sizes = struct.Struct(">II" if data[1] & 1 else ">HH")
    if len(data) < 4 + sizes.size:
        raise Malformed("grid without its size")
    width, height = sizes.unpack_from(data, 4)
    return Grid(data[2] + 1, data[3] + 1, width, height)


def size_of(item: Item) -> tuple[int, int]:
    """Width and height in pixels from `ispe`, before rotation. Raises Malformed when absent."""
    data = item.property(b"ispe")
    if data is None or len(data) < 12:
        raise Malformed(f"item {item.id} has no size")
    width, height = struct.unpack_from(">II", data, 4)
    return width, height


def orientation_of(item: Item) -> int:
    """EXIF orientation, 1 to 8, that shows the item as its `irot` and `imir` properties say, in their order."""
    mirrored, quarters = False, 0  # shown = mirror columns first, then turn clockwise by quarters
    for kind, data in item.properties:
        if kind == b"irot" and data:
            quarters = (quarters - (data[0] & 3)) % 4  # irot counts anticlockwise
        elif kind == b"imir" and data:
            half_turn = 2 if data[0] & 1 == MIRROR_ROWS else 0  # mirroring rows = mirroring columns, half a turn
            mirrored, quarters = not mirrored, (half_turn - quarters) % 4
    return ((2, 7, 4, 5) if mirrored else (1, 6, 3, 8))[quarters]


def is_turned_by_boxes(item: Item) -> bool:
    """Whether `irot` or `imir` say how it is shown; where neither does, phones and readers go by Exif."""
    return any(kind in (b"irot", b"imir") for kind, _ in item.properties)


def nclx_of(item: Item) -> Nclx | None:
    """The `colr` property of type nclx."""
    for kind, data in item.properties:
        if kind == b"colr" and data[:4] == b"nclx" and len(data) >= 11:
            primaries, transfer, matrix = struct.unpack_from(">HHH", data, 4)
            return Nclx(primaries, transfer, matrix, bool(data[10] & 0x80))
    return None


def exif_start(content: bytes) -> int:
    """Where in an Exif item its TIFF structure begins: four bytes say how far behind them (A.2.1); -1: none."""
    told = 4 + int.from_bytes(content[:4], "big")
    if content[told : told + 4] in _BYTE_ORDERS:
        return told
    return next((at for order in _BYTE_ORDERS if (at := content.find(order, 0, 64)) >= 0), -1)  # some count otherwise


def primary_nclx(source: Source) -> Nclx | None:
    """What the primary picture's says; None where it has none, or the file cannot be followed."""
    try:
        items = read_items(source)
    except Malformed:
        return None
    primary = items.by_id.get(items.primary)
    return nclx_of(primary) if primary else None


def icc_of(item: Item) -> bytes | None:
    """The `colr` property that holds an ICC profile."""
    for kind, data in item.properties:
        if kind == b"colr" and data[:4] in (b"prof", b"rICC"):
            return data[4:]
    return None


def aux_type_of(item: Item) -> str:
    """The URN of an auxiliary picture (`auxC`): alpha, depth, Apple's HDR gain map; empty when it has none."""
    data = item.property(b"auxC") or b""
    return data[4:].split(b"\0", 1)[0].decode("ascii", "replace")


def apple_gain_map(items: Items) -> int | None:
    """The item that is Apple's gain map of the primary picture."""
    known = (items.by_id.get(number) for number in items.sources(items.primary, b"auxl"))
    return next((item.id for item in known if item and aux_type_of(item) == _APPLE_GAIN_MAP), None)


def gain_map_of(items: Items) -> Hdr | None:
    """Whose gain map there is: ISO's derived item, which newer iPhones write beside Apple's, counts first."""
    if items.of_type(b"tmap"):
        return Hdr.ISO_GAIN_MAP
    return None if apple_gain_map(items) is None else Hdr.APPLE_GAIN_MAP


def bit_depth_of(item: Item) -> int | None:
    """Bits per channel from `pixi`, else from the decoder's configuration (`hvcC`, `av1C`)."""
    pixi = item.property(b"pixi")
    if pixi is not None and len(pixi) > 5 and pixi[4]:
        return max(pixi[5 : 5 + pixi[4]])
    hevc = item.property(b"hvcC")
    if hevc is not None and len(hevc) > 17:
        return (hevc[17] & 7) + 8  # bitDepthLumaMinus8, ISO/IEC 14496-15, 8.3.3.1
    av1 = item.property(b"av1C")
    if av1 is not None and len(av1) > 2:
        return (12 if av1[2] & 0x20 else 10) if av1[2] & 0x40 else 8  # high_bitdepth, twelve_bit
    return None
