"""Work that survives a power cut: one durable row each."""

import msgspec

from mediabox.message import Text


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One step to run on one subject. `(step, subject)` is queued at most once.

    `subject` is a resource id, an asset id or a folder of the archive, as the step
    says. `not_before_ms` is Unix milliseconds; 0 means now.
    """

    id: int
    step: str
    subject: str
    attempts: int = 0
    not_before_ms: int = 0
    priority: int = 0  # higher first
    last_error: Text | None = None
    is_failed: bool = False  # given up: a person or `mediabox retry` decides
    asked_again: int = 0  # requests since it was queued: one that came after this look is not answered by this run


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A job to be queued, in the same transaction as the outcome that asks for it."""

    step: str
    subject: str
    priority: int = 0
    not_before_ms: int = 0
