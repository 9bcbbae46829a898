"""What a person reads: a template and its values, put into words for each reader in their own language.

    message("{path} is not readable: {reason}", path=path, reason=error.strerror)
    plural("{count:n} photo has no original", "{count:n} photos have no original", count=3)

The English template is the key translations are found by (gettext's msgid). Values stay values: what
follows the colon says how a language writes them (`FORMATS`). `messages.languages` has the others.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol, TypeAlias, Union

import msgspec

Value: TypeAlias = Union[str, int, float, "Message"]


class Message(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A template in English and what to fill in. `many` is the form for other counts than one, of `values["count"]`."""

    template: str
    values: dict[str, Value] = {}
    many: str = ""

    def __str__(self) -> str:
        """In English, as logs have it."""
        return render(self, ENGLISH)

    def __hash__(self) -> int:
        return hash(str(self))


# A plain string is shown as it is: what other programs say, names, and words kept by older versions.
Text: TypeAlias = str | Message


class Language(Protocol):
    """How one language writes things. Methods take the value as `Message.values` holds it."""

    def template(self, one: str, many: str, count: float) -> str: ...
    def number(self, value: float) -> str: ...
    def size(self, value: float) -> str: ...
    def day(self, at_ms: float) -> str: ...
    def time(self, at_ms: float) -> str: ...
    def duration(self, seconds: float) -> str: ...
    def ago(self, seconds: float) -> str: ...


FORMATS: Mapping[str, Callable[[Language, float], str]] = {
    "n": lambda language, value: language.number(value),  # a count
    "bytes": lambda language, value: language.size(value),
    "day": lambda language, value: language.day(value),  # UTC milliseconds, shown as the local day
    "time": lambda language, value: language.time(value),  # UTC milliseconds, shown as local date and time
    "duration": lambda language, value: language.duration(
        value
    ),  # seconds; in the nominative, where a language has one
    "ago": lambda language, value: language.ago(value),  # seconds since: "3 days ago", with its preposition
}


A_MOMENT_S = 60  # what is younger happened "just now"


def message(template: str, /, **values: Value) -> Message:
    """Make a message of an English template with `{name}` or `{name:format}` for its values."""
    return Message(template, _writable(values))


def plural(one: str, many: str, /, *, count: int, **values: Value) -> Message:
    """Make a message that reads differently for one and for many; `{count}` is one of its values."""
    return Message(one, _writable({"count": count, **values}), many)


def render(text: Text, language: Language) -> str:
    """Put it into words. Never raises: a translation with a fault in it falls back to English, that to its template."""
    if isinstance(text, str):
        return text
    count = text.values.get("count", 1)
    template = language.template(text.template, text.many, count if isinstance(count, int) else 1)
    try:
        return _Filling(language).vformat(template, (), text.values)
    except (
        ValueError,
        KeyError,
        TypeError,
        OverflowError,
        OSError,
    ):  # kept by another version, or by no version of ours
        return text.template if language is ENGLISH else render(text, ENGLISH)


def stored(text: Text) -> str:
    """As a column of the catalogue keeps it."""
    return text if isinstance(text, str) else msgspec.json.encode(text).decode()


def from_stored(kept: str) -> Text:
    """Read what `stored` wrote. Whatever else is there is shown as it is."""
    if not kept.startswith('{"template":'):
        return kept
    try:
        return msgspec.json.decode(kept, type=Message)
    except msgspec.DecodeError:
        return kept


def from_fields(value: object) -> Text:
    """Read a message out of fields that were decoded without a type, as the journal's are."""
    if isinstance(value, Message):
        return value
    if not isinstance(value, dict):
        return str(value)
    try:
        return msgspec.convert(value, Message)
    except msgspec.ValidationError:
        return str(value)


def _writable(values: dict[str, Value]) -> dict[str, Value]:
    """What is no UTF-8 in a name is written out: neither SQLite nor JSON takes it."""
    return {
        name: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for name, value in values.items()
    }


class _Filling(string.Formatter):
    """Fills a template in. Takes plain names only: a template out of a store must reach into no object (CWE-134)."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def get_field(self, field_name: str, _: object, kwargs: Mapping[str, Value]) -> tuple[Value, str]:
        return kwargs[field_name], field_name

    def format_field(self, value: Value, format_spec: str) -> str:
        if isinstance(value, Message):
            return render(value, self._language)
        if not format_spec:
            return str(value)
        return FORMATS[format_spec](self._language, float(value))


class English:
    """English, for people and for logs. Sizes in decimal units, as disks are sold."""

    def template(self, one: str, many: str, count: float) -> str:
        return many if many and count != 1 else one

    def number(self, value: float) -> str:
        return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"

    def size(self, value: float) -> str:
        amount, unit = scaled(value)
        return f"{amount:.{0 if unit == 'B' else 1}f} {unit}"

    def day(self, at_ms: float) -> str:
        return local(at_ms).strftime("%-d %b %Y")

    def time(self, at_ms: float) -> str:
        return local(at_ms).strftime("%Y-%m-%d %H:%M:%S %z")

    def duration(self, seconds: float) -> str:
        count, unit = longest_unit(seconds)
        return f"{count:,} {unit}{'' if count == 1 else 's'}"

    def ago(self, seconds: float) -> str:
        return JUST_NOW.template if seconds < A_MOMENT_S else f"{self.duration(seconds)} ago"


def scaled(size: float) -> tuple[float, str]:
    """1,234,567 bytes -> (1.234567, 'MB')."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return size, unit
        size /= 1000
    return size, "TB"


def longest_unit(seconds: float) -> tuple[int, str]:
    """How long, in the longest unit that fits once: 7,300 s -> (2, 'hour')."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return int(seconds // length), unit
    return int(seconds), "second"


def local(at_ms: float) -> datetime:
    """UTC milliseconds as a local time."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone()


ENGLISH = English()
JUST_NOW = message("just now")
