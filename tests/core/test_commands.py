"""What people order: each order is a row that outlives a restart, good for as long as it is, and in the journal."""

import pytest
from core.catalogue_of import DAY_MS, NOW_MS, Catalogued, ScriptedSource, photo

from mediabox.core import requests, switches
from mediabox.core.commands.contract import Command
from mediabox.core.commands.control import AllowDeletions, Pause, Resume, Resumed, Retried, Retry
from mediabox.core.commands.dispatch import execute_in
from mediabox.core.commands.scan import Scan
from mediabox.core.failures import FAILED
from mediabox.core.switches import Rest
from mediabox.model.actor import Actor, ActorKind, Role
from mediabox.model.asset import ResourceState
from mediabox.model.delivery import Counted, DeviceReport
from mediabox.model.issue import Issue, Severity
from mediabox.model.job import JobRequest
from mediabox.model.request import Look
from mediabox.store import assets, figures, issues, jobs, journal, listings, volumes

MINUTE_MS, HOUR_MS = 60_000, 3_600_000


ANNA = Actor(kind=ActorKind.CONSOLE, name="anna", role=Role.ADMIN)


async def give(box: Catalogued, command: Command, actor: Actor = ANNA) -> object:
    return await execute_in(box.database, command, actor, now_ms=NOW_MS)


async def do(box: Catalogued, command, *values: object, **named: object):
    return await box.database.write(lambda connection: command(connection, *values, **named))


async def events(box: Catalogued) -> list[str]:
    return [row[0] for row in await box.rows("SELECT event FROM journal ORDER BY seq")]


# ---------------------------------------------------------------- pausing


async def test_a_pause_holds_until_it_is_taken_back(box: Catalogued) -> None:
    await give(box, Pause())

    assert await box.ask(lambda connection: switches.rest_at(connection, now_ms=NOW_MS + 9 * DAY_MS)) == Rest()
    assert await give(box, Resume()) == Resumed(was_paused=True)
    assert await box.ask(lambda connection: switches.rest_at(connection, now_ms=NOW_MS)) is None
    assert await events(box) == ["paused", "resumed"]


@pytest.mark.parametrize(("after_ms", "holds"), [(0, True), (HOUR_MS - 1, True), (HOUR_MS, False)])
async def test_a_pause_for_an_hour_is_over_after_it(box: Catalogued, after_ms: int, holds: bool) -> None:
    await give(box, Pause(until_ms=NOW_MS + HOUR_MS))

    held = await box.ask(lambda connection: switches.rest_at(connection, now_ms=NOW_MS + after_ms))

    assert (held is not None) == holds


async def test_going_on_when_nothing_was_paused_is_no_event(box: Catalogued) -> None:
    assert await give(box, Resume()) == Resumed(was_paused=False)
    assert await events(box) == []


# ---------------------------------------------------------------- listing


@pytest.mark.parametrize("is_full", [False, True])
async def test_a_source_is_asked_to_look_and_a_full_look_begins_at_the_beginning(
    box: Catalogued, cloud: ScriptedSource, is_full: bool
) -> None:
    cloud.say(photo("P/one"))
    await box.intake.list_once(cloud)

    await give(box, Scan(sources=("cloud",), is_full=is_full))

    assert (await do(box, requests.take, "source:cloud", now_ms=NOW_MS)).step == Look()
    assert await box.ask(switches.is_full_listing_asked, "cloud") == is_full
    await do(box, switches.begin_full_listing, "cloud")
    assert await box.ask(listings.cursor, "cloud") is None
    assert await box.ask(switches.is_full_listing_asked, "cloud") is False


# ---------------------------------------------------------------- of phones


@pytest.mark.parametrize(
    ("later_ms", "counts"), [(0, True), (HOUR_MS, True), (HOUR_MS + 1, False), (-2 * HOUR_MS, False)]
)
async def test_what_was_told_of_a_phone_counts_for_an_hour(box: Catalogued, later_ms: int, counts: bool) -> None:
    told = DeviceReport(at_ms=NOW_MS, battery_percent=41.0)
    await do(box, switches.report_device, "pixel", told)

    found = await box.ask(lambda connection: switches.device_of(connection, "pixel", now_ms=NOW_MS + later_ms))

    assert found == (told if counts else None)


async def test_a_count_replaces_the_one_before_and_is_its_phones_alone(box: Catalogued) -> None:
    for shown in (3, 4):
        await do(box, switches.keep_count, "pixel", Counted(at_ms=NOW_MS, shown=shown, on_phone=4))

    assert (await box.ask(switches.count_of, "pixel")).shown == 4
    assert await box.ask(switches.count_of, "other") is None


async def test_why_nothing_is_sent_is_kept_until_something_is(box: Catalogued) -> None:
    await do(box, switches.set_wait, "pixel", "the phone is hot")
    assert await box.ask(volumes.switch, figures.WAITS + "pixel") == "the phone is hot"

    await do(box, switches.set_wait, "pixel", None)
    assert await box.ask(volumes.switch, figures.WAITS + "pixel") is None


# ---------------------------------------------------------------- deletions, failures


@pytest.mark.parametrize(("later_ms", "may"), [(0, True), (DAY_MS - 1, True), (DAY_MS, False), (-MINUTE_MS, False)])
async def test_many_deletions_are_allowed_for_a_day_and_by_no_clock_that_is_behind(
    box: Catalogued, later_ms: int, may: bool
) -> None:
    assert not await box.ask(lambda connection: switches.are_deletions_allowed(connection, now_ms=NOW_MS))

    await give(box, AllowDeletions())

    assert await box.ask(lambda connection: switches.are_deletions_allowed(connection, now_ms=NOW_MS + later_ms)) == may
    assert await events(box) == ["mass_deletion_allowed"]


async def test_trying_again_means_every_failed_step_and_every_quarantined_file(
    box: Catalogued, cloud: ScriptedSource
) -> None:
    cloud.say(photo("P/one"))
    await box.intake.list_once(cloud)
    one = await box.file("P/one/original")

    def break_both(connection) -> None:
        connection.execute("DELETE FROM job")
        assets.set_quarantined(connection, one.id, "empty")
        job = jobs.add(connection, JobRequest(step="describe", subject="7"))
        jobs.fail(connection, job, "no")
        issue = Issue(key=FAILED, subject="describe:7", severity=Severity.ERROR, message="m")
        issues.open_issue(connection, issue, at_ms=NOW_MS)

    await box.database.write(break_both)

    assert await give(box, Retry()) == Retried(count=2)

    assert (await box.file("P/one/original")).state is ResourceState.SEEN
    assert await box.rows("SELECT step, subject, state, attempts FROM job ORDER BY step") == [
        ("describe", "7", "ready", 0),
        ("fetch", str(one.id), "ready", 0),
    ]
    assert await box.ask(issues.open_issues) == []
    assert (await box.ask(journal.last))[0] == len(await events(box))
    assert (await events(box))[-1] == "retried"
