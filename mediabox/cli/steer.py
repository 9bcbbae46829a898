"""`mediabox pause`, `resume`, `retry`, `scan`, `allow-deletions`: write it down, and poke the daemon if one runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.execute import execute
from mediabox.cli.home import home_of
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
from mediabox.message import message
from mediabox.messages.reader import tr, tr_plural

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from mediabox.core.commands.contract import Command

UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    command = _command(home, arguments)
    result, is_running = execute(home, command)
    words, has_changed = _words(result, arguments)
    print(words if is_running or not has_changed else tr("{done} mediabox is not running.", done=words))
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
            return tr("Paused.") if until_ms is None else tr("Paused until {at:time}.", at=until_ms), True
        case DeletionsAllowed():
            return tr(
                "Deletions are followed for one day, however many. Deleted photos stay in the trash for 30 days."
            ), True
        case Resumed(was_paused=was_paused):
            return tr("Resumed.") if was_paused else tr("mediabox was not paused."), was_paused
        case Retried(count=0):
            return tr("There is nothing to retry."), False
        case Retried(count=count):
            return tr_plural("{count:n} step will be retried.", "{count:n} steps will be retried.", count=count), True
    assert isinstance(result, Asked)
    sources = ", ".join(result.sources)
    if arguments.full:
        return tr("Listing everything again: {sources}.", sources=sources), True
    return tr("Checking for new photos: {sources}.", sources=sources), True


def _sources(home: Path, wanted: str | None) -> tuple[str, ...]:
    names = tuple(one.name for one in load(home).sources)
    if wanted is not None and wanted not in names:
        raise exits.WrongUsage(
            message(
                "no source named {name}; configured sources: {sources}", name=wanted, sources=", ".join(names) or "-"
            )
        )
    return names if wanted is None else (wanted,)


def _until_ms(duration: str | None, now_ms: int) -> int | None:
    if duration is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})([smhd])", duration)
    if match is None:
        raise exits.WrongUsage(
            message("{text} is not a duration: enter a number and s, m, h or d (30m, 1h, 2d)", text=duration)
        )
    return now_ms + int(match[1]) * UNITS_MS[match[2]]
