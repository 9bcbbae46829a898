r"""The list of a folder's originals with their digests, as `sha256sum -c` reads it.

GNU coreutils' format ("cksum output modes", manual 6.6): `<digest>  <name>`, and for
a name with a backslash, newline or carriage return a backslash before the digest
and `\\`, `\n`, `\r` within the name.
"""

import re
from collections.abc import Iterable

import msgspec

from mediabox.model.safe_name import MANIFEST_NAME

__all__ = ["MANIFEST_NAME", "Sum", "compose_sums"]

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_DELICATE = re.compile(r"[\\\n\r]")


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
