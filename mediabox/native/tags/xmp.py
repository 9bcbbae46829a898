"""What an XMP packet says of its picture (Adobe XMP part 2, IPTC, MWG regions, Microsoft people tags)."""

import re
from collections.abc import Callable

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Source
from mediabox.native.tags import gps
from mediabox.native.tags.dates import Moment, candidate, moment
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.text import clean
from mediabox.native.xmp.names import qualified
from mediabox.native.xmp.packet import MAX_PACKET_BYTES, Packet, parse

MAX_PACKETS = 4  # in one file: parsing is the dearest thing here, and the first packet is the file's own
_FIXES = ("exif:GPSTimeStamp", "exif:GPSDateTime")  # the standard's name; what some write
_DATES = (
    "exif:DateTimeOriginal",
    "photoshop:DateCreated",
    "xmp:CreateDate",
    "exif:DateTimeDigitized",
    "dc:date",
)  # best first
_CHANGES = ("xmp:ModifyDate", "tiff:DateTime", "xmp:MetadataDate")
_FACE, _NAME = qualified("mwg-rs:Type"), qualified("mwg-rs:Name")
_FACES = (None, "", "Face", "face")
_MICROSOFT_NAME = qualified("MPReg:PersonDisplayName")
_DEGREES = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?(?:,(\d{1,2}(?:\.\d+)?))?\s*([NSEWnsew])")


def no_extension() -> bytes:
    """What formats without extended XMP have of it."""
    return b""


def read_xmp(packet: bytes, found: Findings, *, extended: Callable[[], bytes] = no_extension) -> Packet | None:
    """Take what the packet says; hand it back for what depends on the file around it (motion photos).

    `extended` gives a JPEG's second packet, asked for only when the first names it.
    Raises Malformed for what is no XMP.
    """
    found.packets += 1
    if found.packets > MAX_PACKETS:
        return None
    main = parse(packet)
    if main is not None:
        take(main, found)
    if b"HasExtendedXMP" in packet:
        more = parse(extended())
        if more is not None:
            take(more, found)
    return main


def read_xmp_in(part: Source, found: Findings) -> None:
    """Take what the packet says that fills `part`; of one that is too long nothing. Raises Malformed for no XMP."""
    read_xmp(part.bytes(0, part.size) if part.size <= MAX_PACKET_BYTES else b"", found)


def take(packet: Packet, found: Findings) -> None:
    """Take what a person or their programs wrote about the picture."""
    rating = packet.text("xmp:Rating")
    if rating is not None and re.fullmatch(r"-?[0-9](\.[0-9]+)?", rating):
        found.rate(float(rating))
    found.title = clean(packet.text("dc:title") or "") or found.title
    found.caption = clean(packet.text("dc:description") or "") or found.caption
    found.add_keywords(*packet.texts("dc:subject"))
    found.add_people(*_people(packet))
    found.place = found.place or gps.position(*coordinates(packet))
    if (shot := taken(packet)) is not None:
        found.times.append(candidate(shot, TimeSource.XMP))
    if (change := taken(packet, _CHANGES)) is not None:
        found.times.append(candidate(change, TimeSource.EXIF_MODIFIED))
    if (fix := taken(packet, _FIXES)) is not None:
        found.times.append(candidate(fix, TimeSource.GPS_UTC, 0))


def taken(packet: Packet, names: tuple[str, ...] = _DATES) -> Moment | None:
    """The first of these properties that is a date."""
    return next((at for name in names if (at := moment(packet.text(name) or ""))), None)


def coordinates(packet: Packet) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude and altitude in metres, as far as they are told; any number."""
    altitude = fraction(packet.text("exif:GPSAltitude"))
    if altitude is not None and packet.text("exif:GPSAltitudeRef") == "1":
        altitude = -altitude
    latitude, longitude = packet.text("exif:GPSLatitude"), packet.text("exif:GPSLongitude")
    return _degrees(latitude or ""), _degrees(longitude or ""), altitude


def fraction(text: str | None) -> float | None:
    """`7/2`, `3` or `3.5` (XMP part 2, 1.2.2.3, and what others write); None for what is no number."""
    found = re.fullmatch(r"(-?[0-9]{1,12}(?:\.[0-9]{1,12})?)(?:/([0-9]{1,12}))?", text or "")
    below = int(found[2] or 1) if found else 0
    return float(found[1]) / below if found and below else None


def _people(packet: Packet) -> list[str]:
    regions = [region for region in packet.structures("mwg-rs:Regions") if region.get(_FACE) in _FACES]
    tagged = [region.get(_MICROSOFT_NAME, "") for region in packet.structures("MP:RegionInfo")]
    return [*packet.texts("Iptc4xmpExt:PersonInImage"), *(region.get(_NAME, "") for region in regions), *tagged]


def _degrees(text: str) -> float | None:
    """`46,30.5N` or `46,30,30N` (XMP part 2, GPSCoordinate)."""
    found = _DEGREES.match(text)
    if found is None:
        return None
    degrees = float(found[1]) + float(found[2] or 0) / 60 + float(found[3] or 0) / 3600
    return -degrees if found[4] in "SsWw" else degrees
