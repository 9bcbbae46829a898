"""What an XMP packet says of its picture (Adobe XMP part 2, IPTC, MWG regions, Microsoft people tags)."""

import re
from collections.abc import Callable

from mediabox.model.facts import Place, TimeSource
from mediabox.native.tags import gps
from mediabox.native.tags.dates import candidate, moment
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.xmp_packet import Packet, parse

MAX_PACKETS = 4  # in one file: parsing is the dearest thing here, and the first packet is the file's own
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_IPTC_EXT = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_REGIONS = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_MICROSOFT_REGIONS = "{http://ns.microsoft.com/photo/1.2/}RegionInfo"
_MICROSOFT_NAME = "{http://ns.microsoft.com/photo/1.2/t/Region#}PersonDisplayName"

_FIXES = (_EXIF + "GPSTimeStamp", _EXIF + "GPSDateTime")  # the standard's name; what some write
_DATES = (_EXIF + "DateTimeOriginal", _PHOTOSHOP + "DateCreated", _XMP + "CreateDate")  # best first
_FACES = (None, "Face", "face")
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


def take(packet: Packet, found: Findings) -> None:
    """Take what a person or their programs wrote about the picture."""
    rating = packet.text(_XMP + "Rating")
    if rating is not None and re.fullmatch(r"-?[0-9](\.[0-9]+)?", rating):
        found.rate(float(rating))
    found.title = packet.text(_DC + "title") or found.title
    found.caption = packet.text(_DC + "description") or found.caption
    found.add_keywords(*packet.texts(_DC + "subject"))
    found.add_people(*_people(packet))
    found.place = found.place or _place(packet)
    for names, source in ((_DATES, TimeSource.XMP), (_FIXES, TimeSource.GPS_UTC)):
        taken = next((at for name in names if (at := moment(packet.text(name) or ""))), None)
        if taken is not None:
            found.times.append(candidate(taken, source, 0 if source is TimeSource.GPS_UTC else None))


def _people(packet: Packet) -> list[str]:
    names = packet.texts(_IPTC_EXT + "PersonInImage")
    for region in packet.structures(_REGIONS + "Regions"):
        if region.get(_REGIONS + "Type") in _FACES:
            names.append(region.get(_REGIONS + "Name", ""))
    names += [region.get(_MICROSOFT_NAME, "") for region in packet.structures(_MICROSOFT_REGIONS)]
    return names


def _place(packet: Packet) -> Place | None:
    altitude = _fraction(packet.text(_EXIF + "GPSAltitude") or "")
    if altitude is not None and packet.text(_EXIF + "GPSAltitudeRef") == "1":
        altitude = -altitude
    latitude, longitude = packet.text(_EXIF + "GPSLatitude"), packet.text(_EXIF + "GPSLongitude")
    return gps.position(_degrees(latitude or ""), _degrees(longitude or ""), altitude)


def _degrees(text: str) -> float | None:
    """`46,30.5N` or `46,30,30N` (XMP part 2, GPSCoordinate)."""
    found = _DEGREES.match(text)
    if found is None:
        return None
    degrees = float(found[1]) + float(found[2] or 0) / 60 + float(found[3] or 0) / 3600
    return -degrees if found[4] in "SsWw" else degrees


def _fraction(text: str) -> float | None:
    found = re.fullmatch(r"([0-9]{1,12})/([0-9]{1,12})", text)
    return int(found[1]) / int(found[2]) if found and int(found[2]) else None
