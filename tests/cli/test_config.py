"""`mediabox config`."""

import json
from pathlib import Path

import pytest
from cli.conftest import Say

from mediabox.cli import exits
from mediabox.cli.execute import console
from mediabox.config.load import load


def test_without_a_file_the_defaults_hold(tmp_path: Path, say: Say) -> None:
    said = say("config", "check", home=tmp_path)

    assert said.code == exits.OK
    assert "every setting has its default" in said.out


def test_a_good_file_is_called_valid_for_people_and_programs(tmp_path: Path, say: Say) -> None:
    (tmp_path / "mediabox.toml").write_text('[sources.a]\ntype = "folder"\ntrees = ["/tmp"]\n', encoding="utf-8")

    assert say("config", "check", home=tmp_path).out == f"{tmp_path / 'mediabox.toml'} is valid: 1 source.\n"
    assert say("config", "check", "--json", home=tmp_path).json() == {"is_valid": True}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[archiv]\n", "mediabox.toml:1: archiv is not a section; did you mean 'archive'?"),
        ('[archive]\npth = "a"\n', "mediabox.toml:2: archive.pth is not a setting; did you mean 'path'?"),
        ("[dedup]\nmax_distance = 99\n", "must be a whole number from 0 to 16"),
        ('[dedup]\nmax_distance = "4"\n', "must be a whole number from 0 to 16"),
        ("[archive\n", "mediabox.toml:1: is not valid TOML"),
        ('[sources.a]\ntrees = ["/x"]\n', "sources.a.type is missing"),
        ('[sources.a]\ntype = "folderr"\n', "did you mean 'folder'?"),
        ('[sources.a]\ntype = "folder"\ntrees = ["rel"]\n', "must be an absolute path"),
    ],
)
@pytest.mark.parametrize("verb", [("config", "check"), ("config", "show"), ("run", "--once")])
def test_each_mistake_is_named_with_its_line_and_needs_a_person(
    verb: tuple[str, ...], text: str, said: str, tmp_path: Path, say: Say
) -> None:
    (tmp_path / "mediabox.toml").write_text(text, encoding="utf-8")

    found = say(*verb, home=tmp_path)

    assert found.code == exits.NEEDS_PERSON
    assert said in found.err
    assert "What to do: " in found.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mediabox.toml"]


def test_every_mistake_is_named_at_once(tmp_path: Path, say: Say) -> None:
    (tmp_path / "mediabox.toml").write_text("[archive]\npth = 1\n[x]\ny = 1\n", encoding="utf-8")

    assert "have 2 problems" in say("config", "check", home=tmp_path).err


def test_show_says_who_set_a_value(tmp_path: Path, say: Say) -> None:
    (tmp_path / "mediabox.toml").write_text("[dedup]\nmax_distance = 3\n", encoding="utf-8")

    shown = say("config", "show", "--origin", home=tmp_path).out

    assert "dedup.max_distance = 3  # file" in shown
    assert 'archive.path = "archive"  # default' in shown


# ---------------------------------------------------------------- changing


def test_a_setting_is_changed_beside_the_persons_file_and_taken_back(home: Path, say: Say) -> None:
    file = home / "mediabox.toml"
    text = file.read_text(encoding="utf-8") if file.exists() else ""

    changed = say("config", "set", "dedup.max_distance", "2", home=home)

    assert changed.code == exits.OK
    assert changed.out.startswith("dedup.max_distance = 2  # override\n")
    assert json.loads((home / "overrides.json").read_bytes()) == {"dedup.max_distance": 2}
    assert load(home).dedup.max_distance == 2
    assert say("config", "unset", "dedup.max_distance", home=home).out.startswith("dedup.max_distance = 6  # default\n")
    assert load(home).dedup.max_distance == 6
    assert (file.read_text(encoding="utf-8") if file.exists() else "") == text


def test_who_changed_what_is_told_newest_first(home: Path, say: Say) -> None:
    say("config", "set", "dedup.max_distance", "2", home=home)
    say("config", "set", "scrub.days", "20", home=home)
    say("config", "unset", "dedup.max_distance", home=home)

    history = say("config", "history", "--json", home=home).json()

    assert [(one["key"], one["before"], one["value"]) for one in history] == [
        ("dedup.max_distance", 2, None),
        ("scrub.days", None, 20),
        ("dedup.max_distance", None, 2),
    ]
    assert {one["actor"] for one in history} == {str(console())}
    assert say("config", "history", "scrub.days", home=home).out.count("\n") == 1


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("dedup.max_distance", "99", "must be a whole number from 0 to 16"),
        ("dedup.max_distanc", "4", "did you mean 'max_distance'"),
        ("dedup", "4", "is not a key path"),
        ("nothing.at_all", "4", "is not a section"),
        ("sources.cards.trees", '["/x"]', "sources.cards.type is missing"),
    ],
)
def test_what_is_not_valid_is_not_written(home: Path, say: Say, key: str, value: str, words: str) -> None:
    say("config", "set", "scrub.days", "20", home=home)
    before = (home / "overrides.json").read_bytes()

    refused = say("config", "set", key, value, home=home)

    assert refused.code != exits.OK
    assert words in refused.err
    assert (home / "overrides.json").read_bytes() == before
    assert len(say("config", "history", "--json", home=home).json()) == 1


def test_a_wrong_change_somebody_wrote_by_hand_can_be_taken_back(home: Path, say: Say) -> None:
    (home / "overrides.json").write_text('{"dedup.max_distance": 99}')

    assert say("config", "check", home=home).code != exits.OK
    assert say("config", "unset", "dedup.max_distance", home=home).code == exits.OK
    assert say("config", "check", home=home).code == exits.OK


def test_changes_nobody_can_read_are_not_written_over(home: Path, say: Say) -> None:
    (home / "overrides.json").write_text("{half")

    assert say("config", "set", "scrub.days", "20", home=home).code != exits.OK
    assert (home / "overrides.json").read_text() == "{half"


def test_what_was_not_set_here_cannot_be_taken_back_here(home: Path, say: Say) -> None:
    assert "was not set by a command" in say("config", "unset", "dedup.max_distance", home=home).err


def test_a_secret_is_refused_and_kept_nowhere_but_a_credential_may_be_named(home: Path, say: Say) -> None:
    (home / "mediabox.toml").write_text('[destinations.anna]\ntype = "pixel"\n', encoding="utf-8")

    refused = say("config", "set", "destinations.anna.key", "geheim123", home=home)
    named = say("config", "set", "destinations.anna.key", "credential:syncthing", home=home)

    assert refused.code != exits.OK
    assert "credential" in refused.err
    assert not [path for path in home.rglob("*") if path.is_file() and b"geheim123" in path.read_bytes()]
    assert named.code == exits.OK, named.err


def test_a_setting_without_a_value_is_wrong_usage(home: Path, say: Say) -> None:
    assert say("config", "set", "scrub.days", home=home).code == exits.USAGE
    assert say("config", "set", home=home).code == exits.USAGE
