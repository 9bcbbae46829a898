"""The Exif block of a converted still: the source's own tags, put together anew.

Taken over is what describes the shot; left behind is what described the old file: where
its strips and its thumbnail lay, how it was compressed. Maker notes hold offsets: those
whose offsets count from the note itself are kept, the others would only be rubble.
Layout: TIFF 6.0, section 2; CIPA DC-008 (Exif 3.0), section 4.6. Notes: ExifTool, MakerNotes.pm.
"""

import struct
from typing import Final, NamedTuple

from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.native.encode.shot_at import ShotAt
from mediabox.native.fit.exif_edit import Value, directory_bytes, with_time_and_place
from mediabox.native.fit.unfit import Unfit
from mediabox.native.tags.tiff import WIDTHS, Directory

LARGEST: Final = 65_533 - 6  # bytes; a JPEG segment with its length and `Exif\0\0`

_MAKE, _MODEL, _ORIENTATION, _SOFTWARE = 0x010F, 0x0110, 0x0112, 0x0131
_EXIF, _GPS, _INTEROPERABILITY, _NOTE = 0x8769, 0x8825, 0xA005, 0x927C
_VERSION, _WIDTH, _HEIGHT = 0x9000, 0xA002, 0xA003
_MAIN: Final = frozenset((
    0x010D, 0x010E, _MAKE, _MODEL, 0x011A, 0x011B, 0x0128, _SOFTWARE, 0x0132, 0x013B, 0x013C, 0x8298,
    0x4746, 0x4749, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F,
))  # fmt: skip
# Raw files of old cameras keep what belongs into the Exif directory in the main one.
_SHOT: Final = frozenset((0x829A, 0x829D, 0x8822, 0x8827, 0x9003, 0x9004, 0x9201, 0x9202, 0x9207, 0x9209, 0x920A))
_NOT_OURS: Final = frozenset((_NOTE, _INTEROPERABILITY, 0xEA1C))  # padding
_NOTES_THAT_MOVE: Final = (
    b"Apple iOS\0",
    b"Nikon\0\2",
    b"FUJIFILM",
    b"OLYMPUS\0II",
    b"OM SYSTEM\0",
    b"LEICA CAMERA AG\0",
)
_LARGEST_VALUE: Final = 4096  # bytes, when the block has to shrink

_IN_EXIF: Final = frozenset((TimeSource.EXIF_OFFSET, TimeSource.EXIF_LOCAL))

_ASCII, _SHORT, _LONG, _UNDEFINED = 2, 3, 4, 7

Table = dict[int, Value]


class ExifTables(NamedTuple):
    """A block's directories. `endian` as `struct` has it."""

    endian: str
    main: Table
    exif: Table
    gps: Table
    interoperability: Table


def read(main: Directory, exif: Directory | None, gps: Directory | None) -> ExifTables:
    """What is worth taking over."""
    tables = ExifTables(
        main.endian,
        _taken(main, _MAIN),
        (_taken(main, _SHOT) if exif is None else _taken(exif)),
        _taken(gps),
        _taken(exif.sub(_INTEROPERABILITY)) if exif else {},
    )
    note = exif.raw(_NOTE) if exif else None
    if note is not None and note.startswith(_NOTES_THAT_MOVE):
        tables.exif[_NOTE] = Value(_UNDEFINED, note)
    return tables


def of_facts(facts: Facts) -> ExifTables:
    """For a file whose tags are none of Exif's: who took it."""
    camera = facts.camera
    texts = {_MAKE: camera and camera.make, _MODEL: camera and camera.model, _SOFTWARE: facts.software}
    main = {tag: Value(_ASCII, text.encode() + b"\0") for tag, text in texts.items() if text}
    return ExifTables("<", main, {}, {}, {})


def block(tables: ExifTables, facts: Facts, shot_at: ShotAt, *, size: tuple[int, int], orientation: int) -> bytes:
    """The new block, TIFF header first: these tags, what was decided on time and place, and the new picture's size."""
    number = tables.endian + "I"
    exif = tables.exif | {
        _WIDTH: Value(_LONG, struct.pack(number, size[0])),
        _HEIGHT: Value(_LONG, struct.pack(number, size[1])),
        _VERSION: tables.exif.get(_VERSION, Value(_UNDEFINED, b"0232")),
    }
    main = tables.main | {_ORIENTATION: Value(_SHORT, struct.pack(tables.endian + "H", orientation))}
    tables = tables._replace(main=main, exif=exif)
    whole = b""
    for smaller in (tables, _without_note(tables), _small(tables)):
        written = _written(smaller)
        whole = with_time_and_place(
            written, _news(facts, shot_at), None if _is_same(facts, tables, shot_at) else shot_at.place
        )
        if len(whole) <= LARGEST:
            return whole
    raise Unfit(f"its tags need {len(whole):,} bytes, a JPEG holds {LARGEST:,}")


def _news(facts: Facts, shot_at: ShotAt) -> CaptureTime | None:
    """The time, unless the tags say just that already: they may be finer than what we keep of them."""
    has_it = facts.capture_time is not None and facts.capture_time.source in _IN_EXIF
    return None if shot_at.capture_time == facts.capture_time and has_it else shot_at.capture_time


def _is_same(facts: Facts, tables: ExifTables, shot_at: ShotAt) -> bool:
    return shot_at.place == facts.place and bool(tables.gps)


def _taken(directory: Directory | None, wanted: frozenset[int] | None = None) -> Table:
    if directory is None:
        return {}
    found: Table = {}
    for tag in directory.tags() if wanted is None else wanted:
        place = directory.place(tag)
        content = directory.raw(tag)
        if place is not None and content and place[0] in WIDTHS and (wanted or tag not in _NOT_OURS):
            found[tag] = Value(place[0], content)
    return found


def _without_note(tables: ExifTables) -> ExifTables:
    return tables._replace(exif={tag: value for tag, value in tables.exif.items() if tag != _NOTE})


def _small(tables: ExifTables) -> ExifTables:
    """Only short values: a comment of 60 KB is left behind."""
    main, exif = (
        {tag: value for tag, value in table.items() if len(value.content) <= _LARGEST_VALUE}
        for table in (tables.main, tables.exif)
    )
    return tables._replace(main=main, exif=exif)


def _written(tables: ExifTables) -> bytes:
    """Header, main directory, Exif, interoperability and GPS directories, each followed by its values."""
    endian = tables.endian

    def pointer(at: int) -> Value:
        return Value(_LONG, struct.pack(endian + "I", at))

    def length(table: Table) -> int:
        return len(directory_bytes(table, 0, endian)) if table else 0

    main, exif = dict(tables.main), dict(tables.exif)
    main[_EXIF] = pointer(0)
    if tables.gps:
        main[_GPS] = pointer(0)
    if tables.interoperability:
        exif[_INTEROPERABILITY] = pointer(0)
    places = [8]
    for table in (main, exif, tables.interoperability):
        places.append(places[-1] + length(table))
    main |= {tag: pointer(at) for tag, at in ((_EXIF, places[1]), (_GPS, places[3])) if tag in main}
    exif |= {tag: pointer(places[2]) for tag in (_INTEROPERABILITY,) if tag in exif}
    tables_in_order = zip((main, exif, tables.interoperability, tables.gps), places, strict=True)
    directories = (directory_bytes(table, at, endian) for table, at in tables_in_order if table)
    return b"".join(({"<": b"II*\0", ">": b"MM\0*"}[endian], struct.pack(endian + "I", 8), *directories))
