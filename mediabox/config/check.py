"""Turn one table of values into its settings struct, or say everything that is wrong with it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import inspect, structs

from mediabox.config.fields import decode
from mediabox.config.given import FILE, Given
from mediabox.config.problems import Report
from mediabox.config.words import expected, may_show, meant, shown

S = TypeVar("S", bound=msgspec.Struct)


def check(table: str, values: Mapping[str, Given], kind: type[S], *, report: Report) -> S | None:
    """Return the settings of `table`, or None after reporting each unknown, missing and refused one.

    A struct's `RETIRED` names the settings of before that no longer do anything, each with the
    reason: they are left out, and noted.
    """
    before = len(report.problems)
    retired: Mapping[str, str] = getattr(kind, "RETIRED", {})
    for name in values.keys() & retired.keys():
        report.note(
            f"no longer does anything: {retired[name]}; take the line out",
            file=values[name].file,
            key=f"{table}.{name}",
        )
    values = {name: given for name, given in values.items() if name not in retired}
    fields = {field.encode_name: field for field in structs.fields(kind)}
    for name, given in values.items():
        key = f"{table}.{name}"
        if name in fields:
            _check_value(key, given, fields[name].type, report=report)
        else:
            report.add(f"is not a setting; {meant(name, fields)}", file=given.file, key=key)
    for name, field in fields.items():
        if field.required and name not in values:
            report.add(f"is missing: must be {_expected(field.type)}", file=FILE, key=f"{table}.{name}")
    if len(report.problems) > before:
        return None
    return _convert(table, values, kind, report=report)


def renewed(table: str, values: Mapping[str, Given], kind: Any, *, report: Report) -> Mapping[str, Given]:
    """A struct's `OLDER` has settings of before as the query that says the same; it joins the one that is given."""
    older = getattr(kind, "OLDER", None)
    old = {name: values[name] for name in structs.asdict(older()) if name in values} if older else {}
    others = {name: given for name, given in values.items() if name not in old}
    converted: Any = check(table, old, older, report=report) if older and old else None
    if converted is None:
        return others
    first, *more = old
    query = others.get("query", msgspec.structs.replace(old[first], value=""))
    parts = [f"{one}" for one in (query.value, converted.query) if one]
    both = " ".join(f"({one})" if len(parts) > 1 else one for one in parts)
    written = f"'{both}'" if "'" not in both else msgspec.json.encode(both).decode()
    too = f", with {', '.join(more)}" if more else ""
    note = f"is part of `query` now{too}: write query = {written} in place of that"
    report.note(note, file=old[first].file, key=f"{table}.{first}")
    return {**others, "query": msgspec.structs.replace(query, value=both)}


def _check_value(key: str, given: Given, kind: Any, *, report: Report) -> None:
    for place, value, part in _refused(key, given.value, kind):
        written = shown(value) if may_show(inspect.type_info(kind)) else "***"
        report.add(f"= {written}: must be {_expected(part)}", file=given.file, key=place)


def _refused(key: str, value: object, kind: Any) -> Iterator[tuple[str, object, Any]]:
    """The smallest parts of `value` that are not of their type: each bad element of a list, or the whole."""
    try:
        msgspec.convert(value, kind, dec_hook=decode)
    except msgspec.ValidationError:
        element = _element_type(kind)
        parts = enumerate(value) if isinstance(value, list) and element is not None else ()
        bad = [part for index, each in parts for part in _refused(f"{key}[{index}]", each, element)]
        yield from bad or [(key, value, kind)]


def _element_type(kind: Any) -> Any:
    """The element type of `tuple[X, ...]` or `list[X]`, else None."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_args(bare)[0] if get_origin(bare) in (tuple, list) else None


def _expected(kind: Any) -> str:
    return expected(inspect.type_info(kind))


def _convert(table: str, values: Mapping[str, Given], kind: type[S], *, report: Report) -> S | None:
    """Build the struct. Each value is valid by itself; what is left are the struct's own rules (`__post_init__`)."""
    try:
        return msgspec.convert({name: given.value for name, given in values.items()}, kind, dec_hook=decode)
    except msgspec.ValidationError as err:
        report.add(str(err), file=FILE, key=table)
        return None
