"""Records with fields of another kind than they should be: what a client has to drop, and only that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from mediabox.simulate.icloud.faults import OddFields


def spoiled(records: Sequence[msgspec.Struct], fault: OddFields) -> list[dict[str, Any]]:
    """The same records with those fields changed. A field that is not there stays away, but for `null`."""
    return [_spoiled(msgspec.to_builtins(record), fault) for record in records]


def _spoiled(record: dict[str, Any], fault: OddFields) -> dict[str, Any]:
    fields = record.get("fields") or {}
    for path, how in fault.fields.items():
        name, _, part = path.partition(".")
        if part:
            value = fields.get(name, {}).get("value")
            if isinstance(value, dict):
                _put(value, part, _odd(value.get(part), how))
        elif how in ("null", "missing"):
            _put(fields, name, _odd(None, how))
        elif name in fields:
            fields[name]["value"] = _odd(fields[name]["value"], how)
    return record


def _put(place: dict[str, Any], name: str, value: Any) -> None:
    if value is _MISSING:
        place.pop(name, None)
    else:
        place[name] = value


_MISSING = object()


def _odd(value: Any, how: str) -> Any:
    match how:
        case "missing":
            return _MISSING
        case "boolean":
            return bool(value)
        case "text":
            return str(value)
        case _:
            return None
