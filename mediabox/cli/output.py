"""What a command found: lines for a person, or JSON for a program."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_found(found: object, lines: Iterable[str], *, as_json: bool) -> None:
    """`lines` is only asked for what a person reads."""
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        return
    for line in lines:
        print(plain(line))
