"""Values as people write them, in the unit of their field."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from mediabox.search.fields import SYNONYMS, Type
from mediabox.search.periods import as_period
from mediabox.search.tokens import tokens_of

if TYPE_CHECKING:
    from mediabox.search.fields import Field

ORDERED = {Type.NUMBER, Type.BYTES, Type.SECONDS, Type.PERIOD}
_UNITS = {
    Type.NUMBER: {"": 1.0},
    Type.BYTES: {"": 1.0, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "k": 1e3, "m": 1e6, "g": 1e9},
    Type.SECONDS: {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0},
}
_EXPECTED = {
    Type.WORDS: "words",
    Type.NUMBER: "a number",
    Type.BYTES: "a size such as 500kB, 10MB or 1.5GB",
    Type.SECONDS: "a length such as 30s, 2m or 1h",
    Type.PERIOD: "a date such as 2024, 2024-05, 2024-05-12 or today",
}
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)\s*([a-z]*)", re.ASCII)


def expected_words(field: Field) -> str:
    """What may be given for a field."""
    return "one of " + ", ".join(field.choices) if field.choices else _EXPECTED.get(field.type, "a word")


def read_value(field: Field, text: str, *, today: str | None) -> str | float:
    """The value a text means. Raises ValueError."""
    match field.type:
        case Type.WORDS:
            if not tokens_of(text):
                raise ValueError(text)
            return text
        case Type.PERIOD:
            return as_period(text, today=today)
        case Type.CHOICE | Type.FLAG | Type.PRESENCE:
            return _choice(field, text.lower())
        case _:
            return _number(text.lower(), _UNITS[field.type])


def _choice(field: Field, text: str) -> str:
    choice = text if text in field.choices else SYNONYMS.get(text, text)
    if not choice or (field.choices and choice not in field.choices):
        raise ValueError(text)
    return choice


def _number(text: str, units: dict[str, float]) -> float:
    found = _NUMBER.fullmatch(text)
    if found is None or found[2] not in units:
        raise ValueError(text)
    value = float(found[1]) * units[found[2]]
    if not math.isfinite(value) or abs(value) > 2**53:
        raise ValueError(text)
    return value
