"""When to speak of a session's coming end, and how often one that keeps ending may be renewed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.sources.icloud.session import DAY_MS, first_to_expire
from mediabox.sources.icloud.sign_in.messages import Depth

if TYPE_CHECKING:
    from mediabox.sources.icloud.session import Session

DAYS_AHEAD = (1, 7, 21)
# How long Apple trusts a browser after a code. 60 days, 90 days and "two months" are all reported; Apple says none.
TRUST_MS = 60 * DAY_MS
# A session turned away for the n-th time in a row: the next, deeper way in. After the last a person is asked.
DEPTHS = (Depth.VALIDATE, Depth.TOKEN, Depth.PASSWORD)


def days_due(session: Session, *, now_ms: int, trusted_at_ms: int | None = None) -> int | None:
    """The warning that is due: 21, 7 or 1 days before the session's or the trust's end.

    None when that is farther off, and when it is past: then we were wrong, or it shows.
    """
    first = first_to_expire(session)
    ends = [] if first is None or first.expires_at_ms is None else [first.expires_at_ms]
    ends += [] if trusted_at_ms is None else [trusted_at_ms + TRUST_MS]
    left_ms = min((end - now_ms for end in ends if end > now_ms), default=None)
    return next((days for days in DAYS_AHEAD if left_ms is not None and left_ms <= days * DAY_MS), None)


def depth_after(strikes: int) -> Depth | None:
    """How deep to sign in after `strikes` sessions were turned away in a row (0: none); None: not at all."""
    index = max(0, strikes - 1)
    return DEPTHS[index] if index < len(DEPTHS) else None
