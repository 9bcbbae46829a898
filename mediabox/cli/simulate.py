"""`mediabox simulate WHAT ...`: stand-ins for the world. A room of its own, which an installation may be without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.errors import Permanent

if TYPE_CHECKING:
    import argparse
    from types import ModuleType

ROOM = "mediabox.simulate"


def run(arguments: argparse.Namespace) -> int:
    return int(room().run([arguments.what, *arguments.rest]))


def room() -> ModuleType:
    """The room's command line. Raises Permanent where it is not installed."""
    try:
        from mediabox.simulate import command
    except ModuleNotFoundError as err:
        if not (err.name or "").startswith(ROOM):
            raise
        message = "the simulators are not part of this installation; they are in mediabox's source: run it from there"
        raise Permanent(message) from err
    return command
