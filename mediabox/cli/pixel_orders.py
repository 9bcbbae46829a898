"""What a person, or a script, has to say of a phone: `mediabox pixel tell|unverified|believe|resend|count|clear`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.execute import execute
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.pixel_words import count_told
from mediabox.cli.words import count_words, plain
from mediabox.clock import Clock
from mediabox.core.commands.deliveries import (
    Changed,
    ConfirmDelivered,
    CountShown,
    ReportDevice,
    Resend,
    Withdraw,
)
from mediabox.core.home import DATABASE, catalogue
from mediabox.core.queries.devices import device, unverified
from mediabox.model.delivery import Counted

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from mediabox.cli.pixel_target import Target
    from mediabox.core.commands.contract import Command
    from mediabox.core.queries.devices import DeviceFigures

DAY_MS = 86_400_000
GB = 1_000_000_000


def run(arguments: argparse.Namespace, name: str) -> int:
    """`name`: of the destination."""
    home = home_of(arguments)
    if arguments.action == "unverified":
        return _list(home, name, as_json=arguments.json)
    result, is_running = execute(home, _command(arguments, name))
    words = _words(result, arguments, name)
    print(plain(words if is_running else f"{words} mediabox is not running here; it goes on when it does."))
    return exits.OK


def _list(home: Path, name: str, *, as_json: bool) -> int:
    with catalogue(home) as connection:
        found = unverified(connection, name)
    count = f"{count_words(len(found), 'file')} of {name} unverified." if found else f"Nothing of {name} is unverified."
    write_found(found, (*(f"{one.name}: {one.note}" for one in found), count), as_json=as_json)
    return exits.OK


def _command(arguments: argparse.Namespace, name: str) -> Command[object]:
    match arguments.action:
        case "tell":
            free_gb = arguments.free_gb
            return ReportDevice(
                destination=name,
                battery_percent=arguments.battery,
                celsius=arguments.celsius,
                free_bytes=int(free_gb * GB) if free_gb is not None else None,
            )
        case "believe":
            return ConfirmDelivered(destination=name, photos=tuple(arguments.photo))
        case "resend":
            return Resend(destination=name, photos=tuple(arguments.photo))
        case "count":
            return CountShown(destination=name, shown=arguments.number)
        case _:
            before_ms = Clock().wall_ms() - int(arguments.older_than * DAY_MS)
            return Withdraw(destination=name, photos=tuple(arguments.photo), older_than_ms=before_ms)


def _words(result: object, arguments: argparse.Namespace, name: str) -> str:
    match result:
        case Counted():
            return f"{count_told(result)} That is no proof, and counts nowhere."
        case Changed(count=count):
            files = count_words(count, "file")
        case _:
            return f"Noted for {name}, for an hour."
    match arguments.action:
        case "believe":
            return f"{files} of {name} confirmed, on your word: it is no proof."
        case "resend":
            return f"{files} will go to {name} once more."
    had = "" if arguments.photo else f" that {name} has had for {arguments.older_than:g} days"
    return (
        f"{files}{had} will be taken off {'it' if had else name}. "
        "What Google Photos has backed up stays there; the originals stay in the archive."
    )


def known_of(target: Target) -> DeviceFigures | None:
    """What the catalogue knows of a phone, where there is one."""
    if not (target.home / DATABASE).exists():
        return None
    with catalogue(target.home) as connection:
        window_bytes = target.settings.window_bytes
        return device(connection, target.name, window_bytes=window_bytes, now_ms=Clock().wall_ms())
