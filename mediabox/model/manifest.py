r"""The list of a folder's originals with their digests, as `sha256sum -c` reads it.

GNU coreutils' format ("cksum output modes", manual 6.6): `<digest>  <name>`, and for
a name with a backslash, newline or carriage return a backslash before the digest
and `\\`, `\n`, `\r` within the name.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec

from mediabox.model.safe_name import MANIFEST_NAME

__all__ = ["MANIFEST_NAME", "Sum", "compose_sums", "parse_sums"]

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_DELICATE = re.compile(r"[\\\n\r]")
_ESCAPED = re.compile(r"\\[\\nr]")
_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)", re.DOTALL)


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the folder. `name` has no folder in it."""

    name: str
    digest: str  # SHA-256, 64 lower-case hex digits


def compose_sums(sums: Iterable[Sum]) -> bytes:
    """The manifest, ordered by the names' bytes so that equal folders have equal manifests."""
    lines = []
    for each in sorted(sums, key=lambda one: one.name.encode()):
        name = _DELICATE.sub(lambda found: _ESCAPES[found[0]], each.name)
        lines.append(f"{'' if name == each.name else chr(92)}{each.digest}  {name}\n")
    return "".join(lines).encode()


def parse_sums(content: bytes) -> Iterator[Sum]:
    """The lines of a manifest. Lines that are none, and bytes that are no UTF-8, are left out."""
    unescaped = {escape: plain for plain, escape in _ESCAPES.items()}
    for line in content.split(b"\n"):
        try:
            found = _LINE.fullmatch(line.decode())
        except UnicodeDecodeError:
            continue
        if found is not None:
            name = _ESCAPED.sub(lambda part: unescaped[part[0]], found[3]) if found[1] else found[3]
            yield Sum(name=name, digest=found[2])
