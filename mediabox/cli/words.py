"""Numbers and times as people read them. Each carries its unit."""

import unicodedata
from datetime import UTC, datetime

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (text direction), stray bytes, line ends
JOINERS = "\u200c\u200d"  # part of how words and emoji are written


def bytes_words(size: int) -> str:
    """1,234,567 -> '1.2 MB' (decimal units, as disks are sold)."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


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
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return f"{count_words(seconds // length, unit)} ago"
    return "just now"


def day_words(at_ms: int) -> str:
    """`24 Oct 2026`, the local day."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone().strftime("%-d %b %Y")


def clock_time(at_ms: int) -> str:
    """Local date and time with zone."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
