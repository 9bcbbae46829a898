"""What an Exif block says: camera, exposure, time, place (CIPA DC-008, Exif 3.0)."""

from datetime import datetime

from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.native.boxes import Source
from mediabox.native.tags import gps
from mediabox.native.tags.apple import read_apple_note
from mediabox.native.tags.dates import (
    Moment,
    candidate,
    moment,
    offset,
    offset_between,
    utc_candidate,
    with_subseconds,
)
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.tiff import Directory, Tiff

_DESCRIPTION, _MAKE, _MODEL, _ORIENTATION, _SOFTWARE, _MODIFIED = 0x010E, 0x010F, 0x0110, 0x0112, 0x0131, 0x0132
_RATING, _EXIF, _GPS, _XP_TITLE, _XP_KEYWORDS = 0x4746, 0x8769, 0x8825, 0x9C9B, 0x9C9E
_EXPOSURE, _F_NUMBER, _ISO, _FOCAL, _MAKER_NOTE = 0x829A, 0x829D, 0x8827, 0x920A, 0x927C
_SPEED_TAGS = (0x8831, 0x8832, 0x8833)  # StandardOutputSensitivity, RecommendedExposureIndex, ISOSpeed
_ORIGINAL, _DIGITIZED = 0x9003, 0x9004
_OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
_SUBSEC, _SUBSEC_ORIGINAL, _SUBSEC_DIGITIZED = 0x9290, 0x9291, 0x9292
_LENS_MODEL = 0xA434
_JPEG_PREFIX = b"Exif\0\0"  # which some keep where it does not belong
_ISO_SATURATED = 65535  # 16 bit are not enough above: Exif 2.3 says to look at the speed tags

# What cameras write as the description of every picture: says nothing about this one.
_BOILERPLATE = frozenset(
    {"OLYMPUS DIGITAL CAMERA", "SONY DSC", "KODAK Digital Still Camera", "Exif_JPEG_PICTURE", "Default", "DCIM"}
    | {"MINOLTA DIGITAL CAMERA", "SAMSUNG DIGITAL CAMERA", "DIGITAL CAMERA", "oznor", "hdr", "dav", "cof", "rhdr"}
)


def read_exif(source: Source, found: Findings) -> None:
    """Take everything from the Exif block that fills `source`. Raises Malformed when it does not start like one."""
    if source.bytes(0, min(6, source.size)) == _JPEG_PREFIX:
        source = SubReader(source, 6, source.size - 6)
    tiff = Tiff(source)
    read_directories(tiff.directory(tiff.first), found)


def read_directories(
    main: Directory, found: Findings, exif: Directory | None = None, where: Directory | None = None
) -> None:
    """Take what the main directory says, Exif's and that of places: these, or those it points to."""
    _read_main(main, found)
    exif, where = exif or main.sub(_EXIF), where or main.sub(_GPS)
    found.exif = found.exif or (main, exif, where)
    _read_shot(exif, main, found)
    with Tolerant():
        _read_times(exif, main, where, found)
    if where is not None:
        with Tolerant():
            found.place = found.place or gps.place_of(where)


def _read_shot(exif: Directory | None, main: Directory, found: Findings) -> None:
    """Take exposure, lens and the maker's note. Raw files without an Exif directory keep these in the main one."""
    directory = main if exif is None else exif
    found.exposure_s = found.exposure_s or directory.number(_EXPOSURE)
    found.f_number = found.f_number or directory.number(_F_NUMBER)
    found.focal_length_mm = found.focal_length_mm or directory.number(_FOCAL)
    found.iso = found.iso or _iso(directory)
    found.lens = found.lens or directory.text(_LENS_MODEL)
    note = directory.window(_MAKER_NOTE) if found.make == "Apple" else None
    if note is not None:
        with Tolerant():
            read_apple_note(note, found)


def _read_times(exif: Directory | None, main: Directory, where: Directory | None, found: Findings) -> None:
    """Add what the block says of time: when shot, with its zone if it can be known, and when it was last changed."""
    fix = None
    if where is not None:
        with Tolerant():
            fix = gps.instant_of(where)
    if fix is not None:
        found.times.append(utc_candidate(fix, TimeSource.GPS_UTC))
    zone = _text(_OFFSET, exif, main)
    taken = _moment(_ORIGINAL, _SUBSEC_ORIGINAL, exif, main)
    digitized = _moment(_DIGITIZED, _SUBSEC_DIGITIZED, exif, main)
    if taken is not None:
        found.times.append(_shot(taken, _text(_OFFSET_ORIGINAL, exif, main) or zone, fix))
        if digitized is not None:  # of a shot with an unset clock it may be the better one
            found.times.append(candidate(digitized, TimeSource.EXIF_MODIFIED))
    elif digitized is not None:
        found.times.append(_shot(digitized, _text(_OFFSET_DIGITIZED, exif, main) or zone, fix))
    changed = _moment(_MODIFIED, _SUBSEC, main, exif)
    if changed is not None:
        found.times.append(candidate(changed, TimeSource.EXIF_MODIFIED, offset(zone)))


def _shot(taken: Moment, zone: str, fix: datetime | None) -> CaptureTime:
    """The time with its zone: as it is written, else as it follows from the fix, else unknown."""
    offset_min = taken.offset_min if taken.offset_min is not None else offset(zone)
    if taken.known:
        return candidate(taken, TimeSource.EXIF_LOCAL)
    if offset_min is not None:
        return candidate(taken, TimeSource.EXIF_OFFSET, offset_min)
    east = None if fix is None else offset_between(taken.local, fix.replace(tzinfo=None))
    return candidate(taken, TimeSource.EXIF_LOCAL if east is None else TimeSource.EXIF_GPS, east)


def _read_main(main: Directory, found: Findings) -> None:
    found.make = found.make or main.text(_MAKE)
    found.model = found.model or main.text(_MODEL)
    found.software = found.software or main.text(_SOFTWARE)
    orientation = main.whole(_ORIENTATION)
    if orientation is not None and 1 <= orientation <= 8:
        found.orientation = orientation
    rating = main.whole(_RATING)
    if rating is not None:
        found.rate(rating)
    described = main.text(_DESCRIPTION)
    if described and described not in _BOILERPLATE:
        found.caption = described
    found.title = _wide(main, _XP_TITLE) or found.title
    found.add_keywords(*(_wide(main, _XP_KEYWORDS) or "").split(";"))


def _iso(directory: Directory) -> int | None:
    speed = directory.whole(_ISO)
    if speed is not None and 0 < speed < _ISO_SATURATED:
        return speed
    return next((value for tag in _SPEED_TAGS if (value := directory.whole(tag)) and value < 1 << 30), None)


def _text(tag: int, *directories: Directory | None) -> str:
    """The first text a tag has: some writers put into the main directory what belongs into Exif's."""
    has_it = (each for each in directories if each is not None and tag in each)
    return next((text for each in has_it if (text := each.text(tag))), "")


def _moment(tag: int, subsec_tag: int, *directories: Directory | None) -> Moment | None:
    for each in directories:
        if each is not None and tag in each and (taken := moment(each.text(tag) or "")) is not None:
            return with_subseconds(taken, _text(subsec_tag, *directories))
    return None


def _wide(directory: Directory, tag: int) -> str | None:
    """Windows Explorer's own tags are UTF-16, little endian whatever the block is."""
    raw = directory.raw(tag)
    return raw.decode("utf-16-le", "replace").split("\0", 1)[0].strip() or None if raw else None
