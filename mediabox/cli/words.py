"""Numbers and times as people read them. Each carries its unit."""

import unicodedata

from mediabox.messages.reader import language

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (text direction), stray bytes, line ends
JOINERS = "\u200c\u200d"  # part of how words and emoji are written


def bytes_words(size: int) -> str:
    """1,234,567 -> '1.2 MB' (decimal units, as disks are sold)."""
    return language().size(size)


def count_words(count: int, noun: str, plural: str | None = None) -> str:
    """`1 photo`, `1,204 photos`; `plural` where it is not made with an s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def plain(text: str) -> str:
    """One line a terminal may be given: a file's name can hold line ends and escape sequences (CWE-150)."""
    return "".join(_escaped(character) if _is_unseen(character) else character for character in text)


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in UNSEEN and character not in JOINERS


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def ago(at_ms: int, now_ms: int) -> str:
    """How long before `now_ms`."""
    seconds = max(0, now_ms - at_ms) // 1000
    return language().ago(seconds)


def day_words(at_ms: int) -> str:
    """`24 Oct 2026`, the local day."""
    return language().day(at_ms)


def clock_time(at_ms: int) -> str:
    """Local date and time with zone."""
    return language().time(at_ms)
