"""Wall clocks as numbers: a time without zone, taken as if it were UTC's, in Unix milliseconds."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def wall_ms(local: str) -> int:
    """`2024-05-12T18:03:22`, or its beginning up to the day, as Unix ms. Raises ValueError."""
    return ms_of(datetime.fromisoformat(local))


def ms_of(at: datetime) -> int:
    """Its wall clock, whatever its zone, in whole milliseconds."""
    return (at.replace(tzinfo=UTC) - _EPOCH) // _MS


def local_of(wall_ms: int) -> str:
    """`2024-05-12T18:03:22`."""
    return (_EPOCH + wall_ms * _MS).replace(tzinfo=None).isoformat(timespec="seconds")


def month_of(wall_ms: int) -> str:
    """`2024-05`."""
    return local_of(wall_ms)[:7]
