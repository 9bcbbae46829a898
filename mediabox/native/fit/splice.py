"""A file with a few places changed, as a recipe: what stays is named, what is new is brought along."""

from collections.abc import Sequence
from typing import NamedTuple

from mediabox.model.recipe import Insert, Part, Span


class Edit(NamedTuple):
    """`length` bytes from `at` become `content`. Edits never overlap; at one place they come in the order given."""

    at: int
    length: int
    content: bytes


def pieces(edits: Sequence[Edit], size: int) -> tuple[Span | Insert, ...]:
    """The first file of `size` bytes with the edits made."""
    made: list[Span | Insert] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: edit.at):
        if edit.at > at:
            made.append(Span(part=Part.FIRST, offset=at, length=edit.at - at))
        if edit.content:
            made.append(Insert(content=edit.content))
        at = edit.at + edit.length
    if size > at:
        made.append(Span(part=Part.FIRST, offset=at, length=size - at))
    return tuple(made)


def moved(edits: Sequence[Edit], offset: int) -> int:
    """Where a byte that no edit replaces lies afterwards."""
    return offset + sum(len(edit.content) - edit.length for edit in edits if edit.at + edit.length <= offset)
