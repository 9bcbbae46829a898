"""Say in an Exif block when and where a picture was taken, and leave everything else where it is.

Maker notes hold offsets that only their maker understands, so nothing that is there may
move: new directories and values are appended, and the header points to the new first
directory. What they replace stays behind, unread. Layout: TIFF 6.0, section 2; CIPA
DC-008 (Exif 3.0), section 4.6.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from mediabox.model.facts import CaptureTime, Place
from mediabox.native.boxes import Malformed
from mediabox.native.tags.tiff import MAX_ENTRIES

_EXIF, _GPS, _MODIFIED = 0x8769, 0x8825, 0x0132
_EXIF_VERSION, _ORIGINAL = 0x9000, 0x9003
_OFFSET, _OFFSET_ORIGINAL, _SUBSEC_ORIGINAL = 0x9010, 0x9011, 0x9291
_GPS_VERSION, _LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE = range(7)
_DATUM = 0x12

_BYTE, _ASCII, _LONG, _RATIONAL, _UNDEFINED = 1, 2, 4, 5, 7
_ROW: Final = 12
_WIDTHS: Final = {_BYTE: 1, _ASCII: 1, _LONG: 4, _RATIONAL: 8, _UNDEFINED: 1}
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
    tiff = _Block(block)
    main = tiff.directory(tiff.first)
    changes: dict[int, _Value | None] = {}
    if capture_time is not None:
        exif = tiff.sub(main, _EXIF)
        said = exif.changed(_time(capture_time, exif, main, tiff))
        changes[_EXIF] = tiff.pointer(tiff.append(said))
    if place is not None:
        said = tiff.sub(main, _GPS).changed(_place(place, tiff.endian))
        changes[_GPS] = tiff.pointer(tiff.append(said))
    tiff.begin_with(tiff.append(main.changed(changes)))
    return bytes(tiff.content)


class _Value(NamedTuple):
    """A value as it is to be stored, in the block's byte order."""

    form: int
    content: bytes


class _Directory(NamedTuple):
    """Its rows as stored, by tag; values that are to be appended with it; where the next directory is."""

    rows: dict[int, bytes]
    fresh: dict[int, _Value]
    link: int

    def changed(self, changes: "dict[int, _Value | None]") -> "_Directory":
        """With these tags set, or taken out where there is no value."""
        rows = {tag: row for tag, row in self.rows.items() if tag not in changes}
        return _Directory(rows, {tag: value for tag, value in changes.items() if value is not None}, self.link)


_NONE: Final = _Directory({}, {}, 0)


class _Block:
    """A TIFF structure that only grows. Raises Malformed when it does not start like one."""

    def __init__(self, block: bytes) -> None:
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
        if order is None or len(block) < 8:
            raise Malformed("the Exif block has no TIFF header")
        self.endian = order
        self.content = bytearray(block)
        (self.first,) = struct.unpack_from(order + "I", block, 4)

    def directory(self, at: int) -> _Directory:
        """The directory at this offset. Raises Malformed when it is not whole."""
        held = self.content
        if not 8 <= at <= len(held) - 2:
            raise Malformed(f"a directory at {at} of an Exif block of {len(held)} bytes")
        (count,) = struct.unpack_from(self.endian + "H", held, at)
        end = at + 2 + count * _ROW
        if count > MAX_ENTRIES or end > len(held):
            raise Malformed(f"a directory of {count} entries, cut")
        rows: dict[int, bytes] = {}
        for start in range(at + 2, end, _ROW):
            row = bytes(held[start : start + _ROW])
            (tag,) = struct.unpack_from(self.endian + "H", row)
            rows.setdefault(tag, row)
        link = struct.unpack_from(self.endian + "I", held, end)[0] if end + 4 <= len(held) else 0
        return _Directory(rows, {}, link)

    def sub(self, main: _Directory, tag: int) -> _Directory:
        """The directory a tag of the first one points to; an empty one when there is none."""
        row = main.rows.get(tag)
        if row is None:
            return _NONE
        return self.directory(struct.unpack_from(self.endian + "I", row, 8)[0])

    def text(self, directory: _Directory, tag: int) -> bytes | None:
        """A text's bytes up to its NUL; None when it is absent or not within the block."""
        row = directory.rows.get(tag)
        if row is None:
            return None
        form, count, at = struct.unpack_from(self.endian + "HII", row, 2)
        content = row[8 : 8 + count] if count <= 4 else bytes(self.content[at : at + count])
        return content.partition(b"\0")[0] if form == _ASCII else None

    def pointer(self, at: int) -> _Value:
        return _Value(_LONG, struct.pack(self.endian + "I", at))

    def append(self, directory: _Directory) -> int:
        """Write a directory and the values that go with it at the end; return where it is."""
        at = self._align()
        tags = sorted(directory.rows.keys() | directory.fresh.keys())
        values_at = at + 2 + len(tags) * _ROW + 4
        table, values = bytearray(struct.pack(self.endian + "H", len(tags))), bytearray()
        for tag in tags:
            value = directory.fresh.get(tag)
            table += directory.rows[tag] if value is None else self._row(tag, value, values_at, values)
        self.content += table + struct.pack(self.endian + "I", directory.link) + values
        return at

    def begin_with(self, at: int) -> None:
        """Make the directory at `at` the first."""
        struct.pack_into(self.endian + "I", self.content, 4, at)

    def _row(self, tag: int, value: _Value, values_at: int, values: bytearray) -> bytes:
        """A row; a value of more than four bytes goes to `values`, which will lie at `values_at`."""
        count = len(value.content) // _WIDTHS[value.form]
        head = struct.pack(self.endian + "HHI", tag, value.form, count)
        if len(value.content) <= 4:
            return head + value.content.ljust(4, b"\0")
        at = values_at + len(values)
        values += value.content + bytes(len(value.content) & 1)  # values begin on a word (TIFF 6.0, page 15)
        return head + struct.pack(self.endian + "I", at)

    def _align(self) -> int:
        self.content += bytes(len(self.content) & 1)
        return len(self.content)


# ---------------------------------------------------------------- what is said


def _time(taken: CaptureTime, exif: _Directory, main: _Directory, tiff: _Block) -> "dict[int, _Value | None]":
    date, _, clock = taken.local.partition("T")
    clock, _, fraction = clock.partition(".")
    said = f"{date.replace('-', ':')} {clock}".encode("ascii")
    zone = None if taken.offset_min is None else _text(_zone(taken.offset_min))
    changes: dict[int, _Value | None] = {
        _ORIGINAL: _text(said),
        _OFFSET_ORIGINAL: zone,
        _SUBSEC_ORIGINAL: _text(fraction.encode("ascii")) if fraction else None,
    }
    if not exif.rows:
        changes[_EXIF_VERSION] = _Value(_UNDEFINED, b"0232")
    # OffsetTime is the zone of DateTime, when the file was last changed: ours only if that is the same moment.
    if zone is not None and _OFFSET not in exif.rows and tiff.text(main, _MODIFIED) in (None, said):
        changes[_OFFSET] = zone
    return changes


def _zone(offset_min: int) -> bytes:
    hours, minutes = divmod(abs(offset_min), 60)
    return f"{'-' if offset_min < 0 else '+'}{hours:02}:{minutes:02}".encode("ascii")


def _place(place: Place, endian: str) -> "dict[int, _Value | None]":
    changes: dict[int, _Value | None] = {
        _GPS_VERSION: _Value(_BYTE, b"\x02\x03\0\0"),
        _LATITUDE_REF: _text(b"S" if place.latitude < 0 else b"N"),
        _LATITUDE: _rationals(_arc(place.latitude), endian),
        _LONGITUDE_REF: _text(b"W" if place.longitude < 0 else b"E"),
        _LONGITUDE: _rationals(_arc(place.longitude), endian),
        _ALTITUDE_REF: None,
        _ALTITUDE: None,
        _DATUM: _text(b"WGS-84"),
    }
    if place.altitude_m is not None:
        changes[_ALTITUDE_REF] = _Value(_BYTE, b"\x01" if place.altitude_m < 0 else b"\0")
        changes[_ALTITUDE] = _rationals([(round(abs(place.altitude_m) * 1000), 1000)], endian)
    return changes


def _arc(degrees: float) -> Iterator[tuple[int, int]]:
    """Degrees, minutes, seconds."""
    minutes, parts = divmod(round(abs(degrees) * 3600 * _SECOND_PARTS), 60 * _SECOND_PARTS)
    yield minutes // 60, 1
    yield minutes % 60, 1
    yield parts, _SECOND_PARTS


def _rationals(values: Iterable[tuple[int, int]], endian: str) -> _Value:
    return _Value(_RATIONAL, b"".join(struct.pack(endian + "II", above, below) for above, below in values))


def _text(content: bytes) -> _Value:
    return _Value(_ASCII, content + b"\0")
