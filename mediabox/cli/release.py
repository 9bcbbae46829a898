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
from mediabox.cli.execute import console, execute
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.safe import policy_words
from mediabox.cli.words import bytes_words, clock_time, count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import acceptance, release_orders
from mediabox.core.commands.release import ConfirmRelease, PlanRelease, UndoRelease
from mediabox.core.enrolment import archive_volume
from mediabox.core.home import catalogue, database_of, poke
from mediabox.errors import Permanent
from mediabox.model.certificate import Signed
from mediabox.store import releases

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from mediabox.config.load import Config
    from mediabox.core.release_orders import Plan, Report
    from mediabox.store.releases import Release

SHOWN = 200


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    config = load(home)
    if arguments.action == "accept":
        return asyncio.run(_accept(config))
    match arguments.action:
        case "plan":
            return _plan(config, as_json=arguments.json)
        case "confirm":
            result, is_running = execute(home, ConfirmRelease(code=arguments.what or ""))
            freed = f"{count_words(result.count, 'photo')} ({bytes_words(result.size_bytes)})"
            print(f"{freed} will be freed, each proved once more.")
        case "undo":
            what = _required(arguments.what, "a name, an order's number, or `all`")
            undone, is_running = execute(home, UndoRelease(what=what))
            print(f"{count_words(undone.count, 'photo')} will stay, or be brought back from Recently Deleted.")
            if not undone.count:
                return exits.PROBLEM
        case "certificate":
            return _certificate(home, _required(arguments.what, "a release's number, from the report"))
        case _:
            return _report(home, as_json=arguments.json)
    if not is_running:
        print("No mediabox is running here now; it is done at the next start.")
    return exits.OK


def _required(given: str | None, what: str) -> str:
    if given is None:
        raise Permanent(f"give {what}")
    return given


def _plan(config: Config, *, as_json: bool) -> int:
    planned, _ = execute(config.home, PlanRelease())
    write_found(planned.plan, _plan_told(planned.plan, config, planned.assessed), as_json=as_json)
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


async def _accept(config: Config) -> int:
    """Read everything again, and believe the catalogue from there on."""
    clock = Clock()
    with catalogue(config.home):  # there has to be one
        pass
    async with database_of(config.home) as database:
        with closing(await archive_volume(database, config.path(config.archive.path), clock=clock)) as volume:
            count = await acceptance.accept(database, volume, clock, actor=console())
    poke(config.home)
    print(
        f"{count_words(count, 'file')} read again: bytes, catalogue and journal agree. They are believed from now on; "
        "the time a photo has to be archived before it may be freed begins anew now."
    )
    return exits.OK


def _certificate(home: Path, number: str) -> int:
    with catalogue(home) as connection:
        found = releases.release(connection, int(number)) if number.isdecimal() else None
    if found is None or found.certificate is None:
        raise Permanent(f"there is no certificate of release {number}")
    print(found.certificate)
    needed = msgspec.json.decode(found.certificate, type=Signed).certificate.format.rpartition("-")[2]
    print(f"To be checked with version {needed} of verify_certificate.py or a newer one.", file=sys.stderr)
    return exits.OK


def _report(home: Path, *, as_json: bool) -> int:
    with catalogue(home) as connection:
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
