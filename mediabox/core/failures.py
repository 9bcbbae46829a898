"""When a step's error ends it for good, and what a person reads of that. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.core import retry
from mediabox.errors import Away, MediaboxError, NeedsHuman, Permanent, Retryable
from mediabox.message import Message, Text, message, plural
from mediabox.model.issue import Issue, Severity

if TYPE_CHECKING:
    from mediabox.contracts import Work

FAILED = "job.failed"  # the issue of a step that was given up
TRY_AGAIN = message("Other files are not affected. Run `mediabox retry` to try this one again.")
REPORT = message("This is a bug in mediabox; the log has the details. Please report it. Other files are not affected.")


def is_final(work: Work, error: BaseException) -> bool:
    """Whether this error ends the job."""
    match error:
        case Away() | NeedsHuman():
            return False
        case Permanent():
            return True
        case Retryable():
            return work.job.attempts + 1 >= retry.ATTEMPTS
        case _:
            return work.job.attempts + 1 >= retry.BUG_ATTEMPTS


def is_bug(error: BaseException) -> bool:
    """Whether nobody raised it on purpose, so that its traceback is of use."""
    return not isinstance(error, MediaboxError)


def reason_of(error: BaseException) -> Text:
    """One line for a person; a traceback is for the log. What is no UTF-8 in it is written out: SQLite takes none."""
    if isinstance(error, MediaboxError) and isinstance(error.text, Message):
        return error.text
    text = str(error).encode("utf-8", "backslashreplace").decode()
    if not is_bug(error):
        return text
    detail = ": ".join(filter(None, (type(error).__name__, " ".join(text.split())[:300])))
    return message("unexpected error ({detail})", detail=detail)


def failed_issue(work: Work, error: BaseException) -> Issue:
    """What a person should know of a step that was given up."""
    name = work.resource.name if work.resource else work.job.subject
    reason = reason_of(error)
    return Issue(
        key=FAILED,
        subject=failed_subject(work),
        severity=Severity.ERROR,
        message=plural(
            "{step} of {name} failed: {reason}",
            "{step} of {name} failed {count:n} times: {reason}",
            count=work.job.attempts + 1,
            step=work.job.step,
            name=name,
            reason=reason,
        ),
        remedy=REPORT if is_bug(error) else TRY_AGAIN,
    )


def failed_subject(work: Work) -> str:
    return f"{work.job.step}:{work.job.subject}"
