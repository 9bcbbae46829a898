"""Who reads now, and what they read. A surface sets the language once for each reader (a context variable).

with reading_in("de"):
    tr("Paused until {at:time}.", at=until_ms)
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from mediabox.message import ENGLISH, Language, Message, Text, Value, render
from mediabox.messages import languages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_language: ContextVar[Language] = ContextVar("language", default=ENGLISH)


@contextmanager
def reading_in(tag: str) -> Iterator[None]:
    """Render everything inside in this language (one of `languages.languages()`)."""
    token = _language.set(languages.language(tag))
    try:
        yield
    finally:
        _language.reset(token)


def terminal_language(environment: Mapping[str, str] = os.environ) -> str:
    """The language of a terminal: LANGUAGE (a list), LC_ALL, LC_MESSAGES, LANG, as gettext(3) reads them."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "C")
    if locale.partition(".")[0] in {"C", "POSIX"}:
        return languages.SOURCE
    return languages.choose_language([*filter(None, environment.get("LANGUAGE", "").split(":")), locale])


def language() -> Language:
    """For numbers, sizes and times that stand by themselves."""
    return _language.get()


def in_words(text: Text) -> str:
    """A stored or raised text, in the reader's language."""
    return render(text, _language.get())


def tr(template: str, /, **values: Value) -> str:
    """Translate a template and fill it in, for who reads now. Formats as in `message`."""
    return in_words(Message(template, values))


def tr_plural(one: str, many: str, /, *, count: int, **values: Value) -> str:
    """Translate by count; `{count}` is one of the values."""
    return in_words(Message(one, {"count": count, **values}, many))
