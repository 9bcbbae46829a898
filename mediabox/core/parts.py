"""Parts of the box that can be away: the archive's volume, each source, each of its trees. One breaker each.

When a job finds its part away or in need of a person, the part rests and every
other job that needs it waits, instead of ten thousand failures. After the rest a
job tries again; the first that succeeds closes the part's issues. A full disk is
different: a small file may still fit, so only what was refused, or something as
large, shows that there is room again. So is a decoder that does not start.
"""

from __future__ import annotations

from functools import partial
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from mediabox.core.failures import reason_of
from mediabox.errors import Away, NeedsHuman
from mediabox.message import message
from mediabox.model.backoff import Backoff
from mediabox.model.issue import Issue, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from mediabox.clock import Clock
    from mediabox.contracts import Work
    from mediabox.core.issues import IssueBook

LONGEST_REST_S = 60.0  # a disk that is plugged in again is found within a minute
BACKOFF = Backoff(first_s=2.0, longest_s=LONGEST_REST_S)

ARCHIVE = "volume:archive"
UNAVAILABLE = "sandbox.unavailable"  # one decoder does not start: what another one decodes says nothing of it
RECONNECT = message("Reconnect or mount it. Nothing is lost; work resumes automatically.")
WAIT = message("Nothing is lost; work resumes automatically when it is back.")


class Parts:
    """Which parts rest, until when, and which issues that opened."""

    def __init__(self, clock: Clock, issues: IssueBook) -> None:
        self._clock, self._issues = clock, issues
        self._resting: dict[str, _Rest] = {}

    def resting(self, work: Work) -> str | None:
        """The part this work has to wait for, if any."""
        now = self._clock.monotonic_s()
        for part in parts_of(work):
            rest = self._resting.get(part)
            if rest is not None and now < rest.until_s:
                return part
        return None

    def is_resting(self, part: str) -> bool:
        rest = self._resting.get(part)
        return rest is not None and self._clock.monotonic_s() < rest.until_s

    def is_troubled(self, part: str) -> bool:
        """Whether the part, or one of its own, failed last and has not succeeded since, resting or not."""
        return part in self._resting or any(each.startswith(f"{part}/") for each in self._resting)

    async def trip(self, part: str, error: Away | NeedsHuman, *, work: Work | None = None) -> None:
        """Let the part rest and say why, once. `work`: what met the error."""
        rest = self._resting.setdefault(part, _Rest())
        rest.lengthen(self._clock.monotonic_s(), getattr(error, "retry_after_s", None))
        issue = issue_of(part, error)
        rest.refuse((issue.key, issue.subject), _refusal(error, work))
        await self._issues.open(issue)

    async def succeeded(self, works: Iterable[Work]) -> None:
        """Whatever these works needed is there."""
        if self._resting:
            for work in works:
                for part in parts_of(work):
                    await self._disprove(part, partial(_is_over, after=work))
                    if (rest := self._resting.get(part)) is not None:
                        rest.end()

    async def given_up(self, work: Work) -> None:
        """This work will not be tried again: nothing may wait for its success."""
        for part in parts_of(work) if self._resting else ():
            await self._disprove(part, lambda refusal: refusal is not None and refusal.is_of(work))

    async def returned(self, part: str, *, without: Collection[str] = ()) -> None:
        """The part is there with all its own, but those in `without`: close what their absence opened."""
        for each in [each for each in self._resting if each == part or each.startswith(f"{part}/")]:
            if each not in without:
                await self._disprove(each, lambda _: True)

    async def _disprove(self, part: str, is_over: Callable[[_Refusal | None], bool]) -> None:
        """Close the issues that are over; with the last of them the part is sound."""
        rest = self._resting.get(part)
        if rest is None:
            return
        over = [name for name, refusal in rest.refusals.items() if is_over(refusal)]
        for name in over:
            del rest.refusals[name]
        if not rest.refusals:
            del self._resting[part]
        for key, subject in over:
            await self._issues.close(key, subject)

    def resting_sources(self) -> list[str]:
        """Names of the sources whose files cannot be read now, and `NAME/TREE` where only a tree's cannot."""
        return [
            part.partition(":")[2] for part in self._resting if part.startswith("source:") and self.is_resting(part)
        ]


class _Refusal(NamedTuple):
    """What had no room, or no decoder."""

    step: str
    subject: str
    size_bytes: float  # infinite where only its own success counts

    def is_of(self, work: Work) -> bool:
        """By what is queued once; a job's number is given again."""
        return (self.step, self.subject) == (work.job.step, work.job.subject)

    def is_met_by(self, work: Work) -> bool:
        """Whether this success shows that what was refused would fit now."""
        size_bytes = work.resource.size_bytes or 0 if work.resource else 0
        return self.is_of(work) or (work.job.step == self.step and size_bytes >= self.size_bytes)


class _Rest:
    def __init__(self) -> None:
        self.until_s = 0.0
        self.refusals: dict[tuple[str, str], _Refusal | None] = {}  # issue -> None: any success closes it
        self._rests = 0  # in a row

    def refuse(self, issue: tuple[str, str], refusal: _Refusal | None) -> None:
        """Keep the largest of what was refused."""
        before = self.refusals.setdefault(issue, refusal)
        if refusal is not None and (before is None or refusal.size_bytes > before.size_bytes):
            self.refusals[issue] = refusal

    def end(self) -> None:
        """Something got through: others may try at once."""
        self.until_s, self._rests = 0.0, 0

    def lengthen(self, now_s: float, asked_s: float | None) -> None:
        if now_s < self.until_s:
            return  # one of several jobs that were already under way
        self.until_s = now_s + BACKOFF.wait_s(self._rests, asked_s=asked_s)
        self._rests += 1


def parts_of(work: Work) -> tuple[str, ...]:
    """What has to be there for this work, as its step declares."""
    needed = [_step(work), *([ARCHIVE] if work.needs.archive else ())]
    if work.resource is not None and work.needs.source:
        source, tree = f"source:{work.resource.source}", work.resource.remote_id.partition("/")[0]
        needed += [source, f"{source}/{tree}"]
    if work.needs.destination:
        needed.append(f"destination:{work.job.subject.rpartition('/')[0]}")
    return tuple(needed)


def part_of(work: Work, error: Away | NeedsHuman) -> str:
    """Which part an error speaks of."""
    if isinstance(error, Away):
        return error.part
    area = error.issue.partition(".")[0]
    for part in parts_of(work):
        if part.startswith(area):
            return part
    return _step(work)


def _step(work: Work) -> str:
    """The step itself can want a person: no sandbox for a decoder, no clock for a removal."""
    return f"step:{work.job.step}"


def _is_over(refusal: _Refusal | None, *, after: Work) -> bool:
    return refusal is None or refusal.is_met_by(after)


def _refusal(error: Away | NeedsHuman, work: Work | None) -> _Refusal | None:
    issue = error.issue if isinstance(error, NeedsHuman) else None
    if work is None or issue not in {"volume.full", UNAVAILABLE}:
        return None
    size_bytes = work.resource.size_bytes if work.resource else 0
    is_alone = issue == UNAVAILABLE or size_bytes is None
    return _Refusal(work.job.step, work.job.subject, inf if is_alone else float(size_bytes or 0))


def issue_of(part: str, error: Away | NeedsHuman) -> Issue:
    """What to tell people."""
    area, _, name = part.partition(":")
    if isinstance(error, NeedsHuman):
        return Issue(
            key=error.issue,
            subject=error.subject or name,
            severity=Severity.ERROR,
            message=reason_of(error),
            remedy=error.remedy,
        )
    return Issue(
        key=f"{area}.missing",
        subject=name,
        severity=Severity.WARNING,
        message=reason_of(error),
        remedy=error.remedy or (RECONNECT if area == "volume" else WAIT),
    )
