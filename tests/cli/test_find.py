"""`mediabox find`."""

from pathlib import Path

import pytest
from cli.conftest import Say

from mediabox.cli import exits
from mediabox.search.fields import FIELDS

TOWER = "2022/2022-04/tower.jpg"


def test_a_photo_is_found_by_word_and_shown_with_its_date_and_place_in_the_archive(made: Path, say: Say) -> None:
    said = say("find", "tower", home=made)

    assert said.code == exits.OK
    assert said.out.splitlines() == ["1 asset found", "  2022-04-17 18:00:00  2022/2022-04/tower.jpg"]


def test_programs_get_the_same_as_json_page_by_page(made: Path, say: Say) -> None:
    whole = say("find", "kind:picture", "--json", "--limit", "1000", home=made).json()
    first = say("find", "kind:picture", "--json", "--limit", "5", home=made).json()
    second = say("find", "kind:picture", "--json", "--limit", "5", "--after", first["next_after"], home=made).json()

    assert first["assets"] + second["assets"] == whole["assets"][:10]
    assert whole["total"] == len(whole["assets"]) == first["total"]
    assert whole["next_after"] is None


def test_a_negation_is_no_option(made: Path, say: Say) -> None:
    all_, videos = (say("find", *words, "--json", home=made).json()["total"] for words in ([], ["kind:video"]))

    assert say("find", "-kind:video", "--json", home=made).json()["total"] == all_ - videos
    assert say("find", "beach", "-kind:video", "--json", home=made).json()["total"] == 1
    assert say("find", "-x", home=made).code == exits.USAGE


def test_no_other_command_takes_a_name_for_a_negation(made: Path, say: Say) -> None:
    assert "'-ab:cd.jpg'" in say("where", "--", "-ab:cd.jpg", home=made).out


def test_the_quotes_that_the_shell_takes_off_a_value_are_put_back(made: Path, say: Say) -> None:
    together = say("find", 'camera:"Pixel 8"', "--json", home=made).json()["total"]

    assert say("find", "camera:Pixel 8", "--json", home=made).json()["total"] == together > 0
    assert say("find", "camera:8 Pixel", "--json", home=made).json()["total"] == 0
    assert say("find", "camera:Pixel kind:video", "--json", home=made).json()["total"] == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "beach is:favorit",
            "beach is:favorit\n                ^ 'favorit' is no value of is (did you mean 'favorite'?)\n",
        ),
        ("--after=5", "not where a page ended"),
    ],
)
def test_what_is_not_understood_is_pointed_at(query: str, message: str, made: Path, say: Say) -> None:
    said = say("find", query, home=made)

    assert said.code == exits.USAGE
    assert message in said.err


def test_nothing_found_is_a_problem_for_scripts_and_a_sentence_for_people(made: Path, say: Say) -> None:
    said = say("find", "unicorn", home=made)

    assert (said.code, said.out) == (exits.PROBLEM, "Nothing was found.\n")


def test_every_field_is_explained(say: Say) -> None:
    lines = say("find", "--fields").out.splitlines()

    assert [line.split(":")[0].strip() for line in lines] == list(FIELDS)


def test_what_another_command_writes_leaves_the_index_true(home: Path, say: Say) -> None:
    for words in (("pause",), ("resume",), ("retry",), ("allow-deletions",)):
        assert say(*words, home=home).code == exits.OK

    assert say("find", "tower", "--json", home=home).json()["indexed_percent"] == 100


def test_what_was_rebuilt_from_the_archive_is_found_at_once(home: Path, say: Say) -> None:
    before = say("find", "tower", "--json", home=home).json()
    assert say("rebuild", home=home).code == exits.OK

    after = say("find", "tower", "--json", home=home).json()

    assert [one["path"] for one in after["assets"]] == [one["path"] for one in before["assets"]] == [TOWER]
    assert after["indexed_percent"] == 100
