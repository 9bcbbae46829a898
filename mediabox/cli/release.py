"""`mediabox release plan|confirm|undo|report|certificate`: free iCloud of what is proved safe. Off by default.

Only writes down what the person wants, and pokes the daemon, which proves everything
once more before it moves anything to Recently Deleted.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits
from mediabox.cli.home import catalogue, home_of, poke
from mediabox.cli.safe import allowed, policy_words
from mediabox.cli.words import bytes_words, clock_time, count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import certify, release_orders
from mediabox.errors import NeedsHuman, Permanent
from mediabox.store import journal, releases
from mediabox.store.database import transaction

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from collections.abc import Iterator

    from mediabox.config.load import Config
    from mediabox.core.release_orders import Plan, Report
    from mediabox.store.releases import Release

SHOWN = 200


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    config = load(home)
    with catalogue(home, write=True) as connection:
        match arguments.action:
            case "plan":
                _refuse_when_off(config)
                return _plan(connection, config, as_json=arguments.json)
            case "confirm":
                _refuse_when_off(config)
                code = _confirm(connection, _required(arguments.what, "the code `mediabox release plan` printed"))
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


def _trusted_now_ms(connection: sqlite3.Connection) -> int:
    """Now, by a clock that may be believed (I13)."""
    clock = Clock()
    clock.witness(journal.last_at_ms(connection))
    if not clock.is_trusted():
        remedy = "Connect the box to the network, or set its clock."
        raise NeedsHuman("the clock is behind times that have passed", issue="clock.not_set", remedy=remedy)
    return clock.wall_ms()


def _plan(connection: sqlite3.Connection, config: Config, *, as_json: bool) -> int:
    damage = certify.unsoundness(connection)
    if damage is not None:
        raise Permanent(f"nothing may be freed: {damage}; run `mediabox rebuild`")
    now_ms, policy = _trusted_now_ms(connection), certify.policy_of(config.release)
    with transaction(connection):
        assessed = [
            certify.assess(connection, each, policy, now_ms=now_ms)
            for source in sorted(allowed(config))
            for each in releases.candidates(connection, source)
        ]
        plan = release_orders.plan(connection, assessed, config.release, now_ms=now_ms)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n")
    else:
        print("\n".join(_plan_told(plan, config, len(assessed))))
    return exits.OK


def _plan_told(plan: Plan, config: Config, assessed: int) -> Iterator[str]:
    for one in plan.listed[:SHOWN]:
        yield f"  {one.name}  {bytes_words(one.size_bytes)}  {one.source}"
    yield f"{plan.safe:,} of {count_words(assessed, 'photo')} are safe to free."
    if plan.held_back:
        limit = f"{config.release.daily_limit} a day, {config.release.daily_percent} % of a library"
        yield f"{plan.held_back:,} of them are left for later days ({limit})."
    if plan.code is None:
        yield "Nothing can be freed today. `mediabox safe` says what is missing."
        yield from policy_words(config)
        return
    yield (
        f"{count_words(len(plan.listed), 'photo')} ({bytes_words(plan.size_bytes)}) would be moved to Recently Deleted "
        "of iCloud, on all devices of the account. Apple empties it after 30 days; until then "
        "`mediabox release undo` brings them back."
    )
    yield f"To do so, within five minutes: mediabox release confirm {plan.code}"


def _confirm(connection: sqlite3.Connection, code: str) -> int:
    now_ms = _trusted_now_ms(connection)
    with transaction(connection):
        done = release_orders.confirm(connection, code, now_ms=now_ms)
    if done.refusal is not None:
        print(f"mediabox: {done.refusal}", file=sys.stderr)
        return exits.PROBLEM
    print(f"{count_words(done.count, 'photo')} ({bytes_words(done.size_bytes)}) will be freed, each proved once more.")
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
    return exits.OK


def _report(connection: sqlite3.Connection, *, as_json: bool) -> int:
    report = release_orders.report(connection)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        print("\n".join(_report_told(report)))
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
