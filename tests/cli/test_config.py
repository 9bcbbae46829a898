"""`mediabox config`."""

from pathlib import Path

import pytest
from cli.conftest import Say

from mediabox.cli import exits


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

    assert "has 2 problems" in say("config", "check", home=tmp_path).err


def test_show_says_who_set_a_value(tmp_path: Path, say: Say) -> None:
    (tmp_path / "mediabox.toml").write_text("[dedup]\nmax_distance = 3\n", encoding="utf-8")

    shown = say("config", "show", "--origin", home=tmp_path).out

    assert "dedup.max_distance = 3  # file" in shown
    assert 'archive.path = "archive"  # default' in shown
