"""That a made JPEG holds the very picture of the one it was made from: the same bytes, so the same pixels.

Everything before the scan but what we write (Exif, XMP, the table of pictures, ISO's word
on gain maps) must be there, in order: colours, tables, sizes, every unknown segment. From
the scan on the original must follow whole; only an Apple gain map may be missing, if one
of ours is there instead.
"""

from collections.abc import Iterator

from mediabox.model.facts import Hdr
from mediabox.native.boxes import Source
from mediabox.native.fit.jpeg_gain_map import GainMap, find_gain_map, stands_alone
from mediabox.native.fit.jpeg_layout import Still, read_still
from mediabox.native.fit.same_bytes import is_same
from mediabox.native.fit.unfit import Unfit
from mediabox.native.jpeg_segments import APP1, APP2, EXIF, ISO_GAIN_MAP, MPF, XMP

_OURS = ((APP1, EXIF), (APP1, XMP), (APP2, MPF), (APP2, ISO_GAIN_MAP))


def same_picture(result: Source, first: Source) -> None:
    """Raises Unfit when the picture is not the same, Malformed when one of the two is no JPEG."""
    made, given = read_still(result), read_still(first)
    if list(_kept(result, made)) != list(_kept(first, given)):
        raise Unfit("the made JPEG has lost or changed a segment")
    gain = find_gain_map(first, given)
    sure_end = first.size if gain is None or gain.hdr is not Hdr.APPLE_GAIN_MAP else gain.picture.at
    length = sure_end - given.scan_at
    is_there = is_same(result, made.scan_at, first, given.scan_at, length)
    if is_there and gain is not None and sure_end < first.size:
        at = made.scan_at + length
        is_kept = is_same(result, at, first, sure_end, first.size - sure_end)
        is_there = is_kept or (stands_alone(first, given, gain.picture) and _is_replaced(result, made, at, first, gain))
    if not is_there:
        raise Unfit("the made JPEG has not the same picture data")


def _kept(source: Source, still: Still) -> Iterator[tuple[int, bytes]]:
    """The segments that are not ours to change."""
    for segment in still.segments:
        if not any(segment.starts(*name) for name in _OURS):
            yield segment.marker, source.bytes(segment.at, segment.end - segment.at)


def _is_replaced(result: Source, made: Still, at: int, first: Source, gain: GainMap) -> bool:
    """Whether all that comes after Apple's gain map is there in its place, from `at` on, and another gain map is."""
    behind = gain.picture.at + gain.picture.size
    instead = find_gain_map(result, made)
    is_whole = is_same(result, at, first, behind, first.size - behind)
    return is_whole and instead is not None and instead.hdr is Hdr.ULTRA_HDR
