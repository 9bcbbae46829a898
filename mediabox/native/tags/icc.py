"""The name of an ICC profile (ICC.1:2022, 7.2 and 10.15; version 2: ICC.1:2001-04, 6.5.17)."""

import struct

from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags.text import clean, decoded

MAX_TAGS = 100
_HEADER_BYTES = 128


def describe_profile(profile: Source) -> str | None:
    """The profile's description, `Display P3`. Raises Malformed when it is not a profile."""
    head = profile.bytes(0, _HEADER_BYTES + 4)
    if head[36:40] != b"acsp":
        raise Malformed("no ICC profile")
    count = min(int.from_bytes(head[_HEADER_BYTES:], "big"), MAX_TAGS)
    table = profile.bytes(_HEADER_BYTES + 4, 12 * count)
    for name, at, length in struct.iter_unpack(">4sII", table):
        if name == b"desc":
            return _text(profile.bytes(at, min(length, 1024)))
    return None


def _text(value: bytes) -> str | None:
    match value[:4]:
        case b"desc":  # version 2: length, ASCII
            (length,) = struct.unpack_from(">I", value, 8)
            return decoded(value[12 : 12 + length])
        case b"mluc":  # version 4: names in several languages, UTF-16; the first is the maker's default
            length, at = struct.unpack_from(">II", value, 20)
            return clean(value[at : at + length].decode("utf-16-be", "replace"))
        case _:
            return None
