"""`mediabox status`: how things stand, for a person or a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits, left_words
from mediabox.cli.home import home_of
from mediabox.cli.issue_lines import issue_lines
from mediabox.cli.live import live_of
from mediabox.cli.output import write_found
from mediabox.cli.standing import issue_of
from mediabox.cli.words import bytes_words, clock_time, count_words
from mediabox.clock import Clock
from mediabox.core.home import catalogue
from mediabox.core.queries.overview import overview
from mediabox.core.surroundings import look_around
from mediabox.errors import Fatal
from mediabox.model.issue import Severity
from mediabox.surfaces.terminal import road_words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from mediabox.model.issue import Issue
    from mediabox.model.live import Live
    from mediabox.model.status import Calls, Status


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    try:
        found = status_of(home)
    except Fatal:
        if (live := live_of(home)) is None:
            raise
        write_found(live, _live_lines(live), as_json=arguments.json)
        return exits.PROBLEM
    write_found(found, _lines(found), as_json=arguments.json)
    told = {issue.key for issue in found.issues if issue.severity is not Severity.NOTICE}
    if any(key.startswith("icloud.") for key in told):  # signing in, consent, terms: nobody else can do it
        return exits.NEEDS_PERSON
    return exits.PROBLEM if told or not found.accounting.is_balanced else exits.OK


def status_of(home: Path) -> Status:
    """The box's status, from the catalogue, the lock and the archive's disk."""
    around = look_around(home, Clock())
    with catalogue(home) as connection:
        found = overview(connection, around)
    status = found.status
    open_areas = {_area(issue) for issue in status.issues}
    now = (issue_of(condition, at_ms=around.at_ms) for condition in found.conditions)
    return msgspec.structs.replace(
        status,
        waiting_for=_pause_words(found.paused_until_ms) if found.is_paused else status.waiting_for,
        issues=(*status.issues, *(issue for issue in now if _area(issue) not in open_areas)),
    )


def _area(issue: Issue) -> str:
    return issue.key.partition(".")[0]


def _pause_words(until_ms: int | None) -> str:
    until = f" until {clock_time(until_ms)}" if until_ms is not None else ""
    return f"paused by a person{until}"


def _lines(status: Status) -> Iterator[str]:
    accounting = status.accounting
    yield _headline(status)
    yield (
        f"  {count_words(accounting.taken_in, 'file')} taken in: {accounting.archived:,} archived, "
        f"{count_words(accounting.duplicate, 'duplicate')}, {accounting.quarantined:,} quarantined, "
        f"{accounting.pending:,} pending"
    )
    if accounting.trashed or accounting.removed:
        yield f"  deleted at a source: {accounting.trashed:,} of them in the trash, {accounting.removed:,} removed"
    yield f"  {count_words(status.assets, 'asset')}, {bytes_words(status.bytes.archived)} archived{_room(status)}"
    if status.rates.files_per_minute:
        rate = bytes_words(status.rates.bytes_per_second)
        yield f"  last minute: {count_words(status.rates.files_per_minute, 'file')}, {rate}/s"
    if status.adoption.offered:
        yield (
            f"  {count_words(status.adoption.offered, 'file')} of older backups on offer: "
            f"{status.adoption.adopted:,} adopted, {bytes_words(status.adoption.bytes)} not fetched again"
        )
    for road in status.roads:
        yield f"  to {road.destination}: {road_words(road)}"
    yield from map(_call_words, status.calls)
    for count, what in (
        (status.companions, "archived as companions of others (sidecars, thumbnails, proxies, logs)"),
        (status.similar, "like another picture (none is removed for it)"),
        (status.flagged, "archived with something wrong in them"),
        (status.ignored, "left alone in the sources: neither pictures nor videos"),
    ):
        if count:
            yield f"  {count_words(count, 'file')} {what}"
    for name, survey in status.surveys.items():
        yield f"  {name}: {count_words(survey.names, 'name')} there, {survey.names - survey.listed:,} left out"
        yield from map("  {}".format, left_words.lines(survey))
    if status.indexed_percent < 100:
        yield f"  {status.indexed_percent} % indexed for searching: `mediabox find` does not find everything yet"
    for named in status.quarantined:
        yield f"  quarantined: {named.remote_id}: {named.reason}"
    for named in status.damaged:
        yield f"  flagged: {named.remote_id}: {named.reason}"
    if failed := sum(step.failed for step in status.jobs):
        yield f"  {count_words(failed, 'step')} failed for good; the reasons follow"
    yield from issue_lines(status.issues, now_ms=status.at_ms)


def _call_words(calls: Calls) -> str:
    refused = f" ({calls.refusals:,} refused)" if calls.refusals else ""
    return (
        f"  {calls.source}, {calls.endpoint}: {count_words(calls.calls, 'call')} since the last start, "
        f"{calls.errors:,} failed{refused}, waited {calls.waited_s:,.0f} s"
    )


def _live_lines(live: Live) -> Iterator[str]:
    """A box that runs without a catalogue."""
    percent = f", {live.percent} %" if live.percent is not None else ""
    yield f"mediabox is running (process {live.pid}), {live.waiting_for or live.state}{percent}"
    yield from issue_lines(live.issues, now_ms=live.at_ms)


def _headline(status: Status) -> str:
    state = f"running (process {status.pid})" if status.is_running else "not running"
    if status.stuck_s is not None:
        return f"mediabox is {state}, but it has not moved for {status.stuck_s:,.0f} s"
    if status.waiting_for:
        return f"mediabox is {state}, {status.waiting_for}"
    return f"mediabox is {state}{', working' if status.is_running and status.accounting.pending else ''}"


def _room(status: Status) -> str:
    free = status.bytes.archive_free
    return f", {bytes_words(free)} free on the archive's disk" if free is not None else ""
