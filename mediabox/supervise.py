"""Keep one service running: start it again after an error, ever less eagerly, and say when it will not stay up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mediabox.clock import Clock
from mediabox.errors import Fatal, MediaboxError, NeedsHuman, Retryable
from mediabox.log import get_logger
from mediabox.message import Text, message, plural
from mediabox.model.backoff import Backoff
from mediabox.model.issue import Issue, Severity

log = get_logger(__name__)

HEALTHY_S = 60.0  # a run this long ends an outage
BACKOFF = Backoff(first_s=5.0, longest_s=320.0, spread=0.5)  # a service is wanted sooner than a job
GIVE_UP_AFTER = 5  # failures within WINDOW_S: a person should know; we go on trying
WINDOW_S = 600.0

Service = Callable[[], Awaitable[None]]
E = TypeVar("E", bound=BaseException)


class Outage:
    """Failures of one service since it last ran well."""

    def __init__(self) -> None:
        self.failures = 0
        self._failed_at_s: list[float] = []

    def failed(self, now_s: float) -> None:
        """Count one more, at monotonic `now_s`."""
        self.failures += 1
        self._failed_at_s = [at_s for at_s in self._failed_at_s if now_s - at_s <= WINDOW_S] + [now_s]

    def is_grave(self, most: int) -> bool:
        """Whether so many failures came so close together that a person should know."""
        return len(self._failed_at_s) >= most


class Supervision:
    """One service's runs and outages. Use `supervise`."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        open_issue: Callable[[Issue], Awaitable[None]],
        close_issue: Callable[[str, str], Awaitable[None]] | None,
        key: str,
        report_after: int,
    ) -> None:
        self._key, self._report_after = key, report_after
        self._name = name
        self._clock = clock
        self._open_issue = open_issue
        self._close_issue = close_issue
        self._outage = Outage()
        self._is_reported = False

    async def run(self, service: Service) -> None:
        """Run until the service returns by itself; an outage ends with whoever stops it."""
        try:
            await self._keep(service)
        except asyncio.CancelledError:
            await self._close()
            raise
        await self._close()

    async def _keep(self, service: Service) -> None:
        while True:
            try:
                await self._once(service)
                return
            except Exception as err:
                if _is_cancelled():
                    raise asyncio.CancelledError from err  # it failed while it was told to stop
                fatal = first(err, Fatal)
                if fatal is not None:
                    raise fatal from None
                wait_s = await self._failed(err)
            await asyncio.sleep(wait_s)

    async def _once(self, service: Service) -> None:
        """One run; after HEALTHY_S of it the outage before is over."""
        try:
            async with asyncio.TaskGroup() as tasks:
                recovery = tasks.create_task(self._recover())
                await service()
                recovery.cancel()
        except ExceptionGroup as group:
            raise group.exceptions[0] if len(group.exceptions) == 1 else group from None

    async def _recover(self) -> None:
        await asyncio.sleep(HEALTHY_S)
        outage, self._outage = self._outage, Outage()
        if outage.failures:
            log.info("service_recovered", service=self._name, failures=outage.failures)
        await self._close()

    async def _close(self) -> None:
        if self._is_reported and self._close_issue is not None:
            await self._close_issue(self._key, self._name)
        self._is_reported = False

    async def _failed(self, err: Exception) -> float:
        """Log the first failure of an outage, report it when it lasts; return how long to wait, in seconds."""
        outage = self._outage
        outage.failed(self._clock.monotonic_s())
        if outage.failures == 1:
            log.error("service_failed", error=err, service=self._name)
        asked = first(err, NeedsHuman)
        if asked is not None:
            await self._open_issue(_request(asked))
        elif outage.is_grave(self._report_after) and not self._is_reported:
            self._is_reported = True
            await self._open_issue(_failing(self._key, self._name, err, outage.failures))
        again = first(err, Retryable)
        asked_s = again.retry_after_s if again is not None else None
        return BACKOFF.wait_s(outage.failures - 1, asked_s=asked_s)


async def supervise(
    name: str,
    service: Service,
    *,
    clock: Clock,
    open_issue: Callable[[Issue], Awaitable[None]],
    close_issue: Callable[[str, str], Awaitable[None]] | None = None,
    key: str = "service.failing",
    report_after: int = GIVE_UP_AFTER,
) -> None:
    """Keep `service` running under `name` until it returns by itself. Raises Fatal and CancelledError only.

    After any other error it is started again, later each time (`model.backoff`, up to
    320 s, never before what a Retryable asks for); a run of HEALTHY_S starts the
    count anew. An outage is logged once when it begins and once when it ends.
    `report_after` failures within WINDOW_S open the issue `key`, which
    `close_issue(key, subject)` takes back; a NeedsHuman opens the issue it names.
    """
    supervision = Supervision(
        name, clock=clock, open_issue=open_issue, close_issue=close_issue, key=key, report_after=report_after
    )
    await supervision.run(service)


def first(err: BaseException, kind: type[E]) -> E | None:
    """The first error of this kind in `err`, which may be a TaskGroup's group of groups."""
    if isinstance(err, BaseExceptionGroup):
        return next((found for inner in err.exceptions if (found := first(inner, kind)) is not None), None)
    return err if isinstance(err, kind) else None


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _request(asked: NeedsHuman) -> Issue:
    return Issue(
        key=asked.issue, subject=asked.subject, severity=Severity.WARNING, message=asked.text, remedy=asked.remedy
    )


def _failing(key: str, name: str, err: Exception, failures: int) -> Issue:
    reason: Text = err.text if isinstance(err, MediaboxError) else str(err)
    return Issue(
        key=key,
        subject=name,
        severity=Severity.ERROR,
        message=plural(
            "{name} stopped: {reason}",
            "{name} stopped {count:n} times within {window:duration}, most recently: {reason}",
            count=failures,
            name=name,
            window=WINDOW_S,
            reason=reason or type(err).__name__,
        ),
        remedy=message("It is restarted at growing intervals. The log has the first error in full."),
    )
