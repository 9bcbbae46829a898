"""HEIC, HEIF and AVIF: the primary picture's size and turn, its Exif, XMP and colour, HDR and motion.

What the picture is shown as is told by `irot` and `imir`; beside them Exif's orientation is a
copy that readers must not apply (ISO/IEC 23008-12, 6.5.10 and annex A). Where neither is there,
a HEIC is shown as Exif says: Galaxies (S20 FE, S24 FE) and camera apps on iPhones write such
files, and their phones, Apple's Preview, libvips and Immich (#31617) turn them. Not an AVIF:
browsers do not (ISO/IEC 23000-22, 7.3.10.1).
"""

import struct
from itertools import islice

from mediabox.native import heif_items
from mediabox.native.boxes import Box, Held, Malformed, Source, boxes
from mediabox.native.colour import HDR_OF
from mediabox.native.heif_items import Item, Items
from mediabox.native.tags.exif import read_exif
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.icc import describe_profile
from mediabox.native.tags.motion import box_motion, google_motion, samsung_motion
from mediabox.native.tags.movie import read_sequence
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.structure import box_damage
from mediabox.native.tags.xmp import read_xmp
from mediabox.native.xmp.packet import Packet

MAX_TOP_BOXES = 256
MAX_METADATA = 8  # items read; a file has an Exif and perhaps two XMP
MAX_EXIF_BYTES = 16 * 1024 * 1024
MAX_XMP_BYTES = 2 * 1024 * 1024
_METADATA_TYPES = (b"Exif", b"mime")


def read_heif(source: Source, found: Findings) -> None:
    """Take what the boxes and items say; what is cut or contradicts itself goes to `damage`."""
    top = list(islice(boxes(source), MAX_TOP_BOXES))
    found.damage.extend(box_damage(source, top))
    kinds = {box.type: box for box in top}
    if b"moov" in kinds:
        read_sequence(source, kinds[b"moov"], found)
    if b"meta" not in kinds:
        if b"moov" not in kinds:
            found.damage.append("the picture has no catalogue (meta)")
        return
    try:
        items = heif_items.read_items(source)
    except (Malformed, struct.error) as err:
        found.damage.append(f"the picture's catalogue is broken: {err}")
        return
    packet = _read_metadata(source, items, found)
    _read_primary(source, items, found)
    with Tolerant():
        _read_motion(source, kinds.get(b"mpvd"), packet, found)


def _read_metadata(source: Source, items: Items, found: Findings) -> Packet | None:
    """Exif, then XMP: what describes the primary picture, else what is there."""
    described = items.sources(items.primary, b"cdsc")
    metadata = [item for item in items.by_id.values() if item.type in _METADATA_TYPES]
    packet: Packet | None = None
    for item in sorted(metadata, key=lambda each: each.id not in described)[:MAX_METADATA]:
        with Tolerant():
            if item.type == b"Exif" and not found.times and found.make is None:
                read_exif(_exif_window(source, item), found)
            elif item.is_xmp and packet is None:
                packet = read_xmp(heif_items.item_bytes(source, item, limit=MAX_XMP_BYTES), found)
    return packet


def _exif_window(source: Source, item: Item) -> SubReader:
    """The TIFF structure inside an Exif item."""
    data = heif_items.item_bytes(source, item, limit=MAX_EXIF_BYTES)
    start = heif_items.exif_start(data)
    return SubReader(Held(data), start, len(data) - start)


def _read_primary(source: Source, items: Items, found: Findings) -> None:
    """Size, turn, depth and colour of the picture to show."""
    primary = items.by_id.get(items.primary)
    if primary is None:
        found.orientation = 1
        if found.width is None:
            found.damage.append("the file names no picture to show")
        return
    with Tolerant():
        found.width, found.height = _shown_size(primary)
    if heif_items.is_turned_by_boxes(primary) or found.media_type == "image/avif":
        found.orientation = heif_items.orientation_of(primary)
    tiles = items.targets(items.primary, b"dimg")
    coded = items.by_id.get(tiles[0], primary) if tiles else primary
    found.bit_depth = heif_items.bit_depth_of(primary) or heif_items.bit_depth_of(coded)
    _read_colour(primary, coded, found)
    found.hdr = heif_items.gain_map_of(items) or found.hdr
    cut = _cut_bytes(source, items, (primary.id, *tiles))
    if cut:
        found.damage.append(f"the picture's data ends {cut:,} bytes beyond the file")


def _shown_size(item: Item) -> tuple[int, int]:
    """The picture's size, or that of the clean aperture it is cropped to (`clap`, 14496-12, 12.1.4)."""
    width, height = heif_items.size_of(item)
    aperture = item.property(b"clap")
    if aperture is not None and len(aperture) >= 16:
        across, across_by, down, down_by = struct.unpack_from(">IIII", aperture)
        if across_by and down_by and 0 < across // across_by <= width and 0 < down // down_by <= height:
            return across // across_by, down // down_by
    return width, height


def _read_colour(primary: Item, coded: Item, found: Findings) -> None:
    for item in (primary, coded):
        profile = heif_items.icc_of(item)
        if profile is not None and found.color_profile is None:
            with Tolerant():
                found.color_profile = describe_profile(SubReader(Held(profile), 0, len(profile)))
    nclx = heif_items.nclx_of(primary) or heif_items.nclx_of(coded)
    if nclx is not None:
        found.color_profile = found.color_profile or f"{nclx.primaries}/{nclx.transfer}/{nclx.matrix}"
        found.hdr = found.hdr or HDR_OF.get(nclx.transfer)


def _cut_bytes(source: Source, items: Items, numbers: tuple[int, ...]) -> int:
    """How many bytes beyond the end of the file the data of these items would reach."""
    picked = (items.by_id[number] for number in set(numbers) if number in items.by_id)
    end = max((extent.offset + extent.length for item in picked for extent in item.extents), default=0)
    return max(0, end - source.size)


def _read_motion(source: Source, box: Box | None, packet: Packet | None, found: Findings) -> None:
    """Samsung's `mpvd` box or trailer; Google's XMP with `mpvd`, or with the video as the last bytes."""
    found.motion = samsung_motion(source, packet)
    if found.motion is None and packet is not None:
        found.motion = google_motion(packet, source, box)
    if found.motion is None and box is not None:
        found.motion = box_motion(box, source, maker="google" if found.make == "Google" else "samsung")
