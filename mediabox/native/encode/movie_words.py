"""What an MP4 says in words: QuickTime's keys as an iPhone writes them, and Android's `©xyz`.

Sources: Apple QuickTime File Format, "Metadata" (keys, ilst, mdta) and "User data";
ISO 6709, annex H, for the place; ISO/IEC 14496-12, 8.2.2, for the time of `mvhd`.
"""

import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from mediabox.model.facts import CaptureTime, Facts, Place
from mediabox.native.encode.said import Said

_APPLE = "com.apple.quicktime."
_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_UTF_8 = 1  # QuickTime's well-known type of a text
_ENGLISH = 0x15C7  # packed ISO 639-2, as Android writes it


class Words(NamedTuple):
    """For the index: seconds since 1904 (UTC), and boxes ready to be put in."""

    created_s: int | None
    meta: bytes  # goes into `moov`
    user_data: bytes  # goes into `udta`


def of(facts: Facts, said: Said) -> Words:
    """What the new file is to say: the source's words, with the time and place that were decided on."""
    camera = facts.camera
    place = None if said.place is None else iso_6709(said.place)
    texts = {
        "location.ISO6709": place,
        "creationdate": None if said.capture_time is None else _zoned(said.capture_time),
        "make": camera.make if camera else None,
        "model": camera.model if camera else None,
        "software": facts.software,
        "content.identifier": facts.content_identifier,
        "title": facts.title,
        "description": facts.caption,
        "keywords": ",".join(facts.keywords) or None,
    }
    known = {_APPLE + name: text for name, text in texts.items() if text}
    created = None if said.capture_time is None else _since_1904(said.capture_time)
    return Words(created, _meta(known) if known else b"", _place_box(place) if place else b"")


def iso_6709(place: Place) -> str:
    """The place as a movie says it: `+48.2082+016.3738+171.500/`."""
    altitude = "" if place.altitude_m is None else f"{place.altitude_m:+08.3f}"
    return f"{place.latitude:+08.4f}{place.longitude:+09.4f}{altitude}/"


def _zoned(time: CaptureTime) -> str | None:
    """`2024-05-12T18:03:22+0200`; `None` without a zone, for the key has no meaning then."""
    if time.offset_min is None:
        return None
    at = datetime.fromisoformat(time.local).replace(tzinfo=timezone(timedelta(minutes=time.offset_min)))
    return at.strftime("%Y-%m-%dT%H:%M:%S%z")


def _since_1904(time: CaptureTime) -> int | None:
    """The moment as `mvhd` counts it. Without a zone the wall clock stands for UTC, as cameras without one write it."""
    at = datetime.fromisoformat(time.local).replace(tzinfo=timezone(timedelta(minutes=time.offset_min or 0)))
    seconds = int((at - _EPOCH).total_seconds())
    return seconds if 0 < seconds < 1 << 32 else None


def _meta(texts: dict[str, str]) -> bytes:
    """QuickTime's `meta`: a handler, the keys, the values by number."""
    keys = b"".join(box(b"mdta", name.encode()) for name in texts)
    values = b"".join(
        struct.pack(">II", 8 + len(data), number) + data
        for number, text in enumerate(texts.values(), start=1)
        for data in [box(b"data", struct.pack(">II", _UTF_8, 0), text.encode())]
    )
    handler = box(b"hdlr", bytes(8), b"mdta", bytes(12), b"\0")
    return box(b"meta", handler, box(b"keys", struct.pack(">II", 0, len(texts)), keys), box(b"ilst", values))


def _place_box(place: str) -> bytes:
    text = place.encode()
    return box(b"\xa9xyz", struct.pack(">HH", len(text), _ENGLISH), text)


def box(kind: bytes, *payload: bytes) -> bytes:
    """A box of these bytes."""
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), kind) + body
