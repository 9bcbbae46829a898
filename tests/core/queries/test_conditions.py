"""What is wrong with a box at this moment, in states that are hard to reach by hand."""

import sqlite3
from pathlib import Path

import msgspec
import pytest
from core.queries.catalogued import NOW_MS, VOLUME, archived

from mediabox.cli.standing import issue_of
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import enrolment, switches
from mediabox.core.governor import HOME_RESERVE_BYTES
from mediabox.core.queries.conditions import Condition, ConditionReason, conditions
from mediabox.core.queries.overview import overview
from mediabox.core.surroundings import Surroundings, look_around
from mediabox.heartbeat import Life
from mediabox.model.issue import Severity
from mediabox.store import journal


@pytest.fixture
def well(tmp_path: Path) -> Surroundings:
    """A box that runs, and of which nothing is to be said."""
    return Surroundings(
        home=tmp_path,
        at_ms=NOW_MS,
        is_clock_set=True,
        config=load(tmp_path),
        problem=None,
        pid=4711,
        life=Life(1.0, None),
        home_free=HOME_RESERVE_BYTES,
        archive_free=10**12,
        is_archive_there=True,
        is_archive_marked=True,
        has_archived=True,
        catalogue_before=None,
    )


def enrolled(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO volume VALUES (?, 'archive', 'ext4', 1, 1)", (VOLUME,))


def reasons(connection: sqlite3.Connection | None, around: Surroundings, **differs: object) -> list[ConditionReason]:
    return [one.reason for one in conditions(connection, msgspec.structs.replace(around, **differs))]


def test_nothing_is_said_of_a_box_that_is_well(connection: sqlite3.Connection, well: Surroundings) -> None:
    enrolled(connection)

    assert reasons(connection, well) == []
    assert reasons(None, well) == []


@pytest.mark.parametrize(
    ("differs", "expected"),
    [
        ({"is_archive_there": False, "is_archive_marked": False}, ConditionReason.ARCHIVE_ABSENT),
        ({"is_archive_marked": False}, ConditionReason.ARCHIVE_UNMARKED),
        ({"is_clock_set": False}, ConditionReason.CLOCK_UNSET),
        ({"life": Life(61.0, None)}, ConditionReason.STUCK),
        ({"home_free": HOME_RESERVE_BYTES - 1}, ConditionReason.HOME_FULL),
    ],
)
def test_each_trouble_has_its_reason(
    connection: sqlite3.Connection, well: Surroundings, differs: dict[str, object], expected: ConditionReason
) -> None:
    enrolled(connection)

    assert reasons(connection, well, **differs) == [expected]


@pytest.mark.parametrize("differs", [{"home_free": None}, {"pid": None, "life": None}, {"life": None}])
def test_what_cannot_be_read_is_not_judged(
    connection: sqlite3.Connection, well: Surroundings, differs: dict[str, object]
) -> None:
    enrolled(connection)

    assert reasons(connection, well, **differs) == []


def test_an_archive_nothing_was_filed_in_yet_is_not_missed(connection: sqlite3.Connection, well: Surroundings) -> None:
    assert reasons(connection, well, is_archive_there=False, is_archive_marked=False, has_archived=False) == []


def test_a_catalogue_without_its_archive_is_told_from_half_a_one(
    connection: sqlite3.Connection, well: Surroundings
) -> None:
    stopped = {"pid": None, "life": None}
    empty = reasons(connection, well, **stopped)
    while_it_runs = reasons(connection, well)
    enrolled(connection)
    enrolment.set_rebuilding(connection, is_under_way=True)

    assert empty == [ConditionReason.CATALOGUE_EMPTY]
    assert while_it_runs == []
    assert reasons(connection, well, **stopped) == [ConditionReason.CATALOGUE_HALF_MADE]


def test_a_configuration_that_cannot_be_used_hides_no_other_trouble(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    (tmp_path / "mediabox.toml").write_text("[dedup]\nmax_distance = 99\n", encoding="utf-8")
    enrolled(connection)
    around = msgspec.structs.replace(look_around(tmp_path, Clock()), is_clock_set=False, home_free=None)

    found = conditions(connection, around)

    assert [one.reason for one in found] == [ConditionReason.CONFIG_INVALID, ConditionReason.CLOCK_UNSET]
    assert "mediabox.toml:2" in str(issue_of(found[0], at_ms=1).message)
    assert around.archive is None
    assert around.archive_free is None


@pytest.mark.parametrize("is_on", [True, False])
def test_that_everything_is_to_be_proved_once_is_said_where_something_may_be_freed(
    connection: sqlite3.Connection, well: Surroundings, is_on: bool
) -> None:
    enrolled(connection)
    journal.append(connection, "archived", at_ms=1, resource_id=1)
    connection.execute("UPDATE journal SET mac = NULL")
    (well.home / "mediabox.toml").write_text(f"[release]\nenabled = {str(is_on).lower()}\n", encoding="utf-8")

    found = conditions(connection, msgspec.structs.replace(well, config=load(well.home)))

    assert [one.reason for one in found] == [ConditionReason.UNPROVED] * is_on
    for one in found:
        issue = issue_of(one, at_ms=1)
        assert (issue.key, issue.subject, issue.severity) == ("release.unsound", "catalogue", Severity.NOTICE)


@pytest.mark.parametrize("reason", ConditionReason)
def test_every_reason_has_words_and_what_to_do(reason: ConditionReason, well: Surroundings) -> None:
    from mediabox.core.soundness import unsound

    error = (
        unsound("it cannot be read") if reason in (ConditionReason.CONFIG_INVALID, ConditionReason.UNPROVED) else None
    )

    issue = issue_of(Condition(reason=reason, path="/srv/photos", error=error), at_ms=NOW_MS)

    assert issue.message
    assert issue.remedy
    assert issue.opened_at_ms == NOW_MS


def test_an_overview_joins_what_is_stored_with_what_is_seen(connection: sqlite3.Connection, well: Surroundings) -> None:
    enrolled(connection)
    archived(connection, "IMG_0001.JPG")
    switches.set_rest(connection, switches.Rest(until_ms=NOW_MS + 1))

    found = overview(connection, msgspec.structs.replace(well, life=Life(1.0, "waiting: it is hot"), archive_free=7))

    status = found.status
    assert (status.accounting.archived, status.assets) == (1, 1)
    assert (status.bytes.archived, status.bytes.archive_free) == (1000, 7)
    assert (status.pid, status.is_running, status.stuck_s) == (4711, True, None)
    assert status.waiting_for == "waiting: it is hot"
    assert (found.is_paused, found.paused_until_ms) == (True, NOW_MS + 1)
    assert found.conditions == ()
