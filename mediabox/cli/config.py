"""`mediabox config check|show|schema`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.words import count_words
from mediabox.config import describe
from mediabox.config.load import load

if TYPE_CHECKING:
    import argparse

    from mediabox.config.load import Config


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "schema":
        return _print_json(describe.schema())
    home = home_of(arguments)
    config = load(home)
    if arguments.action == "check":
        return _print_json({"is_valid": True}) if arguments.json else _say_valid(config)
    values = list(describe.shown(config))
    if arguments.json:
        return _print_json(values)
    for one in values:
        print(f"{one.key} = {one.value}{f'  # {one.origin}' if arguments.origin else ''}")
    return exits.OK


def _say_valid(config: Config) -> int:
    path = config.home / "mediabox.toml"
    count = count_words(len(config.sources), "source")
    print(f"{path} is valid: {count}." if path.exists() else f"There is no {path}: every setting has its default.")
    for note in config.notes:
        print(f"{note}; the line can go.")
    return exits.OK


def _print_json(value: object) -> int:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
    return exits.OK
