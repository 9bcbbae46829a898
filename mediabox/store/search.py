"""A query as SQL over the asset index. `search/match.py` is its twin for one asset in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from mediabox.model.indexed import Flag
from mediabox.model.query import All, AnyOf, Not, Op, Term
from mediabox.search.fields import ANYWHERE, FIELDS, Type
from mediabox.search.periods import digits_needed, interval_ms
from mediabox.search.tokens import BOUNDARY, phrase_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.model.query import Query
    from mediabox.search.fields import Field

Condition = tuple[str, tuple[object, ...]]
"""SQL that is true or false, never NULL, and its parameters."""

_BITS = {flag: 1 << number for number, flag in enumerate(Flag)}
_BY_WORDS = "asset_id IN (SELECT rowid FROM asset_words WHERE asset_words MATCH ?)"


def bits_of(flags: Iterable[Flag]) -> int:
    """As the column `flags` has them."""
    return sum(_BITS[flag] for flag in flags)


def flags_of(bits: int) -> frozenset[Flag]:
    return frozenset(flag for flag, bit in _BITS.items() if bits & bit)


def condition(query: Query) -> Condition:
    """The WHERE of a query."""
    match query:
        case All():
            return _joined(" AND ", "1", _with_words_together(query.queries))
        case AnyOf():
            return _joined(" OR ", "0", [condition(one) for one in query.queries])
        case Not():
            text, values = condition(query.query)
            return f"NOT ({text})", values
        case Term():
            return _comparison(FIELDS[query.field], query)
        case _:
            assert_never(query)


def _joined(word: str, none: str, conditions: list[Condition]) -> Condition:
    texts = [f"({text})" for text, _ in conditions] or [none]
    return word.join(texts), tuple(value for _, values in conditions for value in values)


def _with_words_together(queries: Iterable[Query]) -> list[Condition]:
    """Words that all have to be there are one question to the index, which knows the rarest."""
    words = [_match(FIELDS[one.field], one) for one in queries if isinstance(one, Term) and _is_words(one)]
    others = [condition(one) for one in queries if not _is_words(one)]
    return ([(_BY_WORDS, (" AND ".join(f"({each})" for each in words),))] if words else []) + others


def _is_words(query: Query) -> bool:
    return isinstance(query, Term) and FIELDS[query.field].type is Type.WORDS


def _match(field: Field, term: Term) -> str:
    """An FTS5 expression (https://www.sqlite.org/fts5.html#full_text_query_syntax). Tokens hold no quotation marks."""
    phrase = " ".join(phrase_of(str(term.value), is_whole=term.op is Op.IS))
    begun = "" if term.op is Op.IS else " *"
    columns = "" if field is ANYWHERE else f"{field.column} : "
    return f'{columns}"{phrase}"{begun}'


def _comparison(field: Field, term: Term) -> Condition:
    match field.type:
        case Type.WORDS:
            return _BY_WORDS, (_match(field, term),)
        case Type.FLAG:
            return "flags & ? <> 0", (_BITS[Flag(str(term.value))],)
        case Type.PRESENCE:
            return _presence(FIELDS[str(term.value)])
        case Type.PERIOD:
            return _period(field, term)
        case _:
            sign = "=" if term.op in (Op.HAS, Op.IS) else term.op
            return f"{field.column} IS NOT NULL AND {field.column} {sign} ?", (term.value,)


def _presence(field: Field) -> Condition:
    if field.type is Type.WORDS:
        return _BY_WORDS, (f'{field.column} : "{BOUNDARY}"',)
    return ("date_digits > 0" if field.name == "date" else f"{field.column} IS NOT NULL"), ()


def _period(field: Field, term: Term) -> Condition:
    lowest, below = interval_ms(term)
    digits = digits_needed(term) if field.name == "date" else 0
    within = f"{field.column} IS NOT NULL AND {field.column} BETWEEN ? AND ?"
    return f"date_digits >= ? AND {within}", (digits, lowest, below - 1)
