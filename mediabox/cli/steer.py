"""`mediabox pause`, `resume`, `retry`: write it down, and poke the daemon if one runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import catalogue, home_of, poke
from mediabox.clock import Clock
from mediabox.core import commands
from mediabox.errors import Permanent
from mediabox.store.database import transaction

if TYPE_CHECKING:
    import argparse

UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = home_of(arguments), Clock().wall_ms()
    until_ms = _until_ms(getattr(arguments, "duration", None), now_ms)
    with catalogue(home, write=True) as connection, transaction(connection):
        match arguments.verb:
            case "pause":
                commands.pause(connection, until_ms=until_ms, now_ms=now_ms)
                said = "Paused." if until_ms is None else f"Paused for {arguments.duration}."
            case "resume":
                said = "Going on." if commands.resume(connection, now_ms=now_ms) else "It was not paused."
            case _:
                said = f"{commands.retry(connection, now_ms=now_ms)} steps are tried again."
    is_running = poke(home)
    print(said if is_running else f"{said} No mediabox is running here now; it will hold at the next start.")
    return exits.OK


def _until_ms(duration: str | None, now_ms: int) -> int | None:
    if duration is None:
        return None
    match = re.fullmatch(r"(\d{1,6})([smhd])", duration)
    if match is None:
        message = f"{duration!r} is not a duration: write a number and s, m, h or d (30m, 1h, 2d)"
        raise Permanent(message)
    return now_ms + int(match[1]) * UNITS_MS[match[2]]
