"""What somebody set, table by table, and where: the person's file, later changes, the command line."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from mediabox.config.members import FAMILIES
from mediabox.config.problems import Report
from mediabox.config.sections import CORE
from mediabox.config.words import meant, shown

FILE = "mediabox.toml"
OVERRIDES = "overrides.json"
COMMAND_LINE = "command line"

# A source's name is part of rows, topics and messages: it must survive all of them unescaped.
MEMBER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

Origin = Literal["default", "file", "override"]


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A value somebody set, and where."""

    value: object
    origin: Origin
    file: str


class Tables:
    """Values by table (`archive`, `sources.pictures`) and field. What cannot have a place is reported."""

    def __init__(self, report: Report) -> None:
        self.by_name: dict[str, dict[str, Given]] = {}
        self.misnamed: dict[str, object] = {}  # what was to be a table, without a place
        self._report = report

    def add(self, key: str, given: Given) -> None:
        """Set one value by its key path (`sources.pictures.trees`); the last one wins."""
        table, _, field = key.rpartition(".")
        if not table:
            self._report.add("is not a key path like 'dedup.max_distance'", file=given.file, key=key)
        elif self._has_place(table, key=key, file=given.file):
            self.by_name.setdefault(table, {})[field] = given

    def add_table(self, table: str, fields: object, *, file: str) -> None:
        """Set all values of one table of the person's file; it may have none."""
        if not self._has_place(table, key=table, file=file):
            self.misnamed[table] = fields
            return
        if not isinstance(fields, dict):
            self._report.add(f"= {shown(fields)}: must be a table, written [{table}]", file=file, key=table)
            return
        values = {field: Given(value=value, origin="file", file=file) for field, value in fields.items()}
        self.by_name.setdefault(table, {}).update(values)

    def _has_place(self, table: str, *, key: str, file: str) -> bool:
        family, _, name = table.partition(".")
        if table in CORE or (family in FAMILIES and MEMBER_NAME.fullmatch(name)):
            return True
        if family in FAMILIES:
            message = f"needs a name, [{family}.name], of up to 40 lower-case letters, digits, '-' and '_'"
        else:
            message = f"is not a section; {meant(family, (*CORE, *FAMILIES))}"
        self._report.add(message, file=file, key=key)
        return False


def read_file(home: Path, tables: Tables, *, report: Report) -> None:
    """Take in `<home>/mediabox.toml`; a home without one is fine."""
    try:
        report.text = (home / FILE).read_text(encoding="utf-8-sig")  # Windows editors write a byte order mark
        report.text_file = FILE
        tree = tomllib.loads(report.text)
    except FileNotFoundError:
        return
    except tomllib.TOMLDecodeError as err:
        place = re.search(r"\(at line (\d+), column \d+\)", str(err))
        line = int(place[1]) if place else len(report.text.splitlines())  # "at end of document"
        report.add(f"is not valid TOML: {err}", file=FILE, line=line)
        report.finish()  # what follows would only be consequences
        return
    except (OSError, UnicodeDecodeError) as err:
        report.add(f"cannot be read: {err}", file=FILE)
        report.finish()
        return
    for top, value in tree.items():
        if top in FAMILIES and isinstance(value, dict):
            for name, fields in value.items():
                tables.add_table(f"{top}.{name}", fields, file=FILE)
        else:
            tables.add_table(top, value, file=FILE)


def read_overrides(home: Path, *, report: Report) -> dict[str, object]:
    """What `<home>/overrides.json` has: what was changed by a command, by key path."""
    try:
        changes: Any = json.loads((home / OVERRIDES).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as err:
        report.add(f"cannot be read: {err}", file=OVERRIDES)
        return {}
    if not isinstance(changes, dict):
        report.add("must be one JSON object of key paths and values", file=OVERRIDES)
        return {}
    return changes


def add_overrides(changes: Mapping[str, object], tables: Tables) -> None:
    for key, value in changes.items():
        tables.add(key, Given(value=value, origin="override", file=OVERRIDES))
