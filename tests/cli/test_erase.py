"""`mediabox erase`: a plan, a code, and what is said of it."""

from pathlib import Path

import pytest
from cli.conftest import Say

from mediabox.cli import exits
from mediabox.core.home import catalogue
from mediabox.store import copies


@pytest.fixture
def path(home: Path) -> str:
    """A photo of the archive."""
    with catalogue(home) as connection:
        return min(copies.archived_paths(connection))


def test_a_photo_is_erased_with_the_code_of_its_plan_and_may_come_back_when_a_person_says_so(
    home: Path, say: Say, path: str
) -> None:
    plan = say("erase", "plan", path, home=home)
    assert plan.code == exits.OK
    assert path in plan.out
    assert "Other disks, backups" in plan.out

    assert say("erase", "confirm", "AAAAAAAA", home=home).code == exits.PROBLEM
    done = say("erase", "confirm", plan.out.split()[-1], home=home)

    assert done.code == exits.OK, done.err
    assert "1 file erased, and kept out from now on." in done.out
    (found,) = say("erase", "list", "--json", home=home).json()
    assert say("erase", "lift", found["subject"], home=home).code == exits.OK
    assert say("erase", "list", home=home).out == "Nothing was erased.\n"


@pytest.mark.parametrize("words", [("plan",), ("confirm",), ("confirm", "A", "B"), ("lift",)])
def test_what_says_too_little_or_too_much_is_wrong_usage(words: tuple[str, ...], home: Path, say: Say) -> None:
    assert say("erase", *words, home=home).code == exits.USAGE


def test_a_photo_that_is_not_here_is_refused(home: Path, say: Say) -> None:
    refused = say("erase", "plan", "nothing.jpg", home=home)

    assert refused.code == exits.PROBLEM
    assert "no photo is named nothing.jpg" in refused.err
