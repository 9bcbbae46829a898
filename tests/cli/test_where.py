"""`mediabox where`."""

import hashlib
import os
from pathlib import Path

import pytest
from cli.conftest import Say, program

from mediabox.cli import exits
from mediabox.cli.where import _facts_lines
from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, Facts, TimeSource

TOWER = "library/Mixed/tower.jpg"


@pytest.fixture
def digest(media: Path) -> str:
    return hashlib.sha256((media / TOWER).read_bytes()).hexdigest()


def test_one_photo_tells_its_whole_way(made: Path, say: Say, digest: str) -> None:
    told = say("where", "tower.jpg", home=made)

    assert told.code == exits.OK
    assert f"SHA-256  {digest}" in told.out
    for event in ("taken_in", "fetched", "examined", "placed", "archived"):
        assert f"+0000  {event}" in told.out or f"  {event}" in told.out
    assert "evidence R" in told.out
    assert "sidecar  " in told.out


def test_every_way_of_asking_finds_the_same_photo(made: Path, media: Path, say: Say, digest: str) -> None:
    [by_name] = say("where", "tower.jpg", "--json", home=made).json()
    copy = by_name["copies"][0]["path"]
    questions = [str(by_name["resource"]["id"]), digest, digest[:8], digest[:12].upper(), copy]
    questions += [str(media / TOWER), str(made / "archive" / copy)]

    answers = [say("where", question, "--json", home=made).json() for question in questions]

    assert [[one["resource"]["id"] for one in answer] for answer in answers] == [
        [by_name["resource"]["id"]] for _ in questions
    ]


@pytest.mark.parametrize("words", ["TOWER.jpg", "Tower.JPG", "tower", "TOWER"])
def test_a_name_in_another_case_or_without_its_extension_is_found(words: str, made: Path, say: Say) -> None:
    exact = say("where", "tower.jpg", "--json", home=made).json()

    assert say("where", words, "--json", home=made).json() == exact


def test_an_exact_name_keeps_out_what_is_only_like_it(tmp_path: Path, media: Path, say: Say) -> None:
    pictures, home = tmp_path / "pictures", tmp_path / "home"
    pictures.mkdir()
    content = (media / TOWER).read_bytes()
    for number, name in enumerate(("IMG_1.jpg", "img_1.JPG", "Ärger.jpg")):
        (pictures / name).write_bytes(content + bytes([number]))
    program("run", "--once", "--pictures", str(pictures), "--home", str(home))

    answers = {words: say("where", words, "--json", home=home).json() for words in ("img_1.JPG", "img_1", "ÄRGER")}

    assert [[one["resource"]["name"] for one in answer] for answer in answers.values()] == [
        ["img_1.JPG"],
        ["img_1.JPG", "IMG_1.jpg"],
        ["Ärger.jpg"],
    ]


def test_a_file_under_another_name_is_known_by_its_bytes(made: Path, media: Path, tmp_path: Path, say: Say) -> None:
    renamed = tmp_path / "renamed"
    renamed.write_bytes((media / TOWER).read_bytes())

    assert say("where", str(renamed), home=made).out.startswith("tower.jpg ")


@pytest.mark.parametrize(
    "words", ["nope.jpg", "99999", "", "²", "%", "/etc/hostname", "/nowhere/at/all", "bad\udcff.jpg"]
)
def test_what_is_not_there_is_a_problem_and_no_traceback(words: str, made: Path, say: Say) -> None:
    told = say("where", words, home=made)

    assert told.code == exits.PROBLEM
    assert told.out.startswith("Nothing here is called ")
    assert "Give a file name" in told.out


def test_nothing_found_is_an_empty_list_for_a_program(made: Path, say: Say) -> None:
    told = say("where", "nope.jpg", "--json", home=made)

    assert (told.code, told.json()) == (exits.PROBLEM, [])


def test_names_that_are_not_text_or_drive_a_terminal_are_found_and_shown_harmless(
    media: Path, tmp_path: Path, say: Say
) -> None:
    pictures, home = tmp_path / "pictures", tmp_path / "home"
    pictures.mkdir()
    content = (media / TOWER).read_bytes()
    for number, name in enumerate((b"bad\xff.jpg", b"esc\x1b[31m.jpg", b"two\nlines.jpg")):
        (pictures / os.fsdecode(name)).write_bytes(content + bytes([number]))
    (pictures / "empty\x1b]0;\x07.jpg").touch()
    run = program("run", "--once", "--pictures", str(pictures), "--home", str(home))

    by_bytes = say("where", os.fsdecode(b"bad\xff.jpg"), home=home)
    shown = [run.out, say("status", home=home).out, say("where", "esc\x1b[31m.jpg", home=home).out]
    two = say("where", "two\nlines.jpg", home=home)

    assert by_bytes.out.startswith("bad%FF.jpg ")
    assert all("\x1b" not in text and "\x07" not in text and "\\x1b" in text for text in shown)
    assert two.out.startswith("two\\nlines.jpg ")


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (CaptureTime(local="1987", source=TimeSource.XMP), "1987, nothing finer is known (xmp)"),
        (
            CaptureTime(local="2020-01-02", source=TimeSource.FILE_NAME),
            "2020-01-02, nothing finer is known (file_name)",
        ),
        (
            CaptureTime(local="2020-09-13T12:26:40", offset_min=0, source=TimeSource.FILE_MODIFIED),
            "2020-09-13T12:26:40 +00:00 (file_modified: only the file's own time says so, nothing in the file does)",
        ),
    ],
)
def test_a_period_and_a_date_that_only_the_file_s_time_tells_are_shown_as_such(time: CaptureTime, shown: str) -> None:
    facts = Facts(kind=Kind.VIDEO, media_type="video/x-msvideo", capture_time=time)

    assert f"  taken    {shown}" in list(_facts_lines(facts, time))
