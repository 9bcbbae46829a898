"""What a command found: lines for a person, or JSON for a program."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli.words import plain
from mediabox.message import from_fields

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_found(found: object, lines: Iterable[str], *, as_json: bool) -> None:
    """`lines` is only asked for what a person reads."""
    if as_json:
        written = msgspec.json.encode(_in_english(msgspec.to_builtins(found)))
        sys.stdout.buffer.write(msgspec.json.format(written, indent=2) + b"\n")
        return
    for line in lines:
        print(plain(line))


def _in_english(value: object) -> object:
    """Messages as programs have always had them; `to_builtins` leaves a dict of each."""
    match value:
        case {"template": str(), **rest} if rest.keys() <= {"values", "many"}:
            return str(from_fields(value))
        case dict():
            return {key: _in_english(each) for key, each in value.items()}
        case list() | tuple():
            return [_in_english(each) for each in value]
        case _:
            return value
