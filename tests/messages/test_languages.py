"""Readers: German by CLDR's rules, and languages made for the test, longer than English and from right to left."""

import string

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from message_catalogs import extracted, forms_of

from mediabox.message import message, plural
from mediabox.messages import languages
from mediabox.messages.reader import in_words, reading_in, terminal_language, tr

ACCENTS = str.maketrans("aeiounAEIOU", "àéîõüñÀÉÎÕÜ")
NOON = 1_764_590_400_000


def pseudo(template: str) -> str:
    """Accented and a third longer; what is filled in stays: `[Pàüséd ~~]`."""
    parts = string.Formatter().parse(template)
    shown = "".join(
        text.replace("{", "{{").replace("}", "}}").translate(ACCENTS)
        + ("" if name is None else "{" + name + (f":{form}" if form else "") + "}")
        for text, name, form, _ in parts
    )
    return f"[{shown} {'~' * (len(template) // 3)}]"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where languages are, for this test; those read before are forgotten."""
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    languages.language.cache_clear()
    yield tmp_path
    languages.language.cache_clear()


def put(folder, tag: str, say=pseudo) -> None:
    catalog = Catalog(locale=tag, fuzzy=False)
    for each in extracted():
        if each.id:
            forms = list(forms_of(each.id))
            catalog.add(each.id, [say(forms[-1])] * catalog.num_plurals if len(forms) > 1 else say(forms[0]))
    with (folder / f"{tag}.po").open("wb") as file:
        write_po(file, catalog)


def test_german_writes_numbers_sizes_and_days_its_own_way():
    german = languages.language("de")
    assert german.number(1204) == "1.204"
    assert german.size(2_345_678) == "2,3\N{NO-BREAK SPACE}MB"
    assert german.day(NOON) == "01.12.2025"
    assert german.duration(7300) == "2 Stunden"
    assert [german.ago(s) for s in (3, 61, 7300, 3 * 86_400)] == [
        "gerade eben",
        "vor 1 Minute",
        "vor 2 Stunden",
        "vor 3 Tagen",
    ]


@pytest.mark.parametrize("tag", ["pl", "ar"])
def test_a_new_language_is_one_file(folder, tag):
    put(folder, tag)
    assert languages.languages() == sorted(["en", tag])
    with reading_in(tag):
        for each in extracted():
            if each.id:
                forms = list(forms_of(each.id))
                values = {name: 3 for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}
                text = plural(*forms, **{"count": 3, **values}) if len(forms) > 1 else message(forms[0], **values)
                assert in_words(text).startswith("["), forms
    assert languages.is_right_to_left(tag) == (tag == "ar")


def test_a_broken_file_leaves_its_readers_with_english(folder):
    (folder / "fr.po").write_text('msgid "unended\n')
    with reading_in("fr"):
        assert tr("{count:n} files", count=3) == "3 files"


def test_a_fault_in_a_translation_falls_back_to_english(folder):
    put(folder, "fr", say=lambda template: "{nothing} {")
    identifier = next(each.id for each in extracted() if isinstance(each.id, str) and each.id and "{" not in each.id)
    with reading_in("fr"):
        assert in_words(message(identifier)) == identifier


@pytest.mark.parametrize(
    ("environment", "tag"),
    [
        ({}, "en"),
        ({"LANG": "de_CH.UTF-8"}, "de"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, "en"),  # gettext(3): the C locale translates nothing
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "de:fr"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "POSIX"}, "en"),
        ({"LANG": "xx_YY.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
    ],
)
def test_a_terminal_reads_in_its_language(environment, tag):
    assert terminal_language(environment) == tag
