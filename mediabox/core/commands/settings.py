"""Change settings: in `overrides.json`, never in the person's file; valid, or not written at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from mediabox.config import describe
from mediabox.config.given import FILE, OVERRIDES, read_overrides
from mediabox.config.load import load
from mediabox.config.problems import Report
from mediabox.core.commands.contract import Command, Context
from mediabox.durable.private import write_private
from mediabox.errors import Permanent
from mediabox.store import journal
from mediabox.store.keyed import Keyed

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

Value = bool | int | float | str | list[int | float | str]
CREDENTIAL = "credential:"
EVENT = "setting_changed"
MOST = 1000


class SettingChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`value`: what is set from now on as TOML, also where that is the file's or the default."""

    key: str
    value: str
    origin: str


class SetSetting(Command[SettingChanged], frozen=True, kw_only=True):
    """Set one value by its key path (`dedup.max_distance`)."""

    name: ClassVar[str] = "setting_set"

    key: str
    value: Value

    def run(self, context: Context) -> SettingChanged:
        before = _overrides(_home(context))
        return _write(context, self.key, before, before | {self.key: self.value})


class UnsetSetting(Command[SettingChanged], frozen=True, kw_only=True):
    """Take back what was set: the person's file, or the default, counts again."""

    name: ClassVar[str] = "setting_unset"

    key: str

    def run(self, context: Context) -> SettingChanged:
        before = _overrides(_home(context))
        if self.key not in before:
            raise Permanent(f"{self.key} was not set by a command; what {FILE} says is the person's to change")
        return _write(context, self.key, before, {key: value for key, value in before.items() if key != self.key})


def _write(context: Context, key: str, before: dict[str, object], changes: dict[str, object]) -> SettingChanged:
    """The file last, so that a refusal leaves it alone. A crash before the row leaves a change without history."""
    home = _home(context)
    config = load(home, changes=changes)
    _refuse_secret(key, changes.get(key), is_open=describe.may_be_shown(config, key))
    context.record(EVENT, key=key, before=before.get(key), value=changes.get(key))
    write_private(home / OVERRIDES, _text(changes), replace=True, mode=0o644)  # holds no secret; root may have set it
    shown = {one.key: one for one in describe.shown(config)}
    now = shown.get(key)
    return SettingChanged(key=key, value=now.value if now else "", origin=now.origin if now else "default")


def _refuse_secret(key: str, value: object, *, is_open: bool) -> None:
    is_reference = isinstance(value, str) and value.startswith(CREDENTIAL)
    if not (is_open or is_reference or value is None):
        raise Permanent(
            f"{key} is, or may hold, a secret, which would be kept in the journal: "
            f"put it into a credential, and set {CREDENTIAL}NAME"
        )


def _text(changes: dict[str, object]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(changes, order="sorted")) + b"\n"


def _overrides(home: Path) -> dict[str, object]:
    """Raises ConfigInvalid where the file cannot be read: it would be lost."""
    report = Report()
    changes = read_overrides(home, report=report)
    report.finish()
    return changes


def _home(context: Context) -> Path:
    assert isinstance(context.connection, Keyed), "the database opens no other"
    return context.connection.home


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the history. None: not set by a command."""

    at_ms: int
    actor: str
    key: str
    before: object
    value: object


def history(connection: sqlite3.Connection, *, key: str | None = None) -> list[Change]:
    """Who changed what, newest first; of one setting or of all."""
    rows = journal.newest_of(connection, EVENT, limit=MOST)
    changes = [
        Change(
            at_ms=row.at_ms,
            actor=str(row.fields.get("actor", "")),
            key=str(row.fields["key"]),
            before=row.fields.get("before"),
            value=row.fields.get("value"),
        )
        for row in rows
    ]
    return [one for one in changes if key in (None, one.key)]
