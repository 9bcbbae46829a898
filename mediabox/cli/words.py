"""Numbers and times as people read them. Each carries its unit."""

from datetime import UTC, datetime


def bytes_words(size: int) -> str:
    """1,234,567 -> '1.2 MB' (decimal units, as disks are sold)."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count_words(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def ago(at_ms: int, now_ms: int) -> str:
    """How long before `now_ms`."""
    seconds = max(0, now_ms - at_ms) // 1000
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return f"{count_words(seconds // length, unit)} ago"
    return "just now"


def clock_time(at_ms: int) -> str:
    """Local date and time with zone."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
