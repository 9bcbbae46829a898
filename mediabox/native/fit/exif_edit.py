"""Say in an Exif block when and where a picture was taken, and leave everything else where it is.

Maker notes hold offsets that only their maker understands, so nothing that is there may
move: new directories and values are appended, and the header points to the new first
directory. What they replace stays behind, unread. Layout: TIFF 6.0, section 2; CIPA
DC-008 (Exif 3.0), section 4.6.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from mediabox.model.facts import CaptureTime
from mediabox.model.place import Place
from mediabox.native.boxes import Held, Malformed
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.tiff import WIDTHS, Directory, Tiff

_EXIF, _GPS, _MODIFIED = 0x8769, 0x8825, 0x0132
_EXIF_VERSION, _ORIGINAL = 0x9000, 0x9003
_OFFSET, _OFFSET_ORIGINAL, _SUBSEC_ORIGINAL = 0x9010, 0x9011, 0x9291
_GPS_VERSION, _LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE = range(7)
_DATUM = 0x12

_BYTE, _ASCII, _LONG, _RATIONAL, _UNDEFINED = 1, 2, 4, 5, 7
_ROW: Final = 12
_SECOND_PARTS: Final = 100_000  # of a second of arc: 0.3 mm on the ground
_EMPTY_BLOCK: Final = b"II*\0\x08\0\0\0" + bytes(6)  # a first directory without entries


def with_time_and_place(block: bytes, capture_time: CaptureTime | None, place: Place | None) -> bytes:
    """The block that says these; None leaves as it is.

    It begins with the TIFF header, not with JPEG's own prefix; b"" makes a new one. A zone,
    fractions of a second or a height that are not known are taken out, so that no old one
    stands beside the new words. Raises Malformed for a block that is not whole.
    """
    if capture_time is None and place is None:
        return block
    block = block or _EMPTY_BLOCK
    if block[:4] not in (b"II*\0", b"MM\0*"):
        raise Malformed("the Exif block has no TIFF header")
    tiff = Tiff(SubReader(Held(block), 0, len(block)))
    main = tiff.directory(tiff.first)
    content, number = bytearray(block), tiff.endian + "I"

    def append(old: Directory | None, changes: _Changes) -> bytes:
        """Write a directory and its new values at the end; return where it is, as stored."""
        content.extend(bytes(len(content) & 1))
        at = struct.pack(number, len(content))
        content.extend(_changed(old, changes, len(content), tiff.endian))
        return at

    changes: _Changes = {}
    if capture_time is not None:
        exif = _sub(tiff, main, _EXIF)
        changes[_EXIF] = Value(_LONG, append(exif, _time(capture_time, exif, main)))
    if place is not None:
        changes[_GPS] = Value(_LONG, append(_sub(tiff, main, _GPS), _place(place, tiff.endian)))
    content[4:8] = append(main, changes)
    return bytes(content)


class Value(NamedTuple):
    """A value as it is to be stored: field type, and bytes in the block's byte order."""

    form: int
    content: bytes


_Changes = dict[int, Value | None]  # None takes a tag out


def directory_bytes(entries: Mapping[int, Value | bytes], at: int, endian: str, link: int = 0) -> bytes:
    """A directory that will lie at `at`, and its longer values behind it. A row as stored (`bytes`) stays as it is.

    `link`: where the next one is. Raises Malformed for a value that is not a whole number of its type.
    """
    values_at = at + 2 + _ROW * len(entries) + 4
    rows, values = bytearray(struct.pack(endian + "H", len(entries))), bytearray()
    for tag, entry in sorted(entries.items()):
        if isinstance(entry, bytes):
            rows += entry
            continue
        width = WIDTHS.get(entry.form)
        if width is None or len(entry.content) % width:
            raise Malformed(f"tag {tag:#06x} has {len(entry.content)} bytes of type {entry.form}")
        rows += struct.pack(endian + "HHI", tag, entry.form, len(entry.content) // width)
        if len(entry.content) <= 4:
            rows += entry.content.ljust(4, b"\0")
        else:
            rows += struct.pack(endian + "I", values_at + len(values))
            values += entry.content + bytes(len(entry.content) & 1)  # values begin on a word (TIFF 6.0, page 15)
    return bytes(rows + struct.pack(endian + "I", link) + values)


def _sub(tiff: Tiff, main: Directory, tag: int) -> Directory | None:
    """The directory a tag points to; None when there is none. Raises Malformed for one that is broken."""
    at = main.whole(tag)
    return None if at is None else tiff.directory(at)


def _changed(old: Directory | None, changes: _Changes, at: int, endian: str) -> bytes:
    rows = {} if old is None else old.rows()
    entries: dict[int, Value | bytes] = {tag: row for tag, row in rows.items() if tag not in changes}
    entries |= {tag: value for tag, value in changes.items() if value is not None}
    return directory_bytes(entries, at, endian, 0 if old is None else old.next)


# ---------------------------------------------------------------- what is said


def _time(taken: CaptureTime, exif: Directory | None, main: Directory) -> _Changes:
    date, _, clock = taken.local.partition("T")
    clock, _, fraction = clock.partition(".")
    said = f"{date.replace('-', ':')} {clock}"
    zone = None if taken.offset_min is None else _text(_zone(taken.offset_min))
    changes: _Changes = {
        _ORIGINAL: _text(said.encode("ascii")),
        _OFFSET_ORIGINAL: zone,
        _SUBSEC_ORIGINAL: _text(fraction.encode("ascii")) if fraction else None,
    }
    if exif is None or not exif.tags():
        changes[_EXIF_VERSION] = Value(_UNDEFINED, b"0232")
    # OffsetTime is the zone of DateTime, when the file was last changed: ours only if that is the same moment.
    if zone is not None and (exif is None or _OFFSET not in exif) and main.text(_MODIFIED) in (None, said):
        changes[_OFFSET] = zone
    return changes


def _zone(offset_min: int) -> bytes:
    hours, minutes = divmod(abs(offset_min), 60)
    return f"{'-' if offset_min < 0 else '+'}{hours:02}:{minutes:02}".encode("ascii")


def _place(place: Place, endian: str) -> _Changes:
    changes: _Changes = {
        _GPS_VERSION: Value(_BYTE, b"\x02\x03\0\0"),
        _LATITUDE_REF: _text(b"S" if place.latitude < 0 else b"N"),
        _LATITUDE: _rationals(_arc(place.latitude), endian),
        _LONGITUDE_REF: _text(b"W" if place.longitude < 0 else b"E"),
        _LONGITUDE: _rationals(_arc(place.longitude), endian),
        _ALTITUDE_REF: None,
        _ALTITUDE: None,
        _DATUM: _text(b"WGS-84"),
    }
    if place.altitude_m is not None:
        changes[_ALTITUDE_REF] = Value(_BYTE, b"\x01" if place.altitude_m < 0 else b"\0")
        changes[_ALTITUDE] = _rationals([(round(abs(place.altitude_m) * 1000), 1000)], endian)
    return changes


def _arc(degrees: float) -> Iterator[tuple[int, int]]:
    """Degrees, minutes, seconds."""
    minutes, parts = divmod(round(abs(degrees) * 3600 * _SECOND_PARTS), 60 * _SECOND_PARTS)
    yield minutes // 60, 1
    yield minutes % 60, 1
    yield parts, _SECOND_PARTS


def _rationals(values: Iterable[tuple[int, int]], endian: str) -> Value:
    return Value(_RATIONAL, b"".join(struct.pack(endian + "II", above, below) for above, below in values))


def _text(content: bytes) -> Value:
    return Value(_ASCII, content + b"\0")
