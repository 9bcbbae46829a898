"""Whether one asset in memory answers a query. `store/search.py` asks the same in SQL; a test holds both equal."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, assert_never

import msgspec

from mediabox.model.indexed import Flag
from mediabox.model.query import All, AnyOf, Not, Op, Term
from mediabox.search.fields import ANYWHERE, FIELDS, WORDS, Type, texts_of
from mediabox.search.periods import digits_needed, interval_ms
from mediabox.search.tokens import document_of, holds, phrase_of

if TYPE_CHECKING:
    from mediabox.model.indexed import IndexedAsset
    from mediabox.model.query import Query
    from mediabox.search.fields import Field

_COMPARE = {
    Op.HAS: operator.eq,
    Op.IS: operator.eq,
    Op.LESS: operator.lt,
    Op.AT_MOST: operator.le,
    Op.MORE: operator.gt,
    Op.AT_LEAST: operator.ge,
}


def seen(asset: IndexedAsset, seen_by: frozenset[str] | None) -> IndexedAsset | None:
    """An asset as a person with these sources sees it; None: not at all. For None everybody's count."""
    if seen_by is None:
        return asset
    sources = tuple(one for one in asset.sources if one in seen_by)
    hidden = {Flag.HIDDEN} if set(sources) <= set(asset.hidden_at) else set()
    return (
        msgspec.structs.replace(asset, sources=sources, flags=asset.flags - {Flag.HIDDEN} | hidden) if sources else None
    )


def matches(asset: IndexedAsset, query: Query) -> bool:
    match query:
        case All():
            return all(matches(asset, one) for one in query.queries)
        case AnyOf():
            return any(matches(asset, one) for one in query.queries)
        case Not():
            return not matches(asset, query.query)
        case Term():
            return _answers(asset, FIELDS[query.field], query)
        case _:
            assert_never(query)


def _answers(asset: IndexedAsset, field: Field, term: Term) -> bool:
    match field.type:
        case Type.WORDS:
            phrase = phrase_of(str(term.value), is_whole=term.op is Op.IS)
            fields = WORDS if field is ANYWHERE else (field,)
            return any(holds(document_of(texts_of(asset, each)), phrase) for each in fields)
        case Type.FLAG:
            return term.value in asset.flags
        case Type.PRESENCE:
            return has(asset, FIELDS[str(term.value)])
        case Type.PERIOD:
            return _lies(asset, field, term)
        case _:
            value = getattr(asset, field.column)
            return value is not None and bool(_COMPARE[term.op](value, term.value))


def has(asset: IndexedAsset, field: Field) -> bool:
    """Whether there is any value."""
    if field.type is Type.WORDS:
        return bool(document_of(texts_of(asset, field)))
    return asset.date_digits > 0 if field.name == "date" else getattr(asset, field.column) is not None


def _lies(asset: IndexedAsset, field: Field, term: Term) -> bool:
    lowest, below = interval_ms(term)
    at_ms: int | None = getattr(asset, field.column)
    is_known = field.name != "date" or asset.date_digits >= digits_needed(term)
    return at_ms is not None and is_known and lowest <= at_ms < below
