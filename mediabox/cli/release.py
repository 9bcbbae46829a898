"""`mediabox release plan|confirm|undo|report|certificate|accept`: free iCloud of what is proved safe. Off by default.

Only writes down what the person wants, and pokes the daemon, which proves everything
once more before it moves anything to Recently Deleted. `accept` is the way out when the
catalogue was not to be believed: it reads everything again.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.safe import policy_words
from mediabox.cli.words import bytes_words, clock_time, count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import acceptance, certify, release_orders, soundness
from mediabox.core.enrolment import archive_volume
from mediabox.core.home import catalogue, database_of, poke
from mediabox.core.queries.safety import allowed, assess_all, frozen_by
from mediabox.core.timeline import timeline
from mediabox.errors import NeedsHuman, Permanent
from mediabox.model.certificate import Signed
from mediabox.store import releases
from mediabox.store.database import transaction

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from collections.abc import Iterator

    from mediabox.config.load import Config
    from mediabox.core.certify import Assessment
    from mediabox.core.release_orders import Plan, Report
    from mediabox.core.timeline import Timeline
    from mediabox.store.releases import Release

SHOWN = 200


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    config = load(home)
    if arguments.action == "accept":
        return asyncio.run(_accept(config))
    with catalogue(home, write=True) as connection:
        match arguments.action:
            case "plan":
                _refuse_when_off(config)
                return _plan(connection, config, as_json=arguments.json)
            case "confirm":
                _refuse_when_off(config)
                code = _confirm(
                    connection, config, _required(arguments.what, "the code `mediabox release plan` printed")
                )
            case "undo":
                code = _undo(connection, _required(arguments.what, "a name, an order's number, or `all`"))
            case "certificate":
                return _certificate(connection, _required(arguments.what, "a release's number, from the report"))
            case _:
                return _report(connection, as_json=arguments.json)
    if not poke(home):
        print("No mediabox is running here now; it is done at the next start.")
    return code


def _refuse_when_off(config: Config) -> None:
    if not config.release.enabled:
        message = "freeing sources is switched off"
        remedy = f"Write into {config.home / 'mediabox.toml'}: [release] enabled = true; `mediabox safe` says what is."
        raise NeedsHuman(message, issue="release.off", remedy=remedy)
    if not allowed(config):
        remedy = "Set release = true (and deletion = 'keep') in the section of the iCloud account."
        raise NeedsHuman("no source may be freed", issue="release.off", remedy=remedy)


def _required(given: str | None, what: str) -> str:
    if given is None:
        raise Permanent(f"give {what}")
    return given


def _sound(connection: sqlite3.Connection, config: Config) -> tuple[list[Assessment], Timeline]:
    """What is proved now of all that may be freed. Raises NeedsHuman while the catalogue or the clock is in doubt."""
    time = timeline(connection, Clock())
    assessed = assess_all(connection, sorted(allowed(config)), certify.policy_of(config.release), time)
    frozen = frozen_by(connection, config, assessed, time)
    with transaction(connection):
        if frozen is None:
            soundness.thaw(connection)
        elif frozen.issue == soundness.ISSUE:
            soundness.freeze(connection, frozen, now_ms=time.now.at_ms)
    if frozen is not None:
        raise NeedsHuman(f"nothing may be freed: {frozen}", issue=frozen.issue, remedy=frozen.remedy)
    return [each for found in assessed.values() for each in found], time


def _plan(connection: sqlite3.Connection, config: Config, *, as_json: bool) -> int:
    assessed, time = _sound(connection, config)
    with transaction(connection):
        plan = release_orders.plan(connection, assessed, config.release, now_ms=time.now.at_ms)
    write_found(plan, _plan_told(plan, config, len(assessed)), as_json=as_json)
    return exits.OK


def _plan_told(plan: Plan, config: Config, assessed: int) -> Iterator[str]:
    for one in plan.listed[:SHOWN]:
        yield f"  {one.name}  {bytes_words(one.size_bytes)}  {one.source}"
    yield f"{plan.safe:,} of {count_words(assessed, 'photo')} safe to free."
    if plan.held_back:
        limit = f"{config.release.daily_limit} a day, {config.release.daily_percent} % of a library"
        yield f"{plan.held_back:,} of them left for later days ({limit})."
    if plan.code is None:
        yield "Nothing can be freed today. `mediabox safe` says what is missing."
        yield from policy_words(config)
        return
    yield (
        f"{count_words(len(plan.listed), 'photo')} ({bytes_words(plan.size_bytes)}) would be moved to Recently Deleted "
        "of iCloud, on all devices of the account. Apple empties it after 30 days; until then "
        "`mediabox release undo` brings back what is there."
    )
    yield f"To do so, within five minutes: mediabox release confirm {plan.code}"


def _confirm(connection: sqlite3.Connection, config: Config, code: str) -> int:
    assessed, time = _sound(connection, config)
    with transaction(connection):
        done = release_orders.confirm(connection, code, assessed, now_ms=time.now.at_ms)
    if done.refusal is not None:
        print(f"mediabox: {done.refusal}", file=sys.stderr)
        return exits.PROBLEM
    print(f"{count_words(done.count, 'photo')} ({bytes_words(done.size_bytes)}) will be freed, each proved once more.")
    return exits.OK


async def _accept(config: Config) -> int:
    """Read everything again, and believe the catalogue from there on."""
    clock = Clock()
    with catalogue(config.home):  # there has to be one
        pass
    async with database_of(config.home) as database:
        with closing(await archive_volume(database, config.path(config.archive.path), clock=clock)) as volume:
            count = await acceptance.accept(database, volume, clock)
    poke(config.home)
    print(
        f"{count_words(count, 'file')} read again: bytes, catalogue and journal agree. They are believed from now on; "
        "the time a photo has to be archived before it may be freed begins anew now."
    )
    return exits.OK


def _undo(connection: sqlite3.Connection, what: str) -> int:
    now_ms = Clock().wall_ms()
    with transaction(connection):
        concerned = release_orders.undo(connection, what, now_ms=now_ms)
    print(f"{count_words(len(concerned), 'photo')} will stay, or be brought back from Recently Deleted.")
    return exits.OK if concerned else exits.PROBLEM


def _certificate(connection: sqlite3.Connection, number: str) -> int:
    found = releases.release(connection, int(number)) if number.isdecimal() else None
    if found is None or found.certificate is None:
        raise Permanent(f"there is no certificate of release {number}")
    print(found.certificate)
    needed = msgspec.json.decode(found.certificate, type=Signed).certificate.format.rpartition("-")[2]
    print(f"To be checked with version {needed} of verify_certificate.py or a newer one.", file=sys.stderr)
    return exits.OK


def _report(connection: sqlite3.Connection, *, as_json: bool) -> int:
    report = release_orders.report(connection)
    write_found(report, _report_told(report), as_json=as_json)
    return exits.OK


def _report_told(report: Report) -> Iterator[str]:
    if not report.releases:
        yield "Nothing was ever freed."
        return
    yield ", ".join(f"{count:,} {state}" for state, count in report.counts.items())
    yield f"{bytes_words(report.released_bytes)} are in Recently Deleted, or were."
    yield from (_line(one) for one in report.releases[:SHOWN])


def _line(one: Release) -> str:
    why = f" ({one.reason})" if one.reason else ""
    return f"  {one.id}  {clock_time(one.changed_at_ms)}  {one.name}  {one.source}  {one.state}{why}"
