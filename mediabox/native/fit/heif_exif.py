"""The Exif item of a HEIF file: four bytes that say how far behind them the TIFF block begins, then that block.

Source of the format: ISO/IEC 23008-12, annex A.2.1.
"""

from mediabox.model.recipe import FitRequest
from mediabox.native import heif_items
from mediabox.native.boxes import Source
from mediabox.native.fit import exif_edit
from mediabox.native.heif_items import Item, Items

MAX_EXIF_BYTES = 16 << 20
_HEAD = b"\0\0\0\6Exif\0\0"  # as phones write it


def exif_of(items: Items) -> Item | None:
    """The primary picture's Exif item, else one that says of no picture that it is its."""
    found = items.of_type(b"Exif")
    own = items.sources(items.primary, b"cdsc")
    taken = {reference.source for reference in items.references if reference.type == b"cdsc"}
    return next(
        (item for item in found if item.id in own),
        next((item for item in found if item.id not in taken), None),
    )


def block_of(source: Source, item: Item | None) -> bytes | None:
    """The TIFF block. Raises Malformed when its bytes are not there."""
    if item is None:
        return None
    head, block = _parts(heif_items.item_bytes(source, item, limit=MAX_EXIF_BYTES))
    return block if head else None


def with_time_and_place(source: Source, item: Item | None, request: FitRequest) -> bytes:
    """The content of an Exif item that tells the request's time and place, and all that `item` told. Raises Unfit."""
    head, block = _HEAD, b""
    if item is not None:
        head, block = _parts(heif_items.item_bytes(source, item, limit=MAX_EXIF_BYTES))
    return head + exif_edit.with_time_and_place(block, request.capture_time, request.place)


def _parts(content: bytes) -> tuple[bytes, bytes]:
    """What stands before the block, and the block."""
    start = heif_items.exif_start(content)
    if start < 4:
        return _HEAD, b""
    return (start - 4).to_bytes(4, "big") + content[4:start], content[start:]
