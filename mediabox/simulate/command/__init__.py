"""The command line of the stand-ins: `mediabox simulate WHAT`, and the phone of `mediabox run --simulated-pixel`.

A composition root, as `cli/` is: it sees everything. `mediabox.cli.simulate` alone opens it, where it is installed.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mediabox.simulate.command import icloud, pixel
from mediabox.simulate.command.trial import simulated_phone

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run", "simulated_phone"]


def run(words: Sequence[str]) -> int:
    """What follows `mediabox simulate`; its exit code. Ends the process where the words are wrong, as argparse does."""
    given = _parser().parse_args(words)
    return int(given.run(given))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mediabox simulate")
    what = parser.add_subparsers(required=True, metavar="WHAT")
    for name, purpose, module in (
        ("icloud", "an iCloud over a folder of pictures", icloud),
        ("pixel", "a Pixel with a real Syncthing", pixel),
    ):
        verb = what.add_parser(name, help=purpose, description=purpose.capitalize() + ".")
        verb.add_argument("--home", metavar="DIR", help="the box's home folder")
        verb.set_defaults(run=module.run)
        module.add_options(verb)
    return parser
