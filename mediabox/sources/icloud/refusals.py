"""What Apple means by a refusal. Pure: one verdict for a status and whatever the body says.

Codes as met by icloudpd, kei, pyicloud and icloud-photos-sync; seen 2026-11.
"""

from __future__ import annotations

import email.utils
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING

from mediabox.message import message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mediabox.sources.icloud.answers import Trouble

OFFLINE = message(
    "Check whether this box is online. Nothing is lost; work resumes automatically. apple.com/support/systemstatus "
    "shows problems on Apple's side."
)


class Remedy(StrEnum):
    """What to do about it."""

    BUSY = "busy"  # ask later, all of us
    EXPIRED = "expired"  # sign in anew
    CLOSED = "closed"  # the photos are closed to the web: Advanced Data Protection, or web access off
    ZONE_GONE = "zone_gone"  # a library that is no more
    BAD_TOKEN = "bad_token"  # noqa: S105 - a sync token: list everything again
    UNKNOWN = "unknown"


# 421 the session ended or the web is off (icloudpd #1255); 450 sign in again; 403 without a word is the same (kei).
_EXPIRED_STATUS = frozenset({401, 403, 421, 450})
_BUSY_STATUS = frozenset({429, 503})
_EXPIRED_CODES = frozenset({"AUTHENTICATION_FAILED", "AUTHENTICATION_REQUIRED", "NOT_AUTHENTICATED"})
_BUSY_CODES = frozenset({
    "RETRY_LATER", "TRY_AGAIN_LATER", "THROTTLED", "CAS_OP_LOCK", "REQUEST_RATE_LIMITED", "ZONE_BUSY",
    "SERVICE_UNAVAILABLE", "INTERNAL_ERROR", "SERVER_INTERNAL_ERROR",
})  # fmt: skip
_TOKEN_REASONS = ("sync continuation", "continuation format", "sync token", "synctoken", "change token")
_SESSION_REASONS = ("invalid global session", "missing x-apple-webauth")
_CLOSED_REASON = "private db access disabled"


def verdict_on(status: int, trouble: Trouble) -> Remedy | None:
    """The verdict on an answer, or None for one that is no refusal. The body's word counts more than the status."""
    code = trouble.server_error_code or ""
    reason = f"{trouble.reason or ''} {trouble.error or ''}".casefold()
    if code == "ACCESS_DENIED":  # ADP and a throttle look alike but for their reason
        return Remedy.CLOSED if _CLOSED_REASON in reason else Remedy.BUSY
    if code == "ZONE_NOT_FOUND":
        return Remedy.ZONE_GONE
    if any(text in reason for text in _SESSION_REASONS) or code in _EXPIRED_CODES:
        return Remedy.EXPIRED
    if code.endswith("TOKEN_EXPIRED") or (code == "BAD_REQUEST" and any(text in reason for text in _TOKEN_REASONS)):
        return Remedy.BAD_TOKEN
    if code in _BUSY_CODES:
        return Remedy.BUSY
    return _of_status(status) or (Remedy.UNKNOWN if code or trouble.error else None)


def _of_status(status: int) -> Remedy | None:
    if status in _EXPIRED_STATUS:
        return Remedy.EXPIRED
    if status in _BUSY_STATUS or status >= 500:
        return Remedy.BUSY
    return None if 200 <= status < 300 else Remedy.UNKNOWN


def retry_after_s(headers: Mapping[str, str], *, now_ms: int) -> float | None:
    """What `Retry-After` asks for, in seconds: a number or a date (RFC 9110, section 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - now_ms / 1000)
