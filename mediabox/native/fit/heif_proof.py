"""Proof that a made HEIF file shows what the original shows: every item, property and reference, byte for byte.

What may differ is what tells of the picture without being it: Exif and XMP. What may
be added is those, and a `tmap`: the same gain map in other words. A clip behind the picture
keeps its bytes, and Samsung's word of it, theirs or ours, leads to where it lies now.
"""

from collections.abc import Iterator
from itertools import zip_longest

from mediabox.native import boxes
from mediabox.native.boxes import Source, exactly
from mediabox.native.fit.heif_frame import Frame
from mediabox.native.fit.same_bytes import is_same
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_items import Item, Items, read_items
from mediabox.native.heif_tables import Extent
from mediabox.native.tags.motion import samsung_pointer

_STEP_BYTES = 1 << 20  # compared at a time


def same_picture(result: Source, first: Source) -> None:
    """Raises Unfit when the result's picture is not the original's, Malformed when either cannot be read."""
    made, original = read_items(result), read_items(first)
    if made.primary != original.primary:
        raise Unfit("another picture would be shown")
    for item in original.by_id.values():
        other = made.by_id.get(item.id)
        if other is None or _described(other) != _described(item):
            raise Unfit(f"item {item.id} of the picture is not what it was")
        if not _is_metadata(item):
            _compare(result, other, first, item)
    for item in made.by_id.values():
        if item.id not in original.by_id and not (_is_metadata(item) or item.type == b"tmap"):
            raise Unfit(f"the picture has an item more, {item.id} {item.type!r}")
    _compare_references(made, original)
    _compare_clip(result, first)


def _compare_clip(result: Source, first: Source) -> None:
    """What lay behind the picture still does; Samsung's word of a clip is true."""
    told, before = samsung_pointer(result), samsung_pointer(first)
    at, grown = Frame(first).tail, result.size - first.size
    if before is not None:
        if told != (before.at + grown, before.offset + grown, before.size):
            raise Unfit("Samsung's word of the clip does not lead to where it lies now")
        if not is_same(result, at + grown, first, at, before.at - at):
            raise Unfit("the clip is not what it was")
        at = before.at + 4
    elif told is not None:
        video = boxes.first(result, b"mpvd")
        if video is None or told[1:] != (video.payload, video.length):
            raise Unfit("Samsung's word of the clip leads elsewhere")
    if at < first.size and not is_same(result, at + grown, first, at, first.size - at):
        raise Unfit("the clip is not what it was")


def _described(item: Item) -> tuple[object, ...]:
    """All but where the bytes lie, and whether there are any."""
    return (*item[:-1], bool(item.extents))


def _is_metadata(item: Item) -> bool:
    return item.type == b"Exif" or item.is_xmp


def _compare_references(made: Items, original: Items) -> None:
    """The original's stay, those of new items may come."""
    told = set(original.references)
    kept = {each for each in made.references if each.source in original.by_id or each in told}
    if kept != told or not set(made.groups) >= set(original.groups):
        raise Unfit("the picture's parts refer to each other in another way")


def _compare(result: Source, other: Item, first: Source, item: Item) -> None:
    pieces = zip_longest(_pieces(result, other.extents), _pieces(first, item.extents))
    if any(one != another for one, another in pieces):
        raise Unfit(f"the bytes of item {item.id} are not what they were")


def _pieces(source: Source, extents: tuple[Extent, ...]) -> Iterator[bytes]:
    """An item's bytes, extent by extent, a step at a time."""
    for offset, length in extents:
        for at in range(0, length, _STEP_BYTES):
            yield exactly(source, offset + at, min(_STEP_BYTES, length - at), limit=_STEP_BYTES)
