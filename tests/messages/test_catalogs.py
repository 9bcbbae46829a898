"""Every language can say everything the code can say, with the same values in it."""

import re
import string
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from message_catalogs import FOLDER, extracted, forms_of

from mediabox.message import FORMATS

LANGUAGES = sorted(FOLDER.glob("*.po"))
CODE = extracted()
# Words of this house alone, or in a sense no dictionary has.
PRIVATE = re.compile(
    r"\b(told|errand|shelf|none of ours|mends?|condemn\w*|on your word|stranger's|let go)\b", re.IGNORECASE
)


def read(path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, abort_invalid=True)


def messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def fields(template: str) -> set[tuple[str, str]]:
    """Names and formats of what is filled in."""
    return {(name, form or "") for _, name, form, _ in string.Formatter().parse(template) if name is not None}


def test_german_is_spoken():
    assert "de" in {path.stem for path in LANGUAGES}


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_a_language_has_each_message_and_no_other(path):
    known = {message.id for message in messages(read(path))}
    made = {message.id for message in messages(CODE)}
    remedy = "run `python tests/messages/update_catalogs.py` and translate what is empty"
    assert known == made, f"missing {sorted(map(str, made - known))}, unused {sorted(map(str, known - made))}: {remedy}"


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_a_language_has_each_message_translated_with_the_same_values(path):
    catalog = read(path)
    wrong = [
        f"{message.id!r}: {message.string!r}"
        for message in messages(catalog)
        if message.fuzzy or not is_complete(catalog, message)
    ]
    assert not wrong


def is_complete(catalog: Catalog, message: Message) -> bool:
    translated = list(forms_of(message.string))
    if message.pluralizable and len(translated) != catalog.num_plurals:
        return False
    sources = list(forms_of(message.id))
    return all(form and holds(form, sources[-1 if place else 0]) for place, form in enumerate(translated))


def holds(form: str, source: str) -> bool:
    """Whether a translation has the values of its English form; "one photo" need not say 1."""
    wanted, count = fields(source), {("count", "n"), ("count", "")}
    return wanted - count <= fields(form) <= wanted | count


def test_each_template_fills_in_plain_names_in_known_formats():
    wrong = [
        (form, name)
        for message in messages(CODE)
        for form in forms_of(message.id)
        for name, spec in fields(form)
        if not name.isidentifier() or (spec and spec not in FORMATS)
    ]
    assert not wrong


def test_german_puts_no_bare_duration_where_the_dative_stands():
    """`duration` is nominative: "seit 3 Tage" is wrong, "3 Tage lang" right `ago` has its own "vor"."""
    dative = re.compile(r"\b(seit|vor|nach|in|mit|von|bei|zu) \{\w+:duration\}", re.IGNORECASE)
    catalog = read(FOLDER / "de.po")
    assert not [form for each in messages(catalog) for form in forms_of(each.string) if dative.search(form)]


def test_people_read_the_words_of_the_field():
    assert not [form for each in messages(CODE) for form in forms_of(each.id) if PRIVATE.search(form)]
