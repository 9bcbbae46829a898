"""Dates as people ask for them: a year, a month, a day, a minute."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, assert_never

from mediabox.model.query import Op
from mediabox.model.wall_clock import ms_of

if TYPE_CHECKING:
    from mediabox.model.query import Term

FOREVER_MS = 2**53
_PERIOD = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2})?)?)?)?", re.ASCII)
_FIRST = "0000-01-01T00:00:00"
_STEPS = {10: timedelta(days=1), 16: timedelta(minutes=1), 19: timedelta(seconds=1)}  # by their digits


def as_period(text: str, *, today: str | None) -> str:
    """`2024`, `2024-05`, `2024-05-12`, `2024-05-12T18:03`; `today` (an ISO date) and `yesterday` by their day,
    where there is one: rules that hold for years have none.

    Raises ValueError for anything else, and for days that do not exist.
    """
    days_ago = {"today": 0, "yesterday": 1}.get(text.lower())
    if days_ago is None or today is None:
        period = text.upper()
    else:
        period = (datetime.fromisoformat(today) - timedelta(days=days_ago)).date().isoformat()
    if not _PERIOD.fullmatch(period):
        raise ValueError(text)
    bounds_ms(period)
    return period


def bounds_ms(period: str) -> tuple[int, int]:
    """When it begins, and when the next one does: by the wall clock (`model.wall_clock`). Raises ValueError."""
    begins = datetime.fromisoformat(period + _FIRST[len(period) :])
    return ms_of(begins), ms_of(_next(begins, len(period)))


def interval_ms(term: Term) -> tuple[int, int]:
    """From when on, and until before when, a comparison with a period holds."""
    begins, ends = bounds_ms(str(term.value))
    match term.op:
        case Op.HAS | Op.IS:
            return begins, ends
        case Op.LESS:
            return -FOREVER_MS, begins
        case Op.AT_MOST:
            return -FOREVER_MS, ends
        case Op.MORE:
            return ends, FOREVER_MS
        case Op.AT_LEAST:
            return begins, FOREVER_MS
        case _:
            assert_never(term.op)


def digits_needed(term: Term) -> int:
    """How much of a date has to be known: what is known by its year alone lies in no month, but before or after."""
    return len(str(term.value)) if term.op in (Op.HAS, Op.IS) else 1


def _next(begins: datetime, digits: int) -> datetime:
    if digits in _STEPS:
        return begins + _STEPS[digits]
    months = begins.month + (12 if digits == len("2024") else 1) - 1
    return begins.replace(year=begins.year + months // 12, month=months % 12 + 1)
