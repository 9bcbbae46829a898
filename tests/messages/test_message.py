"""A message is a template with its values, kept as such and put into words for each reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.errors import Permanent
from mediabox.message import ENGLISH, Message, from_fields, from_stored, message, plural, render, stored

NOON = 1_764_590_400_000  # 1 December 2025, 12:00 UTC


def test_english_counts_and_writes_its_values():
    photos = plural("{count:n} photo, {size:bytes}", "{count:n} photos, {size:bytes}", count=1204, size=2_345_678)
    assert str(photos) == "1,204 photos, 2.3 MB"
    assert str(plural("{count:n} photo", "{count:n} photos", count=1)) == "1 photo"
    assert str(message("since {at:day}, {wait:duration}", at=NOON, wait=7300)) == "since 1 Dec 2025, 2 hours"
    assert [str(message("{age:ago}", age=s)) for s in (3, 61, 7300)] == ["just now", "1 minute ago", "2 hours ago"]


def test_a_message_holds_others():
    inner = message("disk {name} is full", name="usb")
    assert str(message("waiting: {why}", why=inner)) == "waiting: disk usb is full"


def test_an_error_keeps_its_message_and_reads_as_english():
    error = Permanent(message("no such album: {name}", name="Sea"))
    assert str(error) == "no such album: Sea"
    assert error.text == message("no such album: {name}", name="Sea")


@pytest.mark.parametrize(
    "text",
    ["plain", "", "{not a template}", '{"template":', '{"template":"x","strange":1}', '{"template":"x","values":[]}'],
)
def test_other_peoples_words_are_kept_as_they_are(text):
    assert from_stored(stored(text)) == text
    assert render(text, ENGLISH) == text


@given(
    st.text(),
    st.dictionaries(
        st.text(), st.text() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    ),
    st.text(),
)
def test_whatever_a_catalogue_holds_is_shown_and_reaches_nothing(template, values, many):
    kept = Message(template, values, many)
    read = from_stored(stored(Message(template, {name: str(value) for name, value in values.items()}, many)))
    assert isinstance(str(kept), str)
    assert isinstance(render(read, ENGLISH), str)


@pytest.mark.parametrize(
    "template", ["{x.__class__}", "{x[0]}", "{x!r:>9999999999}", "{}", "{0}", "{x:day}", "{x:%s}", "{"]
)
def test_a_template_reaches_into_no_object(template):
    assert str(message(template, x="name")) == template


def test_a_name_that_is_no_utf8_can_be_kept():
    name = b"IMG\xff.jpg".decode("utf-8", "surrogateescape")
    assert from_stored(stored(message("{name} is empty", name=name))) == message(
        "{name} is empty", name="IMG\\udcff.jpg"
    )


def test_fields_of_the_journal_are_read_back():
    assert from_fields({"template": "{n:n} files", "values": {"n": 3}}) == Message("{n:n} files", {"n": 3})
    assert from_fields({"template": 3}) == "{'template': 3}"
    assert from_fields("plain") == "plain"
