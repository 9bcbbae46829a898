"""A question about assets, as a tree of values: what the search box, rules and smart albums have in common."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mediabox.errors import MediaboxError


class Op(StrEnum):
    """How a field is compared. A person writes them as they are."""

    HAS = ":"  # words: holds them, the last one perhaps only begun; a date: lies within; anything else: equals
    IS = "="  # words: these and no others; anything else as HAS
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class Term(msgspec.Struct, frozen=True, kw_only=True, tag="term"):
    """One comparison. `value` is in the field's unit (`search.fields`): bytes, seconds, `2024-05`."""

    field: str
    op: Op = Op.HAS
    value: str | float


class Not(msgspec.Struct, frozen=True, tag="not"):
    query: Query


class All(msgspec.Struct, frozen=True, tag="all"):
    """Every one of these; none asks for nothing, and so finds everything."""

    queries: tuple[Query, ...]


class AnyOf(msgspec.Struct, frozen=True, tag="any"):
    queries: tuple[Query, ...]


Query = Term | Not | All | AnyOf
EVERYTHING = All(())


class QueryInvalid(MediaboxError):
    """A query that cannot be understood. `position`: of the first character in question, from 0."""

    def __init__(self, message: str, *, position: int, remedy: str = "") -> None:
        super().__init__(message)
        self.position = position
        self.remedy = remedy
