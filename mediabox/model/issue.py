"""A thing a person should know or do, asked once on every surface."""

from enum import StrEnum

import msgspec

from mediabox.message import Text


class Severity(StrEnum):
    NOTICE = "notice"  # good to know
    WARNING = "warning"  # a part waits or is degraded
    ERROR = "error"  # copies may be at risk, or nothing goes on


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is `area.problem`; `(key, subject)` is open at most once."""

    key: str
    subject: str
    severity: Severity = Severity.WARNING
    message: Text  # what, where
    remedy: Text = ""  # what to do
    opened_at_ms: int = 0
    count: int = 1
