"""A query as SQL over the asset index. `search/match.py` is its twin for one asset in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from mediabox.model.indexed import Flag
from mediabox.model.query import All, AnyOf, Not, Op, Term
from mediabox.search.fields import ANYWHERE, FIELDS, Type
from mediabox.search.periods import digits_needed, interval_ms
from mediabox.search.tokens import BOUNDARY, document_of, holds, phrase_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.model.query import Query
    from mediabox.search.fields import Field

SeenBy = frozenset[str] | None
Condition = tuple[str, tuple[object, ...]]
"""SQL that is true or false, never NULL, and its parameters."""

_BITS = {flag: 1 << number for number, flag in enumerate(Flag)}
_BY_WORDS = "asset_id IN (SELECT rowid FROM asset_words WHERE asset_words MATCH ?)"
_HELD = (
    "holders IN (SELECT holders_id FROM holder JOIN source ON source.id = source_id "
    "WHERE source.name IN (SELECT value FROM json_each(?)){shown})"
)
_SOURCE = FIELDS["source"]


def bits_of(flags: Iterable[Flag]) -> int:
    """As the column `flags` has them."""
    return sum(_BITS[flag] for flag in flags)


def flags_of(bits: int) -> frozenset[Flag]:
    return frozenset(flag for flag, bit in _BITS.items() if bits & bit)


def condition(query: Query, seen_by: SeenBy) -> Condition:
    """The WHERE of a query."""
    return _joined(" AND ", "1", [visible(seen_by), _condition(query, seen_by)])


def visible(seen_by: SeenBy, *, is_shown: bool = False) -> Condition:
    """What one of these sources has. `is_shown`: without what is hidden by all of these."""
    return ("1", ()) if seen_by is None else _held_by(seen_by, is_shown=is_shown)


def flags_seen(seen_by: SeenBy) -> Condition:
    """The column `flags`, hidden being what they hide."""
    if seen_by is None:
        return "flags", ()
    shown, names = visible(seen_by, is_shown=True)
    return f"(flags & ~{_BITS[Flag.HIDDEN]}) + {_BITS[Flag.HIDDEN]} * NOT ({shown})", names


def _held_by(names: Iterable[str], *, is_shown: bool = False) -> Condition:
    shown = " AND NOT is_hidden" if is_shown else ""
    return _HELD.format(shown=shown), (msgspec.json.encode(sorted(names)).decode(),)


def _condition(query: Query, seen_by: SeenBy) -> Condition:
    match query:
        case All():
            return _joined(" AND ", "1", _with_words_together(query.queries, seen_by))
        case AnyOf():
            return _joined(" OR ", "0", [_condition(one, seen_by) for one in query.queries])
        case Not():
            text, values = _condition(query.query, seen_by)
            return f"NOT ({text})", values
        case Term():
            return _comparison(FIELDS[query.field], query, seen_by)
        case _:
            assert_never(query)


def _joined(word: str, none: str, conditions: list[Condition]) -> Condition:
    texts = [f"({text})" for text, _ in conditions] or [none]
    return word.join(texts), tuple(value for _, values in conditions for value in values)


def _with_words_together(queries: Iterable[Query], seen_by: SeenBy) -> list[Condition]:
    """Words that all have to be there are one question to the index, which knows the rarest."""
    words = [_match(one, seen_by) for one in queries if isinstance(one, Term) and _is_words(one, seen_by)]
    others = [_condition(one, seen_by) for one in queries if not _is_words(one, seen_by)]
    return ([(_BY_WORDS, (" AND ".join(f"({each})" for each in words),))] if words else []) + others


def _is_words(query: Query, seen_by: SeenBy) -> bool:
    """Whether the words of the index alone answer it."""
    if not isinstance(query, Term) or FIELDS[query.field].type is not Type.WORDS:
        return False
    return seen_by is None or (FIELDS[query.field] is not _SOURCE and not _own(query, seen_by))


def _phrase(term: Term) -> list[str]:
    return phrase_of(str(term.value), is_whole=term.op is Op.IS)


def _own(term: Term, seen_by: frozenset[str]) -> list[str]:
    """Which of a person's sources these words name."""
    may_name = FIELDS[term.field] in (_SOURCE, ANYWHERE)
    return [name for name in seen_by if may_name and holds(document_of((name,)), _phrase(term))]


def _match(term: Term, seen_by: SeenBy) -> str:
    """An FTS5 expression (https://www.sqlite.org/fts5.html#full_text_query_syntax). Tokens hold no quotation marks."""
    begun = "" if term.op is Op.IS else " *"
    anywhere = "" if seen_by is None else f"- {_SOURCE.column} : "
    columns = anywhere if FIELDS[term.field] is ANYWHERE else f"{FIELDS[term.field].column} : "
    return f'{columns}"{" ".join(_phrase(term))}"{begun}'


def _comparison(field: Field, term: Term, seen_by: SeenBy) -> Condition:
    match field.type:
        case Type.WORDS:
            return _words(term, seen_by)
        case Type.FLAG:
            bits, names = flags_seen(seen_by) if term.value == Flag.HIDDEN else ("flags", ())
            return f"({bits}) & ? <> 0", (*names, _BITS[Flag(str(term.value))])
        case Type.PRESENCE:
            return _presence(FIELDS[str(term.value)], seen_by)
        case Type.PERIOD:
            return _period(field, term)
        case _:
            sign = "=" if term.op in (Op.HAS, Op.IS) else term.op
            return f"{field.column} IS NOT NULL AND {field.column} {sign} ?", (term.value,)


def _words(term: Term, seen_by: SeenBy) -> Condition:
    own = [] if seen_by is None else [_held_by(_own(term, seen_by))]
    is_of_words = seen_by is None or FIELDS[term.field] is not _SOURCE
    return _joined(" OR ", "0", own + [(_BY_WORDS, (_match(term, seen_by),))] * is_of_words)


def _presence(field: Field, seen_by: SeenBy) -> Condition:
    if field is _SOURCE and seen_by is not None:
        return _held_by(name for name in seen_by if document_of((name,)))
    if field.type is Type.WORDS:
        return _BY_WORDS, (f'{field.column} : "{BOUNDARY}"',)
    return ("date_digits > 0" if field.name == "date" else f"{field.column} IS NOT NULL"), ()


def _period(field: Field, term: Term) -> Condition:
    lowest, below = interval_ms(term)
    digits = digits_needed(term) if field.name == "date" else 0
    within = f"{field.column} IS NOT NULL AND {field.column} BETWEEN ? AND ?"
    return f"date_digits >= ? AND {within}", (digits, lowest, below - 1)
