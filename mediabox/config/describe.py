"""The settings described from their types: JSON Schema, the reference, and what is set now and by whom.

`python -m mediabox.config.describe` prints the reference; `REFERENCE.md` is its
output, and a test says when it is stale.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import NODEFAULT, inspect, structs

from mediabox.config.fields import encode, schema_of
from mediabox.config.given import Origin
from mediabox.config.load import Config
from mediabox.config.members import FAMILIES, MemberSettings, names, settings_of
from mediabox.config.sections import CORE
from mediabox.config.words import expected, may_show

HEAD = """\
# Settings

Written by `python -m mediabox.config.describe`; do not edit.

Everything is set in `mediabox.toml` in the home folder. Every setting has a default; an empty file is a
valid one, for a box without sources. `mediabox config show --origin` prints what is in force and who set it.
"""

FAMILY_HEADS = {
    "sources": "Where pictures come from: one table for each, under a name of your choice.",
    "destinations": "Where copies go: one table for each, under a name of your choice.",
}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as a person is told of it."""

    key: str
    default: str  # as TOML; empty when it must be set
    expects: str
    title: str
    description: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as it is in force. `value` is TOML text, secrets as asterisks."""

    key: str
    value: str
    origin: Origin


def settings(table: str, kind: type[msgspec.Struct]) -> Iterator[Setting]:
    """Describe each setting of one table."""
    for field in structs.fields(kind):
        info = inspect.type_info(field.type)
        extra = (info.extra_json_schema or {}) if isinstance(info, inspect.Metadata) else {}
        default = field.default if field.default_factory is NODEFAULT else field.default_factory()
        yield Setting(
            key=f"{table}.{field.encode_name}",
            default="" if default is NODEFAULT else _toml(default),
            expects=expected(info),
            title=str(extra.get("title", field.encode_name)),
            description=str(extra.get("description", "")),
        )


def shown(config: Config) -> Iterator[Shown]:
    """What is in force, in the reference's order, each with who set it."""
    for table in CORE:
        yield from _shown_table(config, table, getattr(config, table))
    for family in FAMILIES:
        for member in getattr(config, family):
            table = f"{family}.{member.name}"
            yield Shown(key=f"{table}.type", value=_toml(member.type), origin=config.origin(f"{table}.type"))
            yield from _shown_table(config, table, member.settings)


def may_be_shown(config: Config, key: str) -> bool:
    """Whether the value of a setting can be repeated: it is no secret, and no table that may hold one."""
    table, _, name = key.rpartition(".")
    family, _, member = table.partition(".")
    owners = [one.settings for one in getattr(config, family) if one.name == member] if family in FAMILIES else []
    kind = type(owners[0]) if owners else CORE.get(table)
    fields = structs.fields(kind) if kind is not None else ()
    return all(may_show(inspect.type_info(one.type)) for one in fields if one.encode_name == name)


def schema(member_settings: MemberSettings = settings_of) -> dict[str, Any]:
    """JSON Schema (2020-12) of the whole file, with every member of every family."""
    properties: dict[str, Any] = {table: _schema(kind) for table, kind in CORE.items()}
    for family in FAMILIES:
        choices = [_member_schema(type_, member_settings(family, type_)) for type_ in names(family)]
        properties[family] = {"type": "object", "additionalProperties": {"oneOf": choices} if choices else False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mediabox.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def reference(member_settings: MemberSettings = settings_of) -> str:
    """REFERENCE.md: every setting with its default, its range and its meaning."""
    parts = [HEAD]
    parts += [_chapter(f"[{table}]", table, kind) for table, kind in CORE.items()]
    for family in FAMILIES:
        if members := names(family):
            parts.append(f"## {family.capitalize()}\n\n{FAMILY_HEADS[family]}\n")
            for type_ in members:
                heading = f'[{family}.NAME] type = "{type_}"'
                parts.append(_chapter(heading, f"{family}.NAME", member_settings(family, type_)))
    return "\n".join(parts)


def _chapter(heading: str, table: str, kind: type[msgspec.Struct]) -> str:
    lines = [f"## `{heading}`", "", " ".join((kind.__doc__ or "").split()), ""]
    lines += ["| setting | default | may be | what it does |", "|---|---|---|---|"]
    for setting in settings(table, kind):
        name = setting.key.removeprefix(f"{table}.")
        default = f"`{setting.default}`" if setting.default else "(must be set)"
        meaning = f"{setting.title}. {setting.description}".strip()
        lines.append(f"| `{name}` | {default} | {setting.expects} | {meaning} |".replace("\\", "\\\\"))
    return "\n".join(lines) + "\n"


def _shown_table(config: Config, table: str, values: msgspec.Struct) -> Iterator[Shown]:
    for field in structs.fields(values):
        key = f"{table}.{field.encode_name}"
        yield Shown(key=key, value=_toml(getattr(values, field.name)), origin=config.origin(key))


def _schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    whole = msgspec.json.schema(kind, schema_hook=schema_of)
    found: dict[str, Any] = whole["$defs"][kind.__name__]
    return found


def _member_schema(type_: str, kind: type[msgspec.Struct]) -> dict[str, Any]:
    found = _schema(kind)
    return {
        **found,
        "properties": {"type": {"const": type_}, **found["properties"]},
        "required": ["type", *found["required"]],
    }


def _toml(value: object) -> str:
    """A value as it would be written in TOML; for our scalars and lists that is what JSON writes."""
    plain = msgspec.to_builtins(value, enc_hook=encode)
    return json.dumps(plain, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(reference())
