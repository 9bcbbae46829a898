r"""File names as identity (`remote_id`) and as a person reads them, and back to the bytes on disk.

A Unix name is any bytes but '/' and NUL; a `remote_id` is text that a database, JSON
and a log can hold. Bytes that are not UTF-8 become `%F6`, a literal `%` becomes
`%25`; everything else stays as it is, NFC and NFD alike, so the way back is exact.
The process's locale plays no part (`os.fsencode` undoes whatever it did).
"""

import hashlib
import os
import re
from urllib.parse import unquote_to_bytes

from mediabox.errors import Permanent
from mediabox.message import message

_UNDECODED = re.compile("[\udc80-\udcff]")  # PEP 383: byte 0xNN that is not UTF-8, as U+DCNN


def encode(name: str) -> str:
    """One path component as a part of a `remote_id`."""
    if name.isascii():
        return name.replace("%", "%25")
    return _percent(_utf8(name).replace("%", "%25"))


def display(name: str) -> str:
    """A name or path as a person knows it; bytes that are not UTF-8 show as `%F6`."""
    return name if name.isascii() else _percent(_utf8(name))


def decode(remote_id: str) -> tuple[str, tuple[str, ...]]:
    """Split into the tree's key and the components below it, as the file system wants them.

    Raises Permanent for anything that `encode` cannot have made: an empty component,
    `.` or `..`, a NUL, a hidden '/'. What passes cannot leave its tree by name.
    """
    key, *encoded = remote_id.split("/")
    parts = tuple(os.fsdecode(unquote_to_bytes(part)) for part in encoded)
    if not parts or not all(map(_is_component, parts)) or list(map(encode, parts)) != encoded:
        raise Permanent(message("{id} is not a file of a folder source", id=repr(remote_id)))
    return key, parts


def tree_key(path: str) -> str:
    """A short, readable name of a tree, the same as long as its path is: `DCIM~3f9a21c0`.

    Not its place in the list of trees: turning that list round would make every file
    new. Of the path as written, not as resolved: the disk may be away.
    """
    raw = os.fsencode(path)
    return f"{encode(os.path.basename(path))}~{hashlib.sha256(raw).hexdigest()[:8]}"


def _is_component(name: str) -> bool:
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


def _utf8(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "surrogateescape")


def _percent(text: str) -> str:
    return _UNDECODED.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", text)
