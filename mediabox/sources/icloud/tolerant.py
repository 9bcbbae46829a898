"""Decodes Apple's JSON field by field: an odd field costs that field, never the record or the page around it.

kei saw fields that are null, boolean, or numbers as text; recordings have names that are no Base64.
What is dropped is absent: the reader of a field decides what its absence means.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, TypeVar, get_args, get_origin

import msgspec

T = TypeVar("T")


def decode(content: bytes | msgspec.Raw, kind: type[T]) -> T:
    """A Struct. Raises DecodeError when it is no JSON, or lacks a field the Struct cannot do without."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError:
        return _struct(content, kind)  # type: ignore[return-value]  # of the kind that was asked for
    except msgspec.DecodeError:
        return _struct(_plain(content), kind)  # type: ignore[return-value]


def _plain(content: bytes | msgspec.Raw) -> bytes:
    """Without what JSON allows and Unicode does not: half a surrogate pair, where an emoji was cut in two."""
    try:
        loose = json.loads(bytes(content).decode("utf-8", "replace"), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as err:
        raise msgspec.DecodeError(str(err)) from None
    return json.dumps(loose, ensure_ascii=False).encode("utf-8", "replace")


def _struct(content: bytes | msgspec.Raw, kind: type) -> msgspec.Struct:
    given = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    kept = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name in given:
            with suppress(msgspec.DecodeError):
                kept[field.name] = _value(given[field.encode_name], field.type)
        if field.required and field.name not in kept:
            message = f"{kind.__name__} without {field.encode_name}"
            raise msgspec.ValidationError(message)
    made: msgspec.Struct = kind(**kept)
    return made


def _value(content: msgspec.Raw, kind: Any) -> Any:
    """One value; of a list those elements that can be read. Raises DecodeError."""
    with suppress(msgspec.ValidationError):
        return msgspec.json.decode(content, type=kind, strict=False)  # numbers as text
    for choice in (kind, *get_args(kind)):
        if get_origin(choice) in (list, tuple):
            return get_origin(choice)(_elements(content, get_args(choice)[0]))
        if isinstance(choice, type) and issubclass(choice, msgspec.Struct):
            return _struct(content, choice)
    message = f"no {kind}"
    raise msgspec.ValidationError(message)


def _elements(content: msgspec.Raw, kind: Any) -> list[Any]:
    found = []
    for element in msgspec.json.decode(content, type=list[msgspec.Raw]):
        with suppress(msgspec.DecodeError):
            found.append(_value(element, kind))
    return found
