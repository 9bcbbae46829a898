"""`mediabox doctor`: each line is a state, why, and what to do."""

from pathlib import Path

import pytest
from cli.conftest import Said, Say

from mediabox.cli import doctor, exits
from mediabox.clock import Clock
from mediabox.core.home import DATABASE, catalogue
from mediabox.model.issue import Issue, Severity
from mediabox.native.profiles import Profile
from mediabox.native.wire import Hello
from mediabox.native.worker import MediaWorkers
from mediabox.store import issues
from mediabox.store.transaction import transaction


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoders start once, in the test that is about them."""
    monkeypatch.setattr(doctor, "_decoders", lambda: iter(()))


def problems(said: Said) -> dict[str, str]:
    return {check["what"]: check["why"] for check in said.json() if check["state"] == "problem"}


def test_a_sound_box_is_sound_and_its_decoders_are_confined(
    made: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()

    found = say("doctor", home=made)

    assert found.code == exits.OK, found.out
    assert found.out.count(" decoder: confined by ") == len(Profile)
    assert "journal unbroken" in found.out


def test_a_decoder_that_cannot_be_started_is_a_problem_with_the_same_advice(
    made: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(doctor, "_greet", refuse_movies)

    found = say("doctor", "--json", home=made)

    [problem] = [check for check in found.json() if check["state"] == "problem"]
    assert found.code == exits.PROBLEM
    assert problem["what"] == "movie decoder"
    assert "No such file or directory" in problem["why"]
    assert problem["remedy"].startswith("Install mediabox and its libraries anew")


async def refuse_movies(profile: Profile) -> Hello:
    workers = MediaWorkers(1, **({"command": ("/nowhere/python",)} if profile is Profile.MOVIE else {}))
    try:
        return await workers.greet(profile)
    finally:
        await workers.close()


def test_a_box_to_be_is_no_problem(tmp_path: Path, say: Say) -> None:
    found = say("doctor", home=tmp_path / "new")

    assert found.code == exits.OK
    assert "does not exist yet; `mediabox run` makes it" in found.out


def test_a_marker_that_is_gone_is_a_problem(home: Path, say: Say) -> None:
    (home / "archive" / ".mediabox" / "volume.json").unlink()

    found = say("doctor", "--json", home=home)

    assert found.code == exits.PROBLEM
    assert "has no mediabox marker" in problems(found)["archive"]


def test_a_catalogue_that_is_gone_beside_an_archive_is_a_problem(home: Path, say: Say) -> None:
    (home / DATABASE).unlink()

    found = say("doctor", home=home)

    assert found.code == exits.PROBLEM
    assert "What to do: Run `mediabox rebuild`" in found.out


def test_an_empty_catalogue_is_a_problem_and_the_other_checks_go_on(tmp_path: Path, say: Say) -> None:
    (tmp_path / DATABASE).touch()

    found = say("doctor", home=tmp_path)

    assert found.code == exits.PROBLEM
    assert "problem  catalogue: " in found.out


def test_a_journal_somebody_edited_is_a_problem(home: Path, say: Say) -> None:
    database = home / DATABASE
    content = database.read_bytes()
    assert b"tower.jpg" in content
    database.write_bytes(content.replace(b"/tower.jpg", b"/tuwer.jpg"))

    found = say("doctor", "--json", home=home)

    assert found.code == exits.PROBLEM
    assert "catalogue" in problems(found)


def test_a_wrong_configuration_is_one_problem_with_its_line(home: Path, say: Say) -> None:
    (home / "mediabox.toml").write_text("[dedup]\nmax_distance = 99\n", encoding="utf-8")

    found = say("doctor", "--json", home=home)

    assert found.code == exits.PROBLEM
    assert "mediabox.toml:2" in problems(found)["configuration"]


def test_a_tree_that_is_not_there_is_named(home: Path, say: Say) -> None:
    (home / "mediabox.toml").write_text('[sources.a]\ntype = "folder"\ntrees = ["/nowhere/at/all"]\n', encoding="utf-8")

    assert "warning  source a: /nowhere/at/all is not there" in say("doctor", home=home).out


def test_a_full_disk_under_the_home_is_a_problem(made: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "HOME_RESERVE_BYTES", 1 << 60)

    found = say("doctor", "--json", home=made)

    assert found.code == exits.PROBLEM
    assert "are free" in problems(found)["home"]


def test_a_clock_never_set_is_a_warning(made: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "wall_ms", lambda _: 600_000)

    found = say("doctor", home=made)

    assert found.code == exits.OK
    assert "warning  clock: " in found.out


def test_a_notice_is_no_problem(home: Path, say: Say) -> None:
    notice = Issue(key="config.retired", subject="a", severity=Severity.NOTICE, message="It is gone.", remedy="Cut it.")
    with catalogue(home, write=True) as connection, transaction(connection):
        issues.open_issue(connection, notice, at_ms=1)

    found = say("doctor", home=home)

    assert found.code == exits.OK, found.out
    assert "warning  issue config.retired: It is gone." in found.out
    assert "What to do: Cut it." in found.out
