"""What counts as the same word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.search.tokens import document_of, holds, phrase_of, tokens_of


@given(text=st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_is_split_as_anything_else_is(text: str) -> None:
    assert tokens_of(text) == tokens_of(f"{text} é")[:-1]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("IMG_0042.JPG", ["img", "0042", "jpg"]),
        ("Müller-Lüdenscheidt", ["muller", "ludenscheidt"]),
        ("Mu\u0308ller", ["muller"]),
        ("Straße", ["strasse"]),
        ("ЁЛКА", ["елка"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("Sommer 🏖 2019", ["sommer", "🏖", "2019"]),
        ("हिन्दी", ["हिन्दी"]),
        ("—…!", []),
        ("a\x00b\ue000c", ["a", "b", "c"]),
        ("caf\udce9", ["caf"]),
    ],
)
def test_words_are_compared_without_case_accents_and_punctuation(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


@pytest.mark.parametrize(
    ("words", "is_whole", "is_held"),
    [
        ("anna", False, True),
        ("ann", False, True),
        ("nna", False, False),
        ("Anna Müller", False, True),
        ("Anna Mü", False, True),
        ("Müller Anna", False, False),
        ("Müller Bob", False, False),
        ("Bob", True, True),
        ("Anna", True, False),
        ("Anna Müller", True, True),
        ("京", False, True),
        ("京東", False, False),
    ],
)
def test_a_phrase_stands_within_one_value_and_its_last_word_may_go_on(
    words: str, *, is_whole: bool, is_held: bool
) -> None:
    document = document_of(["Anna Müller", "Bob", "東京"])

    assert holds(document, phrase_of(words, is_whole=is_whole)) is is_held
