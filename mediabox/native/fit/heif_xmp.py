"""The XMP of a HEIC or AVIF Motion Photo.

Source: developer.android.com/media/platform/motion-photo-format (1.0, seen November 2026).
For ISOBMFF pictures the primary's `Item:Padding` has to be the length of the header of
`mpvd`, eight; a directory that is there already says nothing of it and is written anew.
"""

from collections.abc import Iterator

from mediabox.native.fit.unfit import Unfit
from mediabox.native.xmp.motion import Item, listed, with_motion

HEADER_BYTES = 8  # of `mpvd`


def motion_packet(
    existing: bytes, *, still_type: str, clip_type: str, clip_bytes: int, still_at_us: int | None
) -> bytes:
    """The packet that says where the clip is; `existing` (b"" for none) with it.

    Raises Malformed when the existing one is no XMP, Unfit when it tells of other parts behind the picture.
    """
    items = [
        Item(semantic="Primary", mime=still_type, padding=HEADER_BYTES),
        *_others(existing),
        Item(semantic="MotionPhoto", mime=clip_type, length=clip_bytes),
    ]
    return with_motion(existing, items, still_at_us=still_at_us, is_directory_new=True)


def _others(packet: bytes) -> Iterator[Item]:
    """What the directory lists besides the picture: parts without bytes of their own, such as a gain map in an item."""
    for told in listed(packet):
        if told.semantic == "Primary" or told.is_clip:
            continue
        if not told.semantic or told.length:
            raise Unfit("the picture's XMP tells of other parts of the file")
        yield Item(semantic=told.semantic, mime=told.mime)
