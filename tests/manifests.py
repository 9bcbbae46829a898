"""Read a folder's list of digests as GNU coreutils writes it ("cksum output modes", manual 6.6)."""

import re
from collections.abc import Iterator

from mediabox.model.manifest import Sum

_UNESCAPED = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}
_ESCAPED = re.compile(r"\\[\\nr]")
_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)", re.DOTALL)


def parse_sums(content: bytes) -> Iterator[Sum]:
    """The lines of a manifest. Lines that are none, and bytes that are no UTF-8, are left out."""
    for line in content.split(b"\n"):
        try:
            found = _LINE.fullmatch(line.decode())
        except UnicodeDecodeError:
            continue
        if found is not None:
            name = _ESCAPED.sub(lambda part: _UNESCAPED[part[0]], found[3]) if found[1] else found[3]
            yield Sum(name=name, digest=found[2])
