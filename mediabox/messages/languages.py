"""The languages mediabox speaks: English, and one `.po` file for each other one.

A new language is one file beside this one: `python tests/messages/update_catalogs.py fr` begins it.
Babel reads it and knows how the language counts and writes numbers and dates (CLDR); it is imported
when somebody reads in such a language, never for English.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from mediabox.log import get_logger
from mediabox.message import A_MOMENT_S, ENGLISH, JUST_NOW, Language, local, longest_unit, scaled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from gettext import GNUTranslations

    from babel import Locale

log = get_logger(__name__)
FOLDER = Path(__file__).parent
SOURCE = "en"  # the language templates are written in
RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}


def languages() -> list[str]:
    """Tags of all languages there are: `de`, `en`."""
    return sorted({SOURCE, *(each.stem for each in FOLDER.glob("*.po"))})


def choose_language(wanted: Iterable[str]) -> str:
    """The first of the wanted tags (`de_CH.UTF-8`, `de-CH`, `de`) there is a file for; English otherwise."""
    known = languages()
    for each in wanted:
        tag = each.partition(".")[0].replace("_", "-").lower()
        if tag in known:
            return tag
        if (base := tag.partition("-")[0]) in known:
            return base
    return SOURCE


@cache
def language(tag: str) -> Language:
    """One of `languages()`. A file that cannot be read is logged, and its readers read English."""
    if tag == SOURCE:
        return ENGLISH
    try:
        return Translated(tag, FOLDER / f"{tag}.po")
    except (OSError, ValueError, ImportError) as error:
        log.warning("language_unreadable", language=tag, reason=str(error))
        return ENGLISH


def is_right_to_left(tag: str) -> bool:
    """Whether a page in this language runs from right to left."""
    return tag.partition("-")[0] in RIGHT_TO_LEFT


class Translated:
    """A language with a file. Raises `OSError`, `ValueError` or `ImportError` when it cannot be read."""

    def __init__(self, tag: str, path: Path) -> None:
        self._locale, self._catalog = _read(tag, path)

    def template(self, one: str, many: str, count: float) -> str:
        return self._catalog.ngettext(one, many, int(count)) if many else self._catalog.gettext(one)

    def number(self, value: float) -> str:
        from babel.numbers import format_decimal

        return str(format_decimal(value, format=None if value == int(value) else "#,##0.0", locale=self._locale))

    def size(self, value: float) -> str:
        amount, unit = scaled(value)
        return f"{self.number(round(amount, 0 if unit == 'B' else 1))}\N{NO-BREAK SPACE}{unit}"

    def day(self, at_ms: float) -> str:
        from babel.dates import format_date

        return str(format_date(local(at_ms), format="medium", locale=self._locale))

    def time(self, at_ms: float) -> str:
        from babel.dates import format_datetime

        return str(format_datetime(local(at_ms), format="medium", locale=self._locale))

    def duration(self, seconds: float) -> str:
        from babel.units import format_unit

        count, unit = longest_unit(seconds)
        return format_unit(count, f"duration-{unit}", locale=self._locale)

    def ago(self, seconds: float) -> str:
        from babel.dates import format_timedelta

        if seconds < A_MOMENT_S:
            return self.template(JUST_NOW.template, "", 1)
        return format_timedelta(-int(seconds), threshold=1, add_direction=True, locale=self._locale)


def _read(tag: str, path: Path) -> tuple[Locale, GNUTranslations]:
    """The locale and its translations, compiled in memory (`.mo`) as gettext reads them."""
    from babel import Locale
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import PoFileError, read_po
    from babel.support import Translations

    locale = Locale.parse(tag, sep="-")
    compiled = BytesIO()
    try:
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=locale, abort_invalid=True))
    except PoFileError as error:
        raise ValueError(str(error)) from error
    compiled.seek(0)
    return locale, Translations(compiled)
