"""`mediabox config check|show|schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import count_words
from mediabox.config import describe
from mediabox.config.load import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from mediabox.config.load import Config


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "schema":
        write_found(describe.schema(), (), as_json=True)
        return exits.OK
    home = home_of(arguments)
    config = load(home)
    if arguments.action == "check":
        write_found({"is_valid": True}, _valid_words(config), as_json=arguments.json)
        return exits.OK
    values = list(describe.shown(config))
    lines = (f"{one.key} = {one.value}{f'  # {one.origin}' if arguments.origin else ''}" for one in values)
    write_found(values, lines, as_json=arguments.json)
    return exits.OK


def _valid_words(config: Config) -> Iterator[str]:
    path = config.home / "mediabox.toml"
    count = count_words(len(config.sources), "source")
    yield f"{path} is valid: {count}." if path.exists() else f"There is no {path}: every setting has its default."
    yield from (f"{note}; the line can go." for note in config.notes)
