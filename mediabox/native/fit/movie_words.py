r"""When and where a movie was taken, in the words its readers look for.

`moov/udta/\xa9xyz` as Android writes it; QuickTime's keys `com.apple.quicktime.creationdate` and
`.location.ISO6709` (Apple, QuickTime File Format Specification, "Metadata"), in the index or
its user data; iTunes' list. Places by ISO 6709, annex H. What says otherwise already is
replaced, so that no reader meets two answers.
"""

import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone

from mediabox.model.facts import CaptureTime
from mediabox.model.place import Place
from mediabox.native.boxes import Held, Malformed, boxes
from mediabox.native.fit.heif_edits import box
from mediabox.native.fit.unfit import Unfit

APPLE = b"com.apple.quicktime."
DATE_KEY, PLACE_KEY = APPLE + b"creationdate", APPLE + b"location.ISO6709"
_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)  # ISO/IEC 14496-12, 8.2.2.3
_ENGLISH = 0x15C7  # packed language code "eng", as Android's camera writes it
_MAX_CHILDREN = 4_096
_DAY, _PLACE, _PLACE_3GPP = b"\xa9day", b"\xa9xyz", b"loci"
_UTF_8 = struct.pack(">II", 1, 0)  # well-known type, default locale
_META_HANDLER = b"\0\0\0\0\0\0\0\0mdta" + bytes(13)


def seconds_since_1904(taken: CaptureTime) -> int:
    """For headers, which are UTC. A time without zone is taken as if it were. Raises Unfit before 1904."""
    try:
        local = datetime.fromisoformat(taken.local)
    except ValueError as err:
        raise Unfit(f"{taken.local[:40]!r} is no time") from err
    at = local.replace(tzinfo=UTC) - timedelta(minutes=taken.offset_min or 0)
    if at <= _EPOCH:
        raise Unfit(f"a movie cannot say {taken.local}: its clock begins in 1904")
    return int((at - _EPOCH).total_seconds())


def date_text(taken: CaptureTime) -> bytes:
    """`2024-05-12T18:03:22+0200`, as Apple's keys have it."""
    local = datetime.fromisoformat(taken.local).replace(tzinfo=None, microsecond=0)
    if taken.offset_min is None:
        return local.isoformat().encode()
    zoned = local.replace(tzinfo=timezone(timedelta(minutes=taken.offset_min)))
    return zoned.strftime("%Y-%m-%dT%H:%M:%S%z").encode()


def place_text(place: Place) -> bytes:
    """`+48.85770+002.29500+035.000/`: a metre."""
    altitude = "" if place.altitude_m is None else f"{place.altitude_m:+08.3f}"
    return f"{place.latitude:+09.5f}{place.longitude:+010.5f}{altitude}/".encode()


def short_place_text(place: Place) -> bytes:
    """`+48.8577+002.2950/`, which is all that Android's own reader takes: eleven metres."""
    return f"{place.latitude:+08.4f}{place.longitude:+09.4f}/".encode()


def keys_told(taken: CaptureTime | None, place: Place | None) -> dict[bytes, bytes]:
    """What is to be told under QuickTime's keys."""
    told = {} if taken is None else {DATE_KEY: date_text(taken)}
    return told if place is None else told | {PLACE_KEY: place_text(place)}


def with_words(user_data: bytes, taken: CaptureTime | None, place: Place | None) -> bytes:
    """The content of `udta` that tells this place, and no other place or time than these. Raises Malformed."""
    texts = {} if taken is None else {_DAY: date_text(taken)}
    texts |= {} if place is None else {_PLACE: short_place_text(place), _PLACE_3GPP: b""}
    told = [] if place is None else [_text(_PLACE, texts[_PLACE])]
    kept: list[bytes] = []
    for kind, raw in _children(user_data):
        if kind == b"meta":
            kept.append(box(b"meta", in_meta(raw[8:], taken, place)))
        elif kind not in texts:
            kept.append(raw)
        elif kind == _DAY:
            told.append(_text(_DAY, texts[_DAY]))
    return b"".join((*kept, *told, _terminator(user_data)))


def in_meta(meta: bytes, taken: CaptureTime | None, place: Place | None) -> bytes:
    """The content of a `meta` box that tells these: under keys, or where iTunes' list tells them already."""
    if is_keyed(meta):
        return with_keys(meta, keys_told(taken, place))
    version, content = _without_version(meta)
    texts = {} if taken is None else {_DAY: date_text(taken)}
    texts |= {} if place is None else {_PLACE: short_place_text(place)}
    kept = (_listed(raw, texts) if kind == b"ilst" else raw for kind, raw in _children(content))
    return b"".join((version, *kept, _terminator(content)))


def with_keys(meta: bytes | None, told: Mapping[bytes, bytes]) -> bytes:
    """The content of a `meta` box that tells these under their keys, besides what it tells already."""
    content = box(b"hdlr", _META_HANDLER) if meta is None else meta
    version, content = _without_version(content)
    parts = dict(_children(content))
    keys = [raw for _, raw in _children(parts.get(b"keys", bytes(16))[16:])]
    values = list(_children(parts.get(b"ilst", bytes(8))[8:]))
    for name, text in told.items():
        key = box(b"mdta", name)
        keys += [key] if key not in keys else []
        number = struct.pack(">I", keys.index(key) + 1)
        values = [each for each in values if each[0] != number]
        values.append((number, box(number, box(b"data", _UTF_8, text))))
    rebuilt = {
        b"keys": box(b"keys", struct.pack(">II", 0, len(keys)), *keys),
        b"ilst": box(b"ilst", *(raw for _, raw in values)),
    }
    kept = [rebuilt.pop(kind, raw) for kind, raw in _children(content)]
    return b"".join((version, *kept, *rebuilt.values(), _terminator(content)))


def is_keyed(meta: bytes) -> bool:
    """Whether the content of a `meta` box has values under keys."""
    _, handler = _without_version(meta)
    return handler[4:8] == b"hdlr" and handler[16:20] == b"mdta"


def has_keys(user_data: bytes) -> bool:
    """Whether the content of `udta` has values under keys, as FFmpeg puts them there."""
    return any(kind == b"meta" and is_keyed(raw[8:]) for kind, raw in _children(user_data))


def _without_version(meta: bytes) -> tuple[bytes, bytes]:
    """ISO's `meta` is a full box, QuickTime's is not."""
    return (b"", meta) if meta[4:8] == b"hdlr" else (meta[:4], meta[4:])


def _listed(ilst: bytes, texts: Mapping[bytes, bytes]) -> bytes:
    """iTunes' list with these texts in place of those it has of the same names."""
    entries = (
        box(kind, box(b"data", _UTF_8, texts[kind])) if kind in texts else raw for kind, raw in _children(ilst[8:])
    )
    return box(b"ilst", *entries)


def _text(kind: bytes, text: bytes) -> bytes:
    return box(kind, struct.pack(">HH", len(text), _ENGLISH), text)


def _children(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Types and whole bytes of the boxes that fill a payload. Raises Malformed when one is cut."""
    for each in boxes(Held(content), limit=_MAX_CHILDREN):
        if each.is_cut:
            raise Malformed(f"box {each.type!r} is cut")
        yield each.type, content[each.start : each.end]


def _terminator(content: bytes) -> bytes:
    """What is left behind the last box: QuickTime ends user data with four zero bytes."""
    return content[sum(len(raw) for _, raw in _children(content)) :]
