"""What a person, or a script, has to say of a phone: `mediabox pixel tell|unverified|believe|resend|count|clear`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.pixel_words import count_told
from mediabox.cli.words import count_words, plain
from mediabox.clock import Clock
from mediabox.core import switches
from mediabox.core.delivering import orders
from mediabox.core.delivering.rounds import rounds_of
from mediabox.core.home import DATABASE, catalogue, poke
from mediabox.model.delivery import DeliveryState, PeerTold
from mediabox.store import deliveries
from mediabox.store.database import transaction

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from pathlib import Path

    from mediabox.cli.pixel_target import Target
    from mediabox.core.delivering.rounds import Rounds
    from mediabox.model.delivery import Counted

DAY_MS = 86_400_000
GB = 1_000_000_000


def run(arguments: argparse.Namespace, name: str) -> int:
    """`name`: of the destination."""
    home = home_of(arguments)
    if arguments.action == "unverified":
        return _list(home, name, as_json=arguments.json)
    with catalogue(home, write=True) as connection, transaction(connection):
        said = _do(connection, arguments, name)
    is_running = poke(home)
    print(plain(said if is_running else f"{said} mediabox is not running here; it goes on when it does."))
    return exits.OK


def _list(home: Path, name: str, *, as_json: bool) -> int:
    with catalogue(home) as connection:
        found = deliveries.in_state(connection, name, DeliveryState.DOUBTED)
    count = f"{count_words(len(found), 'file')} of {name} unverified." if found else f"Nothing of {name} is unverified."
    write_found(found, (*(f"{one.name}: {one.note}" for one in found), count), as_json=as_json)
    return exits.OK


def _do(connection: sqlite3.Connection, arguments: argparse.Namespace, name: str) -> str:
    now_ms = Clock().wall_ms()
    match arguments.action:
        case "tell":
            switches.report_device(connection, name, _told(arguments, now_ms))
            return f"Noted for {name}, for an hour."
        case "believe":
            count = orders.believe(connection, name, *arguments.photo, now_ms=now_ms)
            return f"{count_words(count, 'file')} of {name} confirmed, on your word: it is no proof."
        case "resend":
            count = orders.resend(connection, name, *arguments.photo, now_ms=now_ms)
            return f"{count_words(count, 'file')} will go to {name} once more."
        case "count":
            counted = orders.count(connection, name, arguments.number, now_ms=now_ms)
            return f"{count_told(counted)} That is no proof, and counts nowhere."
        case _:
            before_ms = now_ms - int(arguments.older_than * DAY_MS)
            count = orders.clear(connection, name, older_than_ms=before_ms, now_ms=now_ms)
            return (
                f"{count_words(count, 'file')} that {name} has had for {arguments.older_than:g} days will be taken "
                "off it. What Google Photos has backed up stays there; the originals stay in the archive."
            )


def known_of(target: Target) -> tuple[Counted | None, Rounds | None]:
    """The number a person typed in last, and what is still to come; None for what nobody knows yet."""
    if not (target.home / DATABASE).exists():
        return None, None
    with catalogue(target.home) as connection:
        window_bytes, now_ms = target.settings.window_bytes, Clock().wall_ms()
        rounds = rounds_of(connection, target.name, window_bytes=window_bytes, now_ms=now_ms)
        return switches.count_of(connection, target.name), rounds


def _told(arguments: argparse.Namespace, now_ms: int) -> PeerTold:
    free_gb = arguments.free_gb
    return PeerTold(
        at_ms=now_ms,
        battery_percent=arguments.battery,
        celsius=arguments.celsius,
        free_bytes=int(free_gb * GB) if free_gb is not None else None,
    )
