"""The configuration of a box: defaults, then the person's file, then later changes, then the command line.

`<home>/mediabox.toml` is the person's file and is never written by us. What the
page or a chat changes goes to `<home>/overrides.json`, one flat object of key paths
(`{"dedup.max_distance": 4}`). Whether folders exist is not looked at here: `doctor`
and the volumes do that while the box runs.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from mediabox.config.check import check, renewed
from mediabox.config.given import COMMAND_LINE, FILE, Given, Origin, Tables, add_overrides, read_file, read_overrides
from mediabox.config.members import FAMILIES, MemberSettings, names, settings_of
from mediabox.config.problems import ConfigInvalid, LeftOut, Problem, Report
from mediabox.config.sections import CORE, Archive, Dedup, Log, Release, Renditions, Scrub, Work
from mediabox.config.words import meant, shown


class Enabled(msgspec.Struct, frozen=True, kw_only=True):
    """One source or destination the person set up: `[sources.pictures]` with `type = "folder"`."""

    name: str
    type: str
    settings: msgspec.Struct


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration: valid, with every default filled in."""

    home: Path
    archive: Archive
    work: Work
    renditions: Renditions
    scrub: Scrub
    dedup: Dedup
    release: Release
    log: Log
    sources: tuple[Enabled, ...]
    destinations: tuple[Enabled, ...] = ()
    origins: dict[str, Origin]  # of what somebody set; `origin` knows the rest
    notes: tuple[Problem, ...] = ()  # settings of before that no longer do anything
    left_out: tuple[LeftOut, ...] = ()  # `load_usable` alone leaves any out

    def lacks(self, family: str) -> tuple[LeftOut, ...]:
        """Members of `sources` or `destinations` that were set up and cannot be used."""
        return tuple(one for one in self.left_out if one.family == family)

    def origin(self, key: str) -> Origin:
        """Who set `key` (`dedup.max_distance`, `sources.pictures.trees`)."""
        return self.origins.get(key, "default")

    def path(self, text: str) -> Path:
        """A folder as the person wrote it: absolute, `~/...`, or relative to the home folder."""
        return self.home / os.path.expanduser(text)  # unlike pathlib's, it leaves an unknown ~name as it is


def load(
    home: Path,
    *,
    overrides: Mapping[str, object] | None = None,
    changes: Mapping[str, object] | None = None,
    member_settings: MemberSettings = settings_of,
) -> Config:
    """Return the configuration of the box at `home`. `overrides` are the command line's, by key path.

    `changes`: as if `overrides.json` held these.

    Raises ConfigInvalid, which names every problem at once. A home without a file
    gives the defaults, and no sources.
    """
    config = load_usable(home, overrides=overrides, changes=changes, member_settings=member_settings)
    if config.left_out:
        raise ConfigInvalid([problem for one in config.left_out for problem in one.problems])
    return config


def load_usable(
    home: Path,
    *,
    overrides: Mapping[str, object] | None = None,
    changes: Mapping[str, object] | None = None,
    member_settings: MemberSettings = settings_of,
) -> Config:
    """The configuration without the sources and destinations that are set up wrongly: those are `left_out`.

    Raises ConfigInvalid for any other problem: nothing runs on defaults in the place of what was meant.
    """
    report = Report()
    tables = Tables(report)
    read_file(home, tables, report=report)
    add_overrides(read_overrides(home, report=report) if changes is None else changes, tables)
    for key, value in (overrides or {}).items():
        tables.add(key, Given(value=value, origin="override", file=COMMAND_LINE))

    sections: dict[str, Any] = {
        name: check(name, tables.by_name.get(name, {}), kind, report=report) for name, kind in CORE.items()
    }
    for family in FAMILIES:
        sections[family] = tuple(_members(family, tables, member_settings, report=report))
    left_out = tuple(_left_out(report, tables))
    if any(_member_of(problem) is None for problem in report.problems):
        report.finish()
    return Config(home=home, origins=dict(_origins(tables)), notes=tuple(report.notes), left_out=left_out, **sections)


def _left_out(report: Report, tables: Tables) -> Iterator[LeftOut]:
    by_member: dict[tuple[str, str], list[Problem]] = {}
    for problem in report.problems:
        if (member := _member_of(problem)) is not None:
            by_member.setdefault(member, []).append(problem)
    for (family, name), problems in by_member.items():
        table = f"{family}.{name}"
        written = [given.value for given in tables.by_name.get(table, {}).values()]
        for key, fields in tables.misnamed.items():
            if f"{key}.".startswith(f"{table}.") and isinstance(fields, dict):
                written += fields.values()
        paths = tuple(value for value in written if isinstance(value, str) and "/" in value)
        yield LeftOut(family=family, name=name, problems=tuple(problems), paths=paths)


def _member_of(problem: Problem) -> tuple[str, str] | None:
    """Whose problem it is, as family and name; None for one of all."""
    family, _, rest = problem.key.partition(".")
    name = rest.partition(".")[0]
    return (family, name) if family in FAMILIES and name else None


def _members(family: str, tables: Tables, member_settings: MemberSettings, *, report: Report) -> Iterator[Enabled]:
    for table, values in tables.by_name.items():
        top, _, name = table.partition(".")
        if top != family or (kind := _settings(table, values, member_settings, report=report)) is None:
            continue
        tables.by_name[table] = {**renewed(table, values, kind, report=report)}
        rest = {field: given for field, given in tables.by_name[table].items() if field != "type"}
        settings = check(table, rest, kind, report=report)
        if settings is not None:
            yield Enabled(name=name, type=str(values["type"].value), settings=settings)


def _settings(
    table: str, values: Mapping[str, Given], member_settings: MemberSettings, *, report: Report
) -> type[msgspec.Struct] | None:
    """The settings the member of `[sources.pictures]` asks for, by its `type`."""
    family, key = table.partition(".")[0], f"{table}.type"
    choice = "one of " + ", ".join(shown(name) for name in names(family))
    given = values.get("type")
    if given is None:
        report.add(f"is missing: must be {choice}", file=FILE, key=key)
        return None
    if not isinstance(given.value, str):
        report.add(f"= {shown(given.value)}: must be {choice}", file=given.file, key=key)
        return None
    try:
        return member_settings(family, given.value)
    except LookupError:
        message = f"mediabox has no such {family.removesuffix('s')}; {meant(given.value, names(family))}"
        report.add(f"= {shown(given.value)}: {message}", file=given.file, key=key)
    except ImportError as err:
        report.add(f"= {shown(given.value)}: cannot be used on this box: {err}", file=given.file, key=key)
    return None


def _origins(tables: Tables) -> Iterator[tuple[str, Origin]]:
    for table, values in tables.by_name.items():
        for field, given in values.items():
            yield f"{table}.{field}", given.origin
