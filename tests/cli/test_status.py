"""`mediabox status`."""

import shutil
import signal
from pathlib import Path

import pytest
from cli.conftest import Say, program

from mediabox.cli import exits
from mediabox.clock import Clock
from mediabox.core.home import DATABASE, catalogue
from mediabox.core.queries import conditions
from mediabox.model.status import Calls
from mediabox.store import figures
from mediabox.store.transaction import transaction


def test_every_file_is_accounted_for(made: Path, say: Say) -> None:
    found = say("status", "--json", home=made)

    counts = found.json()["accounting"]
    assert found.code == exits.OK
    assert counts["taken_in"] == sum(counts[one] for one in ("archived", "duplicate", "quarantined", "pending"))
    assert counts["archived"] > 80
    assert counts["duplicate"] == 1


def test_a_person_reads_the_same_numbers(made: Path, say: Say) -> None:
    counts = say("status", "--json", home=made).json()["accounting"]

    told = say("status", home=made).out

    assert f"{counts['taken_in']} files taken in: {counts['archived']} archived, 1 duplicate, " in told
    assert told.startswith("mediabox is not running\n")


def test_calls_to_a_server_are_shown_by_source_and_endpoint(home: Path, say: Say) -> None:
    counted = [
        Calls(source="anna", endpoint="content", calls=1204, waited_s=3.4),
        Calls(source="anna", endpoint="records/query", calls=1, errors=2, refusals=1),
    ]
    with catalogue(home, write=True) as connection, transaction(connection):
        figures.set_calls(connection, counted)

    told = say("status", home=home).out
    assert "  anna, content: 1,204 calls since the last start, 0 failed, waited 3 s\n" in told
    assert "  anna, records/query: 1 call since the last start, 2 failed (1 refused), waited 0 s\n" in told
    assert say("status", "--json", home=home).json()["calls"][0]["calls"] == 1204


def test_a_home_without_anything_is_told_how_to_begin(tmp_path: Path, say: Say) -> None:
    found = say("status", home=tmp_path)

    assert found.code == exits.PROBLEM
    assert f"mediabox run --home {tmp_path}" in found.err


def test_an_archive_without_a_catalogue_is_sent_to_rebuild(home: Path, say: Say) -> None:
    (home / DATABASE).unlink()

    found = say("status", home=home)

    assert found.code == exits.PROBLEM
    assert "run `mediabox rebuild`" in found.err
    assert str(home / "archive") in found.err


def test_a_catalogue_left_empty_by_a_rebuild_is_sent_back_to_it(home: Path, say: Say) -> None:
    (home / DATABASE).rename(home / f"{DATABASE}.before")
    (home / DATABASE).touch()

    for verb in ("status", "doctor"):
        found = say(verb, home=home)

        assert found.code == exits.PROBLEM
        assert "`mediabox rebuild`" in found.out + found.err
        assert f"kept as {home / DATABASE}.before" in found.out + found.err


@pytest.mark.parametrize("point", ["journal.before_commit", "journal.committed", "journal.committed:2"])
def test_a_rebuild_cut_short_is_said_and_the_catalogue_from_before_named(point: str, home: Path, say: Say) -> None:
    killed = program("rebuild", "--home", str(home), MEDIABOX_FAILPOINT=point)

    found = say("status", home=home)
    doctor = say("doctor", home=home)

    assert killed.code == -signal.SIGKILL
    assert found.code == doctor.code == exits.PROBLEM
    assert "a rebuild was interrupted" in found.out
    assert "What to do: Run `mediabox rebuild`." in found.out
    assert f"kept as {home / DATABASE}.before" in found.out
    assert "What to do: Run `mediabox rebuild`." in doctor.out


@pytest.mark.parametrize("gone", ["archive", "archive/.mediabox/volume.json"])
def test_an_archive_that_is_away_is_said_though_nobody_runs(gone: str, home: Path, say: Say) -> None:
    shutil.move(home / gone, home / "elsewhere")

    found = say("status", home=home)

    assert found.code == exits.PROBLEM
    assert f"! The archive {home / 'archive'}" in found.out
    assert "What to do: Reconnect or mount it" in found.out
    assert [issue["key"] for issue in say("status", "--json", home=home).json()["issues"]] == ["volume.missing"]


def test_a_clock_never_set_is_said(made: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "wall_ms", lambda _: 600_000)

    found = say("status", home=made)

    assert found.code == exits.PROBLEM
    assert "! The system clock is before 2025" in found.out


def test_a_full_disk_under_the_catalogue_is_said(made: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "HOME_RESERVE_BYTES", 1 << 60)

    found = say("status", home=made)

    assert found.code == exits.PROBLEM
    assert f"free on the disk of the home folder {made}" in found.out


def test_a_wrong_configuration_is_said_and_the_rest_still_shown(home: Path, say: Say) -> None:
    (home / "mediabox.toml").write_text("[archiv]\n", encoding="utf-8")

    found = say("status", home=home)

    assert found.code == exits.PROBLEM
    assert "mediabox.toml:1: archiv is not a section; did you mean 'archive'?" in found.out
    assert "files taken in" in found.out
