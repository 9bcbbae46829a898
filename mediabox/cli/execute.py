"""Give a command from the command line: as the person whose login it is."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, TypeVar

from mediabox.clock import Clock
from mediabox.core.commands import dispatch
from mediabox.core.commands.contract import Command, Refused
from mediabox.core.home import catalogue, poke
from mediabox.model.actor import Actor, ActorKind, Role

if TYPE_CHECKING:
    from pathlib import Path

R = TypeVar("R")


def console() -> Actor:
    """Who may write to the home folder may do everything in it (decision 0006)."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user often has none
        name = str(uid)
    return Actor(kind=ActorKind.CONSOLE, name=name, role=Role.ADMIN)


def execute(home: Path, command: Command[R]) -> tuple[R, bool]:
    """What came of it, and whether a daemon runs that looks at it now. Raises what it was refused with."""
    with catalogue(home, write=True) as connection:
        result = dispatch.execute(connection, command, console(), now_ms=Clock().wall_ms())
    if isinstance(result, Refused):
        raise result.error()
    return result, poke(home)
