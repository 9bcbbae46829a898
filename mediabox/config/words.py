"""Types of settings in words, for messages and for the reference."""

import json
from collections.abc import Iterable
from typing import Any

from msgspec import inspect

from mediabox.config.fields import Secret
from mediabox.model.near_miss import did_you_mean

SHOWN_CHARACTERS = 60  # of a wrong value; the rest would hide the sentence


def meant(name: str, known: Iterable[str]) -> str:
    """What the author of an unknown name probably meant, or what there is to choose from."""
    choices = sorted(known)
    listed = f"known here: {', '.join(choices)}" if choices else "none is known here"
    return did_you_mean(name, choices) or listed


def shown(value: object) -> str:
    """A value as TOML and JSON write it, cut short. Dates and the like are shown as text."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def expected(kind: inspect.Type) -> str:
    """What a value of this type may be: kind, range and unit, as in `a whole number from 0 to 16 (bit)`."""
    extra: dict[str, Any] = {}
    if isinstance(kind, inspect.Metadata):
        extra, kind = kind.extra_json_schema or {}, kind.type
    words = str(extra.get("x-expects") or _of_type(kind))
    return f"{words} ({extra['x-unit']})" if "x-unit" in extra else words


def may_show(kind: inspect.Type) -> bool:
    """Whether a value of this type can be repeated in a message: neither a secret nor a table that may hold one."""
    match kind:
        case inspect.Metadata():
            return may_show(kind.type)
        case inspect.VarTupleType() | inspect.ListType():
            return may_show(kind.item_type)
        case inspect.UnionType():
            return all(may_show(each) for each in kind.types)
        case inspect.CustomType() | inspect.StructType() | inspect.DictType():
            return False
        case _:
            return True


def _of_type(kind: inspect.Type) -> str:
    match kind:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return f"a whole number{_bounds(kind)}"
        case inspect.FloatType():
            return f"a number{_bounds(kind)}"
        case inspect.LiteralType():
            return "one of " + ", ".join(shown(choice) for choice in kind.values)
        case inspect.EnumType():
            return "one of " + ", ".join(shown(choice.value) for choice in kind.cls)
        case inspect.VarTupleType() | inspect.ListType():
            least = f" of at least {kind.min_length}" if kind.min_length else ""
            return f"a list{least}, each {expected(kind.item_type)}"
        case inspect.UnionType():
            return " or ".join(expected(each) for each in kind.types)
        case inspect.StrType():
            return f"a text like {kind.pattern}" if kind.pattern else "a text"
        case inspect.NoneType():
            return "left out"
        case _:
            return "a text" if isinstance(kind, inspect.CustomType) and kind.cls is Secret else "a table"


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:.15g} to {kind.le:.15g}"
    ends = (("of at least", kind.ge), ("above", kind.gt), ("up to", kind.le), ("below", kind.lt))
    words = " and ".join(f"{word} {end:.15g}" for word, end in ends if end is not None)
    return f" {words}" if words else ""
