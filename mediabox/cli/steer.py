"""`mediabox pause`, `resume`, `retry`, `scan`, `allow-deletions`: write it down, and poke the daemon if one runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.execute import execute
from mediabox.cli.home import home_of
from mediabox.cli.words import count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core.commands.control import (
    AllowDeletions,
    DeletionsAllowed,
    Pause,
    Paused,
    Resume,
    Resumed,
    Retried,
    Retry,
)
from mediabox.core.commands.scan import Asked, Scan

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from mediabox.core.commands.contract import Command

AT_THE_NEXT_START = "mediabox is not running here now: it counts from the next start."
UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    command = _command(home, arguments)
    result, is_running = execute(home, command)
    words, has_changed = _words(result, arguments)
    print(words if is_running or not has_changed else f"{words} {AT_THE_NEXT_START}")
    return exits.OK


def _command(home: Path, arguments: argparse.Namespace) -> Command[object]:
    match arguments.verb:
        case "pause":
            return Pause(until_ms=_until_ms(arguments.duration, Clock().wall_ms()))
        case "allow-deletions":
            return AllowDeletions()
        case "resume":
            return Resume()
        case "scan":
            return Scan(sources=_sources(home, arguments.source), is_full=arguments.full)
        case _:
            return Retry()


def _words(result: object, arguments: argparse.Namespace) -> tuple[str, bool]:
    """For a person, and whether anything is different now."""
    match result:
        case Paused(until_ms=until_ms):
            return "Paused." if until_ms is None else f"Paused for {arguments.duration}.", True
        case DeletionsAllowed():
            return "For a day deletions are followed, however many; what goes lies in the trash for 30 days.", True
        case Resumed(was_paused=was_paused):
            return "No longer paused." if was_paused else "It was not paused.", was_paused
        case Retried(count=0):
            return "There is nothing to try again.", False
        case Retried(count=count):
            return f"To be tried again: {count_words(count, 'step')}.", True
    assert isinstance(result, Asked)
    what = "Everything is listed once more" if arguments.full else "What is new is looked for"
    return f"{what}: {', '.join(result.sources)}.", True


def _sources(home: Path, wanted: str | None) -> tuple[str, ...]:
    names = tuple(one.name for one in load(home).sources)
    if wanted is not None and wanted not in names:
        message = f"there is no source {wanted!r}; configured are: {', '.join(names) or 'none'}"
        raise exits.WrongUsage(message)
    return names if wanted is None else (wanted,)


def _until_ms(duration: str | None, now_ms: int) -> int | None:
    if duration is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})([smhd])", duration)
    if match is None:
        message = f"{duration!r} is not a duration: write a number and s, m, h or d (30m, 1h, 2d)"
        raise exits.WrongUsage(message)
    return now_ms + int(match[1]) * UNITS_MS[match[2]]
