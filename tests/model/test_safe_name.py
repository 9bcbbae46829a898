"""One legal, visible, harmless path component for every string."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.model.safe_name import MOST_BYTES, safe_component


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_1.JPG", "IMG_1.JPG"),
        ("", "_"),
        ("..", "_"),
        (".", "_"),
        ("   ", "_"),
        (".mediabox", "_mediabox"),
        (".hidden.jpg", "_hidden.jpg"),
        ("../../etc/passwd", "__.._etc_passwd"),
        ("a\\b:c*d?.jpg", "a_b_c_d_.jpg"),
        ('<"|>.jpg', "____.jpg"),
        ("con", "_con"),
        ("NUL.jpg", "_NUL.jpg"),
        ("COM1 .tar.gz", "_COM1 .tar.gz"),
        ("lpt¹.png", "_lpt¹.png"),
        ("console.jpg", "console.jpg"),
        ("trailing. . ", "trailing"),
        ("new\nline\x00\x7f\x85.jpg", "newline.jpg"),
        ("e\u0301.jpg", "\u00e9.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("bad\udcff.jpg", "bad_.jpg"),
        ("👨\u200d👩\u200d👧.jpg", "👨\u200d👩\u200d👧.jpg"),
        ("sha256sums", "_sha256sums"),
    ],
)
def test_makes_a_name_safe(name: str, expected: str) -> None:
    assert safe_component(name) == expected


def test_a_long_name_keeps_its_extension_and_whole_characters() -> None:
    name = safe_component("é" * 300 + ".jpeg")

    assert name == "é" * 97 + ".jpeg"
    assert len(name.encode()) <= MOST_BYTES


def test_a_device_with_a_long_rest_still_fits() -> None:
    name = safe_component("con." + "x" * 300 + ".jpg")

    assert name.startswith("_con.")
    assert name.endswith(".jpg")
    assert len(name.encode()) <= MOST_BYTES


@given(st.text(alphabet=st.characters(), max_size=300) | st.text(alphabet="con. .AUX1é\u0301/\\\u202e", max_size=260))
def test_every_string_becomes_a_legal_name_and_stays_that(text: str) -> None:
    name = safe_component(text)

    assert 0 < len(name.encode()) <= MOST_BYTES
    assert unicodedata.is_normalized("NFC", name)
    assert not set(name) & set('<>:"/\\|?*\0\n\r')
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert name.partition(".")[0].rstrip().casefold() not in {"con", "aux", "nul", "prn"}
    assert safe_component(name) == name
