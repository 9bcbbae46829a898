"""`mediabox pause`, `resume`, `retry`, `scan`, `allow-deletions`: write it down, and poke the daemon if one runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import catalogue, home_of, poke
from mediabox.cli.words import count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import commands
from mediabox.store.database import transaction

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

AT_THE_NEXT_START = "mediabox is not running here now: it counts from the next start."
UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = home_of(arguments), Clock().wall_ms()
    if arguments.verb == "scan":
        return _scan(home, arguments, now_ms)
    until_ms = _until_ms(getattr(arguments, "duration", None), now_ms)
    has_changed = True
    with catalogue(home, write=True) as connection, transaction(connection):
        match arguments.verb:
            case "pause":
                commands.pause(connection, until_ms=until_ms, now_ms=now_ms)
                said = "Paused." if until_ms is None else f"Paused for {arguments.duration}."
            case "allow-deletions":
                commands.allow_trashing(connection, now_ms=now_ms)
                said = "For a day deletions are followed, however many; what goes lies in the trash for 30 days."
            case "resume":
                has_changed = commands.resume(connection, now_ms=now_ms)
                said = "No longer paused." if has_changed else "It was not paused."
            case _:
                count = commands.retry(connection, now_ms=now_ms)
                said = (
                    f"To be tried again: {count_words(count, 'step')}." if count else "There is nothing to try again."
                )
                has_changed = count > 0
    is_running = poke(home)
    print(said if is_running or not has_changed else f"{said} {AT_THE_NEXT_START}")
    return exits.OK


def _scan(home: Path, arguments: argparse.Namespace, now_ms: int) -> int:
    names = [one.name for one in load(home).sources]
    if arguments.source is not None and arguments.source not in names:
        message = f"there is no source {arguments.source!r}; configured are: {', '.join(names) or 'none'}"
        raise exits.WrongUsage(message)
    wanted = names if arguments.source is None else [arguments.source]
    with catalogue(home, write=True) as connection, transaction(connection):
        for name in wanted:
            commands.ask_for_listing(connection, name, is_full=arguments.full, now_ms=now_ms)
    what = "Everything is listed once more" if arguments.full else "What is new is looked for"
    print(f"{what}: {', '.join(wanted)}." + ("" if poke(home) else f" {AT_THE_NEXT_START}"))
    return exits.OK


def _until_ms(duration: str | None, now_ms: int) -> int | None:
    if duration is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})([smhd])", duration)
    if match is None:
        message = f"{duration!r} is not a duration: write a number and s, m, h or d (30m, 1h, 2d)"
        raise exits.WrongUsage(message)
    return now_ms + int(match[1]) * UNITS_MS[match[2]]
