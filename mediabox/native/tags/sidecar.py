"""What a file beside a picture says of it: XMP, Apple's adjustments (AAE), Google Takeout's JSON."""

from datetime import UTC, datetime

import msgspec

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags import gps
from mediabox.native.tags.dates import utc_candidate
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.text import clean
from mediabox.native.tags.xmp import read_xmp

MAX_SIDECAR_BYTES = 2 * 1024 * 1024


class _TakenTime(msgspec.Struct, frozen=True):
    timestamp: str = "0"  # Unix seconds, as a string


class _Position(msgspec.Struct, frozen=True):
    latitude: float = 0.0
    longitude: float = 0.0
    altitude: float = 0.0


class _Person(msgspec.Struct, frozen=True):
    name: str = ""


class _Takeout(msgspec.Struct, frozen=True, rename="camel"):
    """What we know of Google Takeout's JSON: `geo_data` is what Google shows, `geo_data_exif` what was in the file."""

    title: str = ""
    description: str = ""
    photo_taken_time: _TakenTime = _TakenTime()
    geo_data: _Position = _Position()
    geo_data_exif: _Position = _Position()
    people: list[_Person] = []
    favorited: bool = False


def read_sidecar(source: Source, found: Findings) -> None:
    """Take what the sidecar says; one that is too long or broken says so in `damage`."""
    if source.size > MAX_SIDECAR_BYTES:
        found.damage.append(f"the sidecar has {source.size:,} bytes; {MAX_SIDECAR_BYTES:,} at most are read")
        return
    content = source.bytes(0, source.size)
    try:
        match found.media_type:
            case "application/json":
                _take_takeout(msgspec.json.decode(content, type=_Takeout), found)
            case "application/x-plist":
                _take_adjustment(content, found)
            case _:
                read_xmp(content, found)
    except (Malformed, msgspec.MsgspecError, ValueError, RecursionError) as err:
        found.damage.append(f"the sidecar cannot be read: {err}")


def _take_takeout(told: _Takeout, found: Findings) -> None:
    found.title, found.caption = clean(told.title), clean(told.description)
    seconds = told.photo_taken_time.timestamp
    if seconds.removeprefix("-").isdigit() and seconds.isascii() and int(seconds[:12]) != 0:
        found.times.append(utc_candidate(datetime.fromtimestamp(int(seconds[:12]), UTC), TimeSource.TAKEOUT))
    for at in (told.geo_data, told.geo_data_exif):
        # Google writes 0 for an altitude it does not know, as it does for the position.
        found.place = found.place or gps.position(at.latitude, at.longitude, at.altitude or None)
    found.add_people(*(person.name for person in told.people))
    found.is_favorite = told.favorited


def _take_adjustment(content: bytes, found: Findings) -> None:
    """Apple's edit: which program made it. The edit itself means something to that program only."""
    import plistlib  # rare, and 5 ms to load
    from xml.parsers.expat import ExpatError

    try:
        told = plistlib.loads(content)
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, AttributeError, LookupError) as err:
        raise Malformed(f"no property list: {type(err).__name__}") from err
    except (OverflowError, RecursionError, MemoryError) as err:  # a binary list nested or sized beyond reason
        raise Malformed(f"no sound property list: {type(err).__name__}") from err
    if not isinstance(told, dict):
        raise Malformed("no adjustment: not a dictionary")
    editor = told.get("adjustmentEditorBundleID") or told.get("adjustmentFormatIdentifier")
    found.software = clean(editor) if isinstance(editor, str) else None
