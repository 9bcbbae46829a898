"""A sidecar record as XMP properties, and back.

Names and value types: XMP Specification Part 1 and 2 (Adobe, 2016; ISO 16684-1),
"Exif metadata for XMP" (CIPA DC-010-2020), IPTC Photo Metadata Standard 2022. Exif's
OffsetTime has no XMP property: the zone is part of the date (DC-010, A.2.4).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from mediabox.model.facts import Camera, CaptureTime, Place, TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mediabox.model.sidecar import SidecarRecord

NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "mediabox": "http://ns.mediabox.app/1.0/",
}


class Form(StrEnum):
    """How XMP writes a value."""

    TEXT = "text"
    SET = "Bag"
    LIST = "Seq"
    LANGUAGES = "Alt"


class Property(msgspec.Struct, frozen=True):
    """One property: `name` with its prefix (`xmp:Rating`) and its values, one unless the form is a set or list."""

    name: str
    form: Form
    values: tuple[str, ...]


class Unit(msgspec.Struct, frozen=True):
    """Properties that are changed together or not at all: an owner's latitude never stands beside our longitude.

    Whoever has one of the `leads` has said something about the unit.
    """

    names: tuple[str, ...]
    leads: tuple[str, ...]


TIMES = ("xmp:CreateDate", "photoshop:DateCreated", "exif:DateTimeOriginal")
_PLACES = (
    "exif:GPSLatitude", "exif:GPSLongitude", "exif:GPSAltitude", "exif:GPSAltitudeRef",
    "exif:GPSVersionID", "exif:GPSMapDatum",
)  # fmt: skip
_SINGLE = (
    "tiff:Make", "tiff:Model", "exifEX:LensModel", "exif:ExposureTime", "exif:FNumber",
    "exifEX:PhotographicSensitivity", "exif:FocalLength", "xmpMM:OriginalDocumentID", "xmpMM:PreservedFileName",
    "xmp:Rating", "dc:title", "dc:description", "dc:subject", "Iptc4xmpExt:PersonInImage", "lr:hierarchicalSubject",
)  # fmt: skip
# Every public property we write.
UNITS = (Unit(TIMES, TIMES), Unit(_PLACES, _PLACES[:2]), *(Unit((name,), (name,)) for name in _SINGLE))
FORMS = {
    "dc:title": Form.LANGUAGES,
    "dc:description": Form.LANGUAGES,
    "dc:subject": Form.SET,
    "Iptc4xmpExt:PersonInImage": Form.SET,
    "lr:hierarchicalSubject": Form.SET,
}

# XMP knows no albums. What photo programs really read is Lightroom's keyword tree, levels apart by `|`:
# Lightroom, darktable, digiKam, Immich, exiftool. So albums are a branch `Albums|Folder|Name` of it.
# digiKam:TagsList is left out: who reads that one first (digiKam, Immich) would see it instead of this.
# Programs take the tree for all of the keywords, so the plain ones are in it too, whenever there is a tree.
_ALBUMS = "Albums"
_LEVEL = "|"
# A favourite is five stars to programs, which is what osxphotos' `--favorite-rating` writes as well: XMP has no
# other word for it that any of them reads. A rating of the file's own is never touched; ours is mediabox:Favorite.
_FAVORITE_STARS = "5"

# What XML 1.0 cannot hold at all (2.2), not even escaped.
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_GPS = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])")
_DATE = re.compile(  # XMP Part 1, 8.2.1.2
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?(?:(Z)|([+-])(\d\d):(\d\d))?"
)
_PARTIAL = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")  # the same: a year, a month, a day


def possible(text: str) -> str:
    """`text` without what XML cannot hold."""
    return _IMPOSSIBLE.sub("", text) if _IMPOSSIBLE.search(text) else text


def escape(text: str) -> str:
    """`text` as XML character data; what XML cannot hold is left out."""
    return possible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def properties(record: SidecarRecord) -> Iterator[Property]:
    """The public properties of a record, those it has a value for. Without space around, which other programs trim."""
    for name, value in _texts(record):
        if value and (value := possible(value).strip()):
            yield Property(name, FORMS.get(name, Form.TEXT), (value,))
    for name, values in (
        ("dc:subject", record.keywords),
        ("Iptc4xmpExt:PersonInImage", record.people),
        ("lr:hierarchicalSubject", _tree(record)),
    ):
        if kept := tuple(dict.fromkeys(value for text in values if (value := possible(text).strip()))):
            yield Property(name, Form.SET, kept)


def _texts(record: SidecarRecord) -> Iterator[tuple[str, str | None]]:
    if record.capture_time:
        date = _date(record.capture_time)
        yield from ((name, date) for name in TIMES)
    if record.place:
        yield from _place(record.place)
    if record.camera:
        yield from _camera(record.camera)
    if record.members:
        primary = record.members[0]
        yield "xmpMM:OriginalDocumentID", f"xmp.did:{primary.sha256[:32]}"
        yield "xmpMM:PreservedFileName", primary.original_name
    yield "xmp:Rating", _rating(record)
    yield "dc:title", record.title
    yield "dc:description", record.caption


def _rating(record: SidecarRecord) -> str | None:
    if record.rating is not None:
        return str(record.rating)
    return _FAVORITE_STARS if record.is_favorite else None


def _tree(record: SidecarRecord) -> tuple[str, ...]:
    """The keyword tree; none without albums, because plain keywords need none."""
    if not record.albums:
        return ()
    albums = (_LEVEL.join((_ALBUMS, *(name.replace(_LEVEL, "/").strip() for name in path))) for path in record.albums)
    return (*(keyword.replace(_LEVEL, "/") for keyword in record.keywords), *albums)


def _albums(tree: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The branches that are albums."""
    paths = (tuple(entry.split(_LEVEL)) for entry in tree)
    return tuple(path[1:] for path in paths if path[0] == _ALBUMS and len(path) > 1)


def _date(time: CaptureTime) -> str:
    if time.offset_min is None:
        return time.local
    hours, minutes = divmod(abs(time.offset_min), 60)
    return f"{time.local}{'-' if time.offset_min < 0 else '+'}{hours:02}:{minutes:02}"


def _place(place: Place) -> Iterator[tuple[str, str]]:
    yield "exif:GPSVersionID", "2.3.0.0"
    yield "exif:GPSMapDatum", "WGS-84"
    yield "exif:GPSLatitude", _degrees(place.latitude, "NS")
    yield "exif:GPSLongitude", _degrees(place.longitude, "EW")
    if place.altitude_m is not None:
        yield "exif:GPSAltitude", f"{round(abs(place.altitude_m) * 1000)}/1000"
        yield "exif:GPSAltitudeRef", "1" if place.altitude_m < 0 else "0"


def _degrees(value: float, signs: str) -> str:
    """`48,8.51234567N`: degrees and minutes; 8 decimals of a minute are 0.02 mm."""
    degrees, minutes = divmod(round(abs(value) * 60, 8), 60)
    return f"{int(degrees)},{minutes:.8f}{signs[value < 0]}"


def _camera(camera: Camera) -> Iterator[tuple[str, str | None]]:
    yield "tiff:Make", camera.make
    yield "tiff:Model", camera.model
    yield "exifEX:LensModel", camera.lens
    yield "exif:ExposureTime", _exposure(camera.exposure_s)
    yield "exif:FNumber", _rational(camera.f_number)
    yield "exifEX:PhotographicSensitivity", None if camera.iso is None else str(camera.iso)
    yield "exif:FocalLength", _rational(camera.focal_length_mm)


def _exposure(seconds: float | None) -> str | None:
    """`1/250` as people say it where that is what it is."""
    if seconds is None or not 0 < seconds < 1 or abs(seconds * round(1 / seconds) - 1) > 0.001:
        return _rational(seconds, per=1_000_000)
    return f"1/{round(1 / seconds)}"


def _rational(value: float | None, *, per: int = 1000) -> str | None:
    return None if value is None else f"{round(value * per)}/{per}"


# ---------------------------------------------------------------- and back


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What the public properties of a packet say."""

    capture_time: CaptureTime | None
    place: Place | None
    camera: Camera | None
    rating: int | None
    title: str | None
    caption: str | None
    keywords: tuple[str, ...]
    people: tuple[str, ...]
    albums: tuple[tuple[str, ...], ...]


def read(values: Mapping[str, tuple[str, ...]], *, time_source: TimeSource) -> Read:
    """The record's part in public properties. What cannot be understood is as if it were absent."""

    def text(name: str) -> str | None:
        return next(iter(values.get(name, ())), None)

    times = (_read_date(text(name), time_source) for name in reversed(TIMES))
    camera = Camera(
        make=text("tiff:Make"),
        model=text("tiff:Model"),
        lens=text("exifEX:LensModel"),
        exposure_s=_read_rational(text("exif:ExposureTime")),
        f_number=_read_rational(text("exif:FNumber")),
        iso=_read_integer(text("exifEX:PhotographicSensitivity")),
        focal_length_mm=_read_rational(text("exif:FocalLength")),
    )
    return Read(
        capture_time=next((time for time in times if time), None),
        place=_read_place(values),
        camera=None if camera == Camera() else camera,
        rating=_read_integer(text("xmp:Rating")),
        title=text("dc:title"),
        caption=text("dc:description"),
        keywords=values.get("dc:subject", ()),
        people=values.get("Iptc4xmpExt:PersonInImage", ()),
        albums=_albums(values.get("lr:hierarchicalSubject", ())),
    )


def _read_date(text: str | None, source: TimeSource) -> CaptureTime | None:
    if _PARTIAL.fullmatch(text or ""):
        return CaptureTime(local=text or "", source=source)
    found = _DATE.fullmatch(text or "")
    if found is None:
        return None
    offset = None
    if found[3]:
        offset = 0
    elif found[4]:
        offset = (-1 if found[4] == "-" else 1) * (int(found[5]) * 60 + int(found[6]))
    return CaptureTime(local=found[1] + (found[2] or ":00"), offset_min=offset, source=source)


def _read_place(values: Mapping[str, tuple[str, ...]]) -> Place | None:
    latitude, longitude = (_read_degrees(values.get(name)) for name in _PLACES[:2])
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    altitude = _read_rational(next(iter(values.get("exif:GPSAltitude", ())), None))
    if altitude is not None and values.get("exif:GPSAltitudeRef") == ("1",):
        altitude = -altitude
    return Place(latitude=latitude, longitude=longitude, altitude_m=altitude)


def _read_degrees(values: tuple[str, ...] | None) -> float | None:
    found = _GPS.fullmatch(values[0]) if values else None
    if found is None:
        return None
    degrees = int(found[1]) + float(found[2]) / 60 + float(found[3] or 0) / 3600
    return -degrees if found[4] in "SW" else degrees


def _read_rational(text: str | None) -> float | None:
    over, _, under = (text or "").partition("/")
    try:
        return float(over) / float(under or 1)
    except (ValueError, ZeroDivisionError):
        return None


def _read_integer(text: str | None) -> int | None:
    value = _read_rational(text)  # digiKam writes 3, some write 3.0
    return None if value is None or not abs(value) < 1e9 else int(value)
