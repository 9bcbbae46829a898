"""`mediabox pixel tell|believe|resend|clear NAME`: what a person, or a script, has to say of a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import catalogue, home_of, poke
from mediabox.cli.words import count_words
from mediabox.clock import Clock
from mediabox.core import commands
from mediabox.core.delivering import orders
from mediabox.model.delivery import PeerTold
from mediabox.store.database import transaction

if TYPE_CHECKING:
    import argparse
    import sqlite3

DAY_MS = 86_400_000
GB = 1_000_000_000


def run(arguments: argparse.Namespace, name: str) -> int:
    """`name`: of the destination."""
    home = home_of(arguments)
    with catalogue(home, write=True) as connection, transaction(connection):
        said = _do(connection, arguments, name)
    is_running = poke(home)
    print(said if is_running else f"{said} mediabox is not running here; it goes on when it does.")
    return exits.OK


def _do(connection: sqlite3.Connection, arguments: argparse.Namespace, name: str) -> str:
    now_ms = Clock().wall_ms()
    match arguments.action:
        case "tell":
            commands.tell(connection, name, _told(arguments, now_ms))
            return f"Noted for {name}, for an hour."
        case "believe":
            count = orders.believe(connection, name, now_ms=now_ms)
            return f"{count_words(count, 'file')} of {name} counted as arrived, on your word: it is no proof."
        case "resend":
            count = orders.resend(connection, name, now_ms=now_ms)
            return f"{count_words(count, 'file')} will go to {name} once more."
        case _:
            before_ms = now_ms - int(arguments.older_than * DAY_MS)
            count = orders.clear(connection, name, older_than_ms=before_ms, now_ms=now_ms)
            return (
                f"{count_words(count, 'file')} that {name} has had for {arguments.older_than:g} days will be taken "
                "off it. What Google Photos has backed up stays there; the originals stay in the archive."
            )


def _told(arguments: argparse.Namespace, now_ms: int) -> PeerTold:
    free_gb = arguments.free_gb
    return PeerTold(
        at_ms=now_ms,
        battery_percent=arguments.battery,
        celsius=arguments.celsius,
        free_bytes=int(free_gb * GB) if free_gb is not None else None,
    )
