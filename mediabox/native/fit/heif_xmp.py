"""The XMP of a HEIC or AVIF Motion Photo.

Source: developer.android.com/media/platform/motion-photo-format (1.0, seen November 2026).
For ISOBMFF pictures the primary's `Item:Padding` has to be the length of the header of
`mpvd`, eight; a directory that is there already says nothing of it and is written anew.
"""

import re
from collections.abc import Iterator

from mediabox.native.fit.motion_xmp import Item, with_motion
from mediabox.native.fit.unfit import Unfit
from mediabox.native.fit.xmp_edit import Cut, Layout, locate, spliced

HEADER_BYTES = 8  # of `mpvd`
_PADDING = b"\0 \t\r\n"
_HAS_BYTES = re.compile(rb":Length(?:\s*=\s*[\"']|>)\s*0*[1-9]")


def motion_packet(
    existing: bytes, *, still_type: str, clip_type: str, clip_bytes: int, still_at_us: int | None
) -> bytes:
    """The packet that says where the clip is; `existing` (b"" for none) with it.

    Raises Malformed when the existing one is no XMP, Unfit when it tells of other parts behind the picture.
    """
    items = [
        Item(semantic="Primary", mime=still_type, padding=HEADER_BYTES),
        Item(semantic="MotionPhoto", mime=clip_type, length=clip_bytes),
    ]
    packet = existing.strip(_PADDING)
    if packet and not packet.startswith((b"\xfe\xff", b"\xff\xfe")):
        layout = locate(packet, frozenset())
        items[1:1] = _others(packet, layout)
        if layout.directory is not None:
            packet = spliced(packet, (Cut(*layout.directory),))
    return with_motion(packet, items, still_at_us=still_at_us)


def _others(packet: bytes, layout: Layout) -> Iterator[Item]:
    """What the directory lists besides the picture: parts without bytes of their own, such as a gain map in an item."""
    for told in layout.items:
        if told.semantic in ("Primary", "MotionPhoto") or told.mime.startswith("video/"):
            continue
        if not told.semantic or _HAS_BYTES.search(packet, told.start, told.end):
            raise Unfit("the picture's XMP tells of other parts of the file")
        yield Item(semantic=told.semantic, mime=told.mime)
