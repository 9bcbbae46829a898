"""From what a person types to a query: `person:Anna year:2024 -is:hidden camera:"iPhone 15" size>10MB`.

query      alternative { OR alternative }
alternative  condition { [AND] condition }
condition  [- | NOT] ( "(" query ")" | FIELD operator value | words )
value      word | "quoted words" | low..high
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mediabox.model.near_miss import did_you_mean
from mediabox.model.query import EVERYTHING, All, AnyOf, Not, Op, QueryInvalid, Term
from mediabox.search.fields import ALIASES, ANYWHERE, FIELDS, Type
from mediabox.search.values import ORDERED, expected_words, read_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.model.query import Query
    from mediabox.search.fields import Field

MAX_CHARACTERS, MAX_TERMS, MAX_DEPTH = 2_000, 100, 16  # a query comes from anybody who may look at photos

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<open>\() | (?P<close>\)) | (?P<not>-(?=[^\s-]))
    | (?P<field>[^\W\d_]+)(?P<op><=|>=|[:=<>])(?P<value>"(?:[^"\\]|\\.)*"|[^\s()"]*)
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<word>[^\s()"]+)
    | (?P<broken>")
    )""",
    re.VERBOSE,
)
_OPERATORS = {"OR", "AND", "NOT"}


class _Token(NamedTuple):
    kind: str  # `open`, `close`, `not`, `field`, `words` or an operator
    text: str
    at: int
    op: str = ""
    value: str = ""


def parse(text: str, *, today: str | None) -> Query:
    """A person's words as a query; nothing typed finds everything. `today`: ISO date, for `date:today`; None: no date.

    Raises QueryInvalid with the position and what was probably meant.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"this query has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read"
        raise QueryInvalid(message, position=MAX_CHARACTERS)
    tokens = list(_tokens(text))
    if len(tokens) > MAX_TERMS * 2:
        message = f"this query has more than {MAX_TERMS} parts"
        raise QueryInvalid(message, position=tokens[MAX_TERMS * 2].at)
    return _Reader(tokens, today=today, end=len(text)).read()


def _tokens(text: str) -> Iterable[_Token]:
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        at = found.start(kind) if kind != "value" else found.start("field")
        match kind:
            case "value":
                yield _Token("field", found["field"], at, found["op"], found["value"])
            case "broken":
                message = "a quotation mark is not closed"
                raise QueryInvalid(message, position=at, remedy='close it: "iPhone 15"')
            case "word" if found["word"] in _OPERATORS:
                yield _Token(found["word"].lower(), found["word"], at)
            case "word" | "quoted":
                yield _Token("words", found[kind], at)
            case _:
                yield _Token(kind, found[kind], at)


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Token], *, today: str | None, end: int) -> None:
        self._tokens, self._today, self._end = tokens[::-1], today, end

    def read(self) -> Query:
        if not self._tokens:
            return EVERYTHING
        query = self._alternatives(depth=0)
        if self._tokens:
            raise _invalid("this bracket was never opened", self._tokens[-1].at)
        return query

    def _next_is(self, *kinds: str) -> bool:
        return bool(self._tokens) and self._tokens[-1].kind in kinds

    def _alternatives(self, *, depth: int) -> Query:
        found = [self._conditions(depth=depth)]
        while self._next_is("or"):
            self._tokens.pop()
            found.append(self._conditions(depth=depth))
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def _conditions(self, *, depth: int) -> Query:
        found = [self._condition(depth=depth)]
        while self._tokens and not self._next_is("or", "close"):
            if self._next_is("and"):
                self._tokens.pop()
            found.append(self._condition(depth=depth))
        return found[0] if len(found) == 1 else All(tuple(found))

    def _condition(self, *, depth: int) -> Query:
        if depth > MAX_DEPTH:
            raise _invalid(f"more than {MAX_DEPTH} brackets or negations within each other", self._tokens[-1].at)
        token = self._tokens.pop() if self._tokens else _Token("end", "", self._end)
        match token.kind:
            case "not":
                return Not(self._condition(depth=depth + 1))
            case "open":
                return self._bracket(token, depth=depth)
            case "field":
                return self._comparison(token)
            case "words":
                return self._words(token)
        raise _invalid(f"something to search for is missing before {_shown(token)}", token.at)

    def _bracket(self, opened: _Token, *, depth: int) -> Query:
        query = self._alternatives(depth=depth + 1)
        if not self._next_is("close"):
            raise _invalid("this bracket is not closed", opened.at)
        self._tokens.pop()
        return query

    def _words(self, token: _Token) -> Query:
        return self._term(ANYWHERE, Op.HAS, _unquoted(token.text), token)

    def _comparison(self, token: _Token) -> Query:
        name = token.text.lower()
        field = FIELDS.get(ALIASES.get(name, name))
        if field is None:
            remedy = (
                did_you_mean(name, [*FIELDS, *ALIASES]) or f'to search for these words, quote them: "{token.text}…"'
            )
            raise _invalid(f"there is no field {token.text!r}", token.at, remedy)
        op, value = Op(token.op), _unquoted(token.value)
        low, dots, high = value.partition("..")
        if dots and token.value[:1] != '"' and op is Op.HAS and field.type not in (Type.WORDS, Type.CHOICE):
            ends = ((Op.AT_LEAST, low), (Op.AT_MOST, high))
            return All(tuple(self._term(field, each, end, token) for each, end in ends if end))
        return self._term(field, op, value, token)

    def _term(self, field: Field, op: Op, value: str, token: _Token) -> Term:
        if op not in (Op.HAS, Op.IS) and field.type not in ORDERED:
            remedy = f"write {field.name}:{value}"
            raise _invalid(f"{field.name} has no order, so {op.value!r} says nothing", token.at, remedy)
        try:
            return Term(field=field.name, op=op, value=read_value(field, value, today=self._today))
        except ValueError as error:
            expected = f"expected: {expected_words(field)}"
            remedy = (field.choices and did_you_mean(value, field.choices)) or expected
            raise _invalid(f"{value!r} is no value of {field.name}", token.at, remedy) from error


def _invalid(message: str, at: int, remedy: str = "") -> QueryInvalid:
    return QueryInvalid(message, position=at, remedy=remedy)


def _shown(token: _Token) -> str:
    return repr(token.text) if token.text else "the end"


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[:1] == '"' else text
