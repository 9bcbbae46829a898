"""The four ways work can fail. Adapters translate whatever they meet into one of these, once.

Anything else that escapes a stage is a bug: it is tried again a few times, then
kept as failed with its traceback (`core.failures`).
"""

from mediabox.message import Text


class MediaboxError(Exception):
    """Base of every error raised on purpose. The message names the attempt, its subject and the answer."""

    def __init__(self, text: Text) -> None:
        super().__init__(text)
        self.text = text  # for a reader of any language; `str(error)` is English


class Retryable(MediaboxError):
    """The same attempt may succeed later.

    `retry_after_s` is the earliest wait, in seconds, that the other side asked for;
    `None` leaves it to the back-off (`model.backoff`).
    """

    def __init__(self, message: Text, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Away(Retryable):
    """A disk, mount, card, phone or server is not there now. Away is never deleted (promise P3).

    Says nothing about the job's subject, so it costs the job no attempt. `part` names
    what is away (`volume:archive`, `source:pictures`, `source:pictures/DCIM~3f9a21c0` for one of
    a source's trees) so that it is reported once. `remedy` is for a person; without one the
    kind of part decides (`core.parts`).
    """

    def __init__(self, message: Text, *, part: str, retry_after_s: float | None = None, remedy: Text = "") -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.part = part
        self.remedy = remedy


class Permanent(MediaboxError):
    """The same attempt will always fail. The subject is set aside with this reason."""


class Gone(Permanent):
    """It is not there, on the very place that held it. Should it come back, it counts as new."""


class NeedsHuman(MediaboxError):
    """Only a person can help. Opens the named issue and pauses the part, not each of its jobs.

    `issue` is a key of the form `area.problem` (`volume.missing`); `subject` tells
    two open issues of the same key apart (a volume's name, a source's name).
    """

    def __init__(self, message: Text, *, issue: str, subject: str = "", remedy: Text = "") -> None:
        super().__init__(message)
        self.issue = issue
        self.subject = subject
        self.remedy = remedy


class Fatal(MediaboxError):
    """The daemon cannot keep its promises and must stop. The message says what to do."""
