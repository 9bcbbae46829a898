"""When Apple's links are dead, fresh ones too (iCloudPhotoSync #27: 410 for every file): the account pauses.

Whose trouble it is shows when another file is tried. While bytes come, a dead file waits by itself,
up to IN_A_ROW of them; after that, or when none have come, the account rests. When the very file that
made it rest fails again, nothing else having come or failed, that one waits by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.errors import Away, Retryable
from mediabox.message import Text, message
from mediabox.model.backoff import Backoff
from mediabox.model.issue import Issue

if TYPE_CHECKING:
    from mediabox.clock import Clock
    from mediabox.model.asset import RemoteResource, Resource

LINK_DEAD = frozenset({403, 404, 410, 416})
BACKOFF = Backoff(first_s=300.0, longest_s=3600.0)
IN_A_ROW = 6  # were half of all links dead, one file in some hundred would make an account rest
REMEDY = message(
    "Nothing is lost: downloads are retried automatically. If this lasts for a day, check whether icloud.com/photos "
    "can download a photo, and apple.com/support/systemstatus."
)


class DeadLinks:
    """Of one account."""

    def __init__(self, clock: Clock, *, name: str) -> None:
        self._clock, self._name = clock, name
        self._pause_s = 0.0
        self._pauses = 0  # in a row
        self._until_s = 0.0
        self._suspect: str | None = None
        self._is_working = False  # bytes came, and since then no pause
        self._dead: set[str] = set()  # files, since bytes came
        self._message: Text | None = None

    def refuse_early(self) -> None:
        """Raises Away while the account pauses: nothing is asked then."""
        left_s = self._until_s - self._clock.monotonic_s()
        if self._message is not None and left_s > 0:
            raise self._away(self._message, left_s)

    def work(self) -> None:
        """Bytes came."""
        self._is_working, self._dead = True, set()
        self._pause_s, self._pauses, self._until_s, self._suspect, self._message = 0.0, 0, 0.0, None, None

    def judge(self, resource: Resource | RemoteResource, status: int) -> Retryable:
        """What to raise when a file's fresh link is dead as well."""
        now_s = self._clock.monotonic_s()
        is_alone, self._suspect = self._suspect == resource.remote_id, resource.remote_id
        self._dead.add(resource.remote_id)
        if is_alone or (self._is_working and len(self._dead) < IN_A_ROW):
            what = message("iCloud refuses every link to {name} ({status})", name=resource.name, status=str(status))
            self._until_s, self._suspect = 0.0, None
            return Retryable(what, retry_after_s=self._pause_s)
        self._is_working = False
        if now_s >= self._until_s:
            self._pause_s = BACKOFF.wait_s(self._pauses)
            self._pauses, self._until_s = self._pauses + 1, now_s + self._pause_s
        self._message = message(
            "iCloud refuses its own links ({status}): no file can be downloaded", status=str(status)
        )
        return self._away(self._message, self._until_s - now_s)

    def complaints(self) -> tuple[Issue, ...]:
        """That the account pauses: a listing that works does not end it."""
        if self._message is None:
            return ()
        return (Issue(key="source.missing", subject=self._name, message=self._message, remedy=REMEDY),)

    def _away(self, what: Text, left_s: float) -> Away:
        return Away(what, part=f"source:{self._name}", retry_after_s=left_s, remedy=REMEDY)
