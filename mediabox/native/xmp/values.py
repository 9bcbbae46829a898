"""A sidecar record as XMP properties. Pure: the daemon composes sidecars.

Names and value types: XMP Specification Part 1 and 2 (Adobe, 2016; ISO 16684-1),
"Exif metadata for XMP" (CIPA DC-010-2020), IPTC Photo Metadata Standard 2022. Exif's
OffsetTime has no XMP property: the zone is part of the date (DC-010, A.2.4).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediabox.model.facts import Camera, CaptureTime
    from mediabox.model.place import Place
    from mediabox.model.sidecar import SidecarRecord


class XmpForm(StrEnum):
    """How XMP writes a value."""

    TEXT = "text"
    SET = "Bag"
    LANGUAGES = "Alt"


class XmpProperty(msgspec.Struct, frozen=True):
    """One property: `name` with its prefix (`xmp:Rating`) and its values, one unless the form is a set or list."""

    name: str
    form: XmpForm
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
    "dc:title": XmpForm.LANGUAGES,
    "dc:description": XmpForm.LANGUAGES,
    "dc:subject": XmpForm.SET,
    "Iptc4xmpExt:PersonInImage": XmpForm.SET,
    "lr:hierarchicalSubject": XmpForm.SET,
}

# XMP knows no albums. What photo programs really read is Lightroom's keyword tree, levels apart by `|`:
# Lightroom, darktable, digiKam, Immich, exiftool. So albums are a branch `Albums|Folder|Name` of it.
# digiKam:TagsList is left out: who reads that one first (digiKam, Immich) would see it instead of this.
# Programs take the tree for all of the keywords, so the plain ones are in it too, whenever there is a tree.
ALBUMS, LEVEL = "Albums", "|"
# A favourite is five stars to programs, which is what osxphotos' `--favorite-rating` writes as well: XMP has no
# other word for it that any of them reads. A rating of the file's own is never touched; ours is mediabox:Favorite.
_FAVORITE_STARS = "5"

# What XML 1.0 cannot hold at all (2.2), not even escaped.
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def possible(text: str) -> str:
    """`text` without what XML cannot hold."""
    return _IMPOSSIBLE.sub("", text) if _IMPOSSIBLE.search(text) else text


def escape(text: str) -> str:
    """`text` as XML character data; what XML cannot hold is left out."""
    return possible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def properties(record: SidecarRecord) -> Iterator[XmpProperty]:
    """The public properties of a record, those it has a value for. Without space around, which other programs trim."""
    for name, value in _texts(record):
        if value and (value := possible(value).strip()):
            yield XmpProperty(name, FORMS.get(name, XmpForm.TEXT), (value,))
    for name, values in (
        ("dc:subject", record.keywords),
        ("Iptc4xmpExt:PersonInImage", record.people),
        ("lr:hierarchicalSubject", _tree(record)),
    ):
        if kept := tuple(dict.fromkeys(value for text in values if (value := possible(text).strip()))):
            yield XmpProperty(name, XmpForm.SET, kept)


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
    albums = (LEVEL.join((ALBUMS, *(name.replace(LEVEL, "/").strip() for name in path))) for path in record.albums)
    return (*(keyword.replace(LEVEL, "/") for keyword in record.keywords), *albums)


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
