"""The same picture in other layouts: what a HEIF file's boxes may look like besides how phones write them."""

import struct
from collections.abc import Mapping

from mediabox.native.boxes import Held, boxes, first
from mediabox.native.heif_items import item_bytes, read_items

LAYOUTS: dict[str, Mapping[str, object]] = {
    "as phones write it": {},
    "catalogue last": {"meta_last": True},
    "places of version 0": {"version": 0},
    "places of version 2": {"version": 2},
    "64 bits everywhere": {"offset_width": 8, "length_width": 8, "is_wide": True},
    "base offsets": {"base_width": 4},
    "base offsets of 64 bits, none of its own": {"base_width": 8, "offset_width": 0},
    "data without a size": {"has_size": False},
    "data in two boxes with something between": {"is_split": True},
    "data of the grid within the catalogue": {"grid_inside": True},
}


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def relaid(
    content: bytes,
    *,
    version: int = 1,
    offset_width: int = 4,
    length_width: int = 4,
    base_width: int = 0,
    meta_last: bool = False,
    is_wide: bool = False,
    has_size: bool = True,
    is_split: bool = False,
    grid_inside: bool = False,
) -> bytes:
    """Every item's bytes written anew, in one run each, under the catalogue's other tables as they are."""
    source = Held(content)
    items = read_items(source)
    data = {item.id: item_bytes(source, item) for item in items.by_id.values()}
    inside = {item.id for item in items.of_type(b"grid")} if grid_inside else set[int]()
    meta = first(source, b"meta")
    assert meta is not None
    kept = [
        content[each.start : each.end]
        for each in boxes(source, meta.payload + 4, meta.end)
        if each.type not in (b"iloc", b"idat")
    ]
    idat = box(b"idat", *(data[number] for number in data if number in inside))
    outside = [number for number in data if number not in inside]
    groups = [outside[::2], outside[1::2]] if is_split else [outside]

    def table(starts: list[int]) -> bytes:
        rows = b""
        for group, start in zip([*groups, sorted(inside)], [*starts, 0], strict=True):
            at = start
            for number in group:
                base, offset = (0, at) if not base_width else (at, 0) if not offset_width else (start, at - start)
                rows += number.to_bytes(4 if version == 2 else 2, "big")
                rows += (number in inside).to_bytes(2, "big") if version else b""
                rows += bytes(2) + base.to_bytes(base_width, "big") + b"\0\1"
                rows += offset.to_bytes(offset_width, "big") + len(data[number]).to_bytes(length_width, "big")
                at += len(data[number])
        count = struct.pack(">I" if version == 2 else ">H", len(data))
        widths = bytes((offset_width << 4 | length_width, base_width << 4))
        return box(b"iloc", struct.pack(">I", version << 24), widths, count, rows)

    def catalogue(starts: list[int]) -> bytes:
        return box(b"meta", bytes(4), *kept, *([idat] if inside else []), table(starts))

    pools = [b"".join(data[number] for number in group) for group in groups]
    header = 16 if is_wide else 8
    ftyp = content[: first(source, b"ftyp").end]  # type: ignore[union-attr]
    before = len(ftyp) + (0 if meta_last else len(catalogue([0] * len(pools))))
    between = box(b"free", b"between")
    starts = [before + header]
    if is_split:
        starts.append(starts[0] + len(pools[0]) + len(between) + header)
    told = [
        struct.pack(">I4sQ", 1, b"mdat", 16 + len(pool)) if is_wide
        else struct.pack(">I4s", 8 + len(pool) if has_size else 0, b"mdat")
        for pool in pools
    ]  # fmt: skip
    body = between.join(head + pool for head, pool in zip(told, pools, strict=True))
    parts = (ftyp, body, catalogue(starts)) if meta_last else (ftyp, catalogue(starts), body)
    return b"".join(parts)
