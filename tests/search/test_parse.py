"""What people type, read as a query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.model.query import EVERYTHING, All, AnyOf, Not, Op, Query, QueryInvalid, Term
from mediabox.search.parse import MAX_CHARACTERS, parse

TODAY = "2026-12-01"


def read(text: str) -> Query:
    return parse(text, today=TODAY)


def term(field: str, value: str | float, op: Op = Op.HAS) -> Term:
    return Term(field=field, op=op, value=value)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", EVERYTHING),
        ("   ", EVERYTHING),
        ("beach", term("text", "beach")),
        ('"at the beach"', term("text", "at the beach")),
        ("beach sunset", All((term("text", "beach"), term("text", "sunset")))),
        ("person:Anna", term("person", "Anna")),
        ("people:Anna", term("person", "Anna")),
        ("PERSON:Anna", term("person", "Anna")),
        ('camera:"iPhone 15"', term("camera", "iPhone 15")),
        (r'title:"the \"new\" house"', term("title", 'the "new" house')),
        ('album="Summer"', term("album", "Summer", Op.IS)),
        ("-is:hidden", Not(term("is", "hidden"))),
        ("NOT is:hidden", Not(term("is", "hidden"))),
        ("well-known", term("text", "well-known")),
        ("IMG_0042.JPG", term("text", "IMG_0042.JPG")),
        ("year:2024", term("date", "2024")),
        ("date:2024-05", term("date", "2024-05")),
        ("taken>=2024-05-12T18:03", term("date", "2024-05-12T18:03", Op.AT_LEAST)),
        ("date:today", term("date", "2026-12-01")),
        ("date:yesterday", term("date", "2026-11-30")),
        ("date:2019..2021", All((term("date", "2019", Op.AT_LEAST), term("date", "2021", Op.AT_MOST)))),
        ("date:2019..", All((term("date", "2019", Op.AT_LEAST),))),
        ("size>10MB", term("size", 10e6, Op.MORE)),
        ("size<=1.5gb", term("size", 1.5e9, Op.AT_MOST)),
        ("duration>2m", term("duration", 120.0, Op.MORE)),
        ("rating:-1", term("rating", -1.0)),
        ("kind:photo", term("kind", "picture")),
        ("format:JPG", term("format", "jpeg")),
        ("is:favourite", term("is", "favorite")),
        ("has:place", term("has", "latitude")),
        ("a OR b c", AnyOf((term("text", "a"), All((term("text", "b"), term("text", "c")))))),
        ("(a OR b) AND c", All((AnyOf((term("text", "a"), term("text", "b"))), term("text", "c")))),
        ("-(a b)", Not(All((term("text", "a"), term("text", "b"))))),
        ("or and", All((term("text", "or"), term("text", "and")))),
    ],
)
def test_a_query_is_read_as_it_is_meant(text: str, query: Query) -> None:
    assert read(text) == query


@pytest.mark.parametrize(
    ("text", "position", "message", "remedy"),
    [
        ("persn:Anna", 0, "no field 'persn'", "did you mean 'person'?"),
        ("beach is:favorit", 6, "no value of is", "did you mean 'favorite'?"),
        ("http://x.org", 0, "no field 'http'", "quote them"),
        ("date:2024-13", 0, "no value of date", "2024-05-12"),
        ("date:2023-02-29", 0, "no value of date", ""),
        ("size>big", 0, "no value of size", "10MB"),
        ("size<>3", 0, "no value of size", ""),
        ("album:", 0, "no value of album", "words"),
        ("beach !!!", 6, "no value of text", "words"),
        ("person>Anna", 0, "no order", "person:Anna"),
        ('"at the', 0, "not closed", ""),
        ("(a", 0, "not closed", ""),
        ("a )", 2, "never opened", ""),
        ("a OR", 4, "missing before the end", ""),
        ("OR a", 0, "missing before 'OR'", ""),
        ("a ()", 3, "missing before ')'", ""),
        ("(" * 40 + "a" + ")" * 40, 17, "brackets", ""),
        ("-" * 1 + "(-" * 30 + "a" + ")" * 30, 17, "negations", ""),
        ("a " * 600, 400, "more than 100", ""),
        ("a" * (MAX_CHARACTERS + 1), MAX_CHARACTERS, "characters", ""),
    ],
)
def test_what_cannot_be_understood_says_where_and_what_was_meant(
    text: str, position: int, message: str, remedy: str
) -> None:
    with pytest.raises(QueryInvalid) as refused:
        read(text)

    assert message in str(refused.value)
    assert remedy in refused.value.remedy
    assert refused.value.position == position


@given(st.text(max_size=200) | st.text(alphabet='()":=<>-. aA1OR\\', max_size=60))
def test_any_text_is_either_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        read(text)
    except QueryInvalid as refused:
        assert 0 <= refused.position <= len(text)
        assert str(refused)
