"""Pairing asks what only a person knows of a phone, and answers nothing for anybody."""

import io
import json
import sys
from pathlib import Path

import pytest

from mediabox.__main__ import main
from mediabox.assembly import undecided
from mediabox.cli import exits
from mediabox.cli.output import write_found
from mediabox.cli.pixel_answers import open_questions, open_words
from mediabox.config.load import load

TABLE = '[destinations.anna]\ntype = "pixel"\nurl = "http://127.0.0.1:1"\nkey = "k"\n'
SOURCES = '[sources.anna]\ntype = "folder"\ntrees = ["/a"]\n[sources.ben]\ntype = "folder"\ntrees = ["/b"]\n'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "mediabox.toml").write_text(SOURCES + TABLE)
    return tmp_path


def pair(home: Path, *words: str) -> int:
    """Syncthing is away: answers are kept all the same."""
    return main(["pixel", "pair", "anna", "--home", str(home), *words])


def kept(home: Path) -> dict[str, object]:
    path = home / "overrides.json"
    return json.loads(path.read_bytes()) if path.exists() else {}


def settings(home: Path) -> object:
    return load(home).destinations[0].settings


def test_flags_answer_and_what_was_changed_before_stays(home: Path) -> None:
    (home / "overrides.json").write_text('{"dedup.max_distance": 4}')

    pair(
        home, "--model", "pixel_2", "--account", "anna@example.org", "--quality", "storage_saver", "--photos-of", "anna"
    )

    assert kept(home) == {
        "dedup.max_distance": 4,
        "destinations.anna.model": "pixel_2",
        "destinations.anna.account": "anna@example.org",
        "destinations.anna.quality": "storage_saver",
        "destinations.anna.sources": ["anna"],
    }
    assert (settings(home).model, settings(home).sources) == ("pixel_2", ("anna",))
    assert (home / "mediabox.toml").read_text() == SOURCES + TABLE


def test_a_person_at_the_terminal_is_asked_what_is_open(home: Path, monkeypatch, capsys) -> None:
    (home / "mediabox.toml").write_text(SOURCES + TABLE + 'model = "pixel_3"\n')
    monkeypatch.setattr(sys, "stdin", Terminal("ben@example.org\n1\n2,1\n"))

    pair(home)

    said = capsys.readouterr().out
    assert "Which phone" not in said
    assert "1. anna" in said
    assert "3. everyone" in said
    assert kept(home) == {
        "destinations.anna.account": "ben@example.org",
        "destinations.anna.quality": "original",
        "destinations.anna.sources": ["ben", "anna"],
    }


def test_who_answers_nothing_chooses_nobody(home: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("\n\n\n\n"))

    pair(home)

    assert kept(home) == {}
    assert undecided(load(home)) == {"anna"}


@pytest.mark.parametrize("words", [("--photos-of", "carla"), ("--photos-of", "anna", "--photos-of", "x")])
def test_a_name_that_is_no_source_is_refused_and_nothing_is_kept(home: Path, words: tuple[str, ...], capsys) -> None:
    assert pair(home, *words) == exits.PROBLEM

    assert "there are anna, ben" in capsys.readouterr().err
    assert kept(home) == {}


@pytest.mark.parametrize(
    ("more", "is_undecided"),
    [
        ("", True),
        ('sources = ["*"]', False),
        ('sources = ["ben"]', False),
        ('albums = ["Holidays"]', False),
        ('people = ["Anna"]', False),
        ("favorites_only = true", True),
    ],
)
def test_whose_photos_go_is_open_until_somebody_says_it(home: Path, more: str, *, is_undecided: bool) -> None:
    (home / "mediabox.toml").write_text(f"{SOURCES}{TABLE}{more}\n")

    assert bool(undecided(load(home))) is is_undecided


def test_where_there_is_one_source_nobody_can_be_mistaken_for_another(home: Path) -> None:
    (home / "mediabox.toml").write_text(TABLE + SOURCES.partition("[sources.ben]")[0])

    assert undecided(load(home)) == frozenset()


def test_everyone_is_an_answer(home: Path) -> None:
    pair(home, "--photos-of", "everyone")

    assert kept(home) == {"destinations.anna.sources": ["*"]}
    assert undecided(load(home)) == frozenset()


def test_what_is_open_is_named_with_its_command_on_a_line_of_its_own(home: Path, capsys) -> None:
    write_found((), open_words(open_questions(load(home), "anna"), "anna"), as_json=False)

    said = capsys.readouterr().out.splitlines()
    assert "  mediabox pixel pair anna --account ADDRESS" in said
    assert "  mediabox pixel pair anna --photos-of anna|ben|everyone" in said
    assert len(said) == 2 * 4
