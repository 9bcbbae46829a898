"""`mediabox config check|show|schema|set|unset|history`."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits
from mediabox.cli.execute import execute
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import clock_time, count_words
from mediabox.config import describe
from mediabox.config.load import load
from mediabox.core.commands.settings import Change, SetSetting, SettingChanged, UnsetSetting, Value, history
from mediabox.core.home import catalogue

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from mediabox.config.load import Config
    from mediabox.core.commands.contract import Command


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "schema":
        write_found(describe.schema(), (), as_json=True)
        return exits.OK
    home = home_of(arguments)
    match arguments.action:
        case "set":
            key, value = _needed(arguments.key, "a setting"), _needed(arguments.value, "a value")
            return _change(home, SetSetting(key=key, value=_value(value)))
        case "unset":
            return _change(home, UnsetSetting(key=_needed(arguments.key, "a setting")))
        case "history":
            return _history(home, arguments.key, as_json=arguments.json)
    config = load(home)
    if arguments.action == "check":
        write_found({"is_valid": True}, _valid_words(config), as_json=arguments.json)
        return exits.OK
    values = list(describe.shown(config))
    lines = (f"{one.key} = {one.value}{f'  # {one.origin}' if arguments.origin else ''}" for one in values)
    write_found(values, lines, as_json=arguments.json)
    return exits.OK


def _needed(given: str | None, what: str) -> str:
    if given is None:
        raise exits.WrongUsage(f"give {what}: `mediabox config set dedup.max_distance 2`")
    return given


def _value(text: str) -> Value:
    """As TOML writes it (`4`, `true`, `["a"]`); anything else is a text."""
    try:
        value: Value = msgspec.convert(tomllib.loads(f"value = {text}")["value"], Value)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        return text
    return value


def _change(home: Path, command: Command[SettingChanged]) -> int:
    changed, is_running = execute(home, command)
    print(f"{changed.key} = {changed.value}  # {changed.origin}")
    if not is_running:
        print("mediabox is not running here now: it counts from the next start.")
    return exits.OK


def _history(home: Path, key: str | None, *, as_json: bool) -> int:
    with catalogue(home) as connection:
        changes = history(connection, key=key)
    write_found(changes, _history_words(changes), as_json=as_json)
    return exits.OK


def _history_words(changes: list[Change]) -> Iterator[str]:
    for one in changes:
        before, value = ("not set" if each is None else json.dumps(each) for each in (one.before, one.value))
        yield f"{clock_time(one.at_ms)}  {one.key}: {before} -> {value}  ({one.actor})"
    if not changes:
        yield "Nothing was changed by a command."


def _valid_words(config: Config) -> Iterator[str]:
    path = config.home / "mediabox.toml"
    count = count_words(len(config.sources), "source")
    yield f"{path} is valid: {count}." if path.exists() else f"There is no {path}: every setting has its default."
    yield from (f"{note}." for note in config.notes)
