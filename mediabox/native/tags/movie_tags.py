"""What a movie says in words: QuickTime's keys, iTunes' list, user data (Apple QTFF; 3GPP TS 26.244 for `loci`)."""

import re
import struct
from collections.abc import Iterator

from mediabox.model.place import Place
from mediabox.native.boxes import Box, Source, boxes
from mediabox.native.tags import gps
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.movie_makers import read_maker, take_date
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.text import decoded
from mediabox.native.tags.xmp import read_xmp_in

MAX_CHILDREN = 256
MAX_KEYS = 512
MAX_TEXT_BYTES = 4096
_APPLE = "com.apple.quicktime."
_ISO_6709 = re.compile(r"\s*([+-]\d{1,3}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)(?:([+-]\d{1,6}(?:\.\d+)?))?")
_LANGUAGE_BYTES = 4  # length and language before a QuickTime user data text

# The same facts under their several names.
_WORDS = {
    _APPLE + "creationdate": "date", "\xa9day": "date", "date": "date",
    _APPLE + "location.ISO6709": "place", "\xa9xyz": "place",
    _APPLE + "make": "make", "\xa9mak": "make", "make": "make", "com.android.manufacturer": "make", "manu": "make",
    _APPLE + "model": "model", "\xa9mod": "model", "model": "model", "com.android.model": "model", "modl": "model",
    _APPLE + "software": "software", "\xa9swr": "software", "\xa9too": "software", "software": "software",
    _APPLE + "content.identifier": "content_identifier",
    _APPLE + "title": "title", "\xa9nam": "title", "title": "title",
    _APPLE + "description": "caption", "\xa9des": "caption", "desc": "caption",
    _APPLE + "keywords": "keywords", "\xa9key": "keywords", "keyw": "keywords",
    _APPLE + "camera.lens_model": "lens",
}  # fmt: skip


def read_meta(source: Source, meta: Box, found: Findings) -> None:
    """A `meta` box: QuickTime's keys with their values, or iTunes' named ones. Raises Malformed."""
    start = meta.payload
    if source.bytes(start + 4, 4) != b"hdlr":  # QuickTime's is no full box, ISO's is
        start += 4
    keys: list[str] = []
    for box in boxes(source, start, meta.end, limit=MAX_CHILDREN):
        if box.type == b"keys":
            keys = list(_keys(source, box))
        elif box.type == b"xml ":
            read_maker(source, box, found)
        elif box.type == b"ilst":
            for name, value in _values(source, box, keys):
                with Tolerant():
                    take(name, value, found)


def read_user_data(source: Source, udta: Box, found: Findings) -> None:
    """A `udta` box: texts by four characters, 3GPP's location, an XMP packet. Raises Malformed."""
    for box in boxes(source, udta.payload, udta.end, limit=MAX_CHILDREN):
        with Tolerant():
            match box.type:
                case b"meta":
                    read_meta(source, box, found)
                case b"XMP_":
                    read_xmp_in(SubReader(source, box.payload, box.length), found)
                case b"loci":
                    _read_location(source.bytes(box.payload, min(box.length, MAX_TEXT_BYTES)), found)
                case kind if kind[:1] == b"\xa9":
                    text = source.bytes(box.payload, min(box.length, MAX_TEXT_BYTES))
                    (length,) = struct.unpack_from(">H", text)
                    take(kind.decode("latin-1"), decoded(text[_LANGUAGE_BYTES : _LANGUAGE_BYTES + length]), found)
                case _:
                    read_maker(source, box, found)


def take(name: str, value: str | None, found: Findings) -> None:
    """Take one named text. Of a fact told under several names the first counts."""
    word = _WORDS.get(name)
    if word is None or not value:
        return
    match word:
        case "date":
            take_date(value, found)
        case "place":
            found.place = found.place or place_of(value)
        case "keywords":
            found.add_keywords(*value.split(","))
        case _:
            if getattr(found, word) is None:
                setattr(found, word, value)


def place_of(text: str) -> Place | None:
    """`+48.8577+002.2950+035.0/` (ISO 6709, annex H)."""
    found = _ISO_6709.match(text)
    if found is None:
        return None
    return gps.position(float(found[1]), float(found[2]), float(found[3]) if found[3] else None)


def _keys(source: Source, box: Box) -> Iterator[str]:
    """The names that values refer to by number, from 1."""
    for at, key in enumerate(boxes(source, box.payload + 8, box.end, limit=MAX_KEYS + 1)):
        if at == MAX_KEYS:
            return
        yield source.bytes(key.payload, min(key.length, 256)).decode("utf-8", "replace")


def _values(source: Source, ilst: Box, keys: list[str]) -> Iterator[tuple[str, str | None]]:
    for entry in boxes(source, ilst.payload, ilst.end, limit=MAX_KEYS):
        number = int.from_bytes(entry.type, "big")
        name = keys[number - 1] if 0 < number <= len(keys) else entry.type.decode("latin-1")
        if name not in _WORDS:
            continue
        for data in boxes(source, entry.payload, entry.end, limit=8):
            if data.type == b"data" and data.length > 8:  # type, locale, value
                yield name, decoded(source.bytes(data.payload + 8, min(data.length - 8, MAX_TEXT_BYTES)))
                break


def _read_location(body: bytes, found: Findings) -> None:
    """`loci`: flags, language, a name, role, then longitude, latitude, altitude as 16.16."""
    at = body.index(b"\0", 6) + 2
    longitude, latitude, altitude = (part / 65536 for part in struct.unpack_from(">iii", body, at))
    found.place = found.place or gps.position(latitude, longitude, altitude)
