"""The runner: hands out jobs, lets stages work, commits what they found, and hands out what follows.

Reads like this: each stage has a lane; each lane takes the next work, asks the
governor, runs the stage, and passes the result to the one committer task, which
gathers what is ready and writes it in one transaction. What follows goes straight
to its lane without a look at the queue's table; the table is the truth after a
restart. A small file that comes alone is examined before its fetch is written
down, so that both share a commit.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import AwaitsCommit, Stage, Staged, StepResult, Subject, Work
from mediabox.core import plan, retry
from mediabox.core.commit import Committed
from mediabox.core.failures import FAILED, failed_issue, failed_subject, is_bug, is_final, reason_of
from mediabox.core.gauge import Gauge
from mediabox.core.lane import Lane
from mediabox.core.parts import part_of
from mediabox.core.recording import is_outdated
from mediabox.errors import Away, Fatal, NeedsHuman, Permanent, Retryable
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.model.issue import Issue
from mediabox.model.live import StageNow
from mediabox.store import assets, issues, jobs
from mediabox.store.transaction import savepoint
from mediabox.waiting import ends_within

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from mediabox.clock import Clock
    from mediabox.core.bus import Bus
    from mediabox.core.commit import Committer
    from mediabox.core.governor import Governor
    from mediabox.core.issues import IssueBook
    from mediabox.core.parts import Parts
    from mediabox.store.database import Database

log = get_logger(__name__)

GATHER_S = 0.5  # how long a result may wait for others to share its commit while lanes are busy
GATHER_MOST = 40  # results in one transaction
LOOK_S = 0.5  # between looks at the table while work is under way, or what is due waits for a part that is away
ALONE_MOST_BYTES = 16 << 20  # a larger file's commits are nothing beside it, and its examination may take minutes
LONGEST_REST_S = 60.0  # between looks while nothing is due: the wall clock may have jumped


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """One work run: its result, or the error that ended it. `ahead`: what the step that follows found already."""

    work: Work
    result: StepResult | None = None
    error: BaseException | None = None
    ahead: StepResult | None = None


class Pipeline:
    """Runs every stage's lane until cancelled."""

    def __init__(
        self,
        *,
        database: Database,
        stages: Sequence[Stage],
        committer: Committer,
        governor: Governor,
        parts: Parts,
        issues: IssueBook,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._database, self._committer, self._governor = database, committer, governor
        self._parts, self._issues, self._bus, self._clock = parts, issues, bus, clock
        self._stages = {stage.name: stage for stage in stages}
        self._hunger = asyncio.Event()
        self._lanes = {stage.name: Lane(stage.name, parts, self._hunger) for stage in stages}
        for stage in stages:
            for earlier in stage.after:
                self._lanes[stage.name].follow(self._lanes[earlier])
        self._done: asyncio.Queue[Done] = asyncio.Queue()
        self.gauge = Gauge(clock)
        self._running = 0
        self._is_committing = False
        self._uncommitted: set[int] = set()
        # Jobs that ended while the table was looked at: the look may still have seen them, and none may run twice.
        self._ended: set[int] = set()
        self._idle = asyncio.Event()
        self._unhurried: tuple[str, ...] = plan.TEXTS

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._commit())
            tasks.create_task(self._feed())
            for name, stage in self._stages.items():
                for _ in range(stage.width):
                    tasks.create_task(self._serve(self._lanes[name], stage))

    def wake(self) -> None:
        """Jobs were queued by someone else, or a part may be back: look at the table."""
        self._idle.clear()
        self._hunger.set()

    def now(self) -> tuple[StageNow, ...]:
        """The stages that have any work."""
        stages = (
            StageNow(step=name, running=self.gauge.running[name], waiting=len(lane))
            for name, lane in self._lanes.items()
        )
        return tuple(one for one in stages if one.running or one.waiting)

    async def idle(self) -> None:
        """Wait until nothing runs and no job can run now; from now on none waits for others of its kind."""
        self._unhurried = ()
        self._hunger.set()
        await self._idle.wait()

    # ------------------------------------------------------------ lanes

    async def _serve(self, lane: Lane, stage: Stage) -> None:
        while True:
            work = await lane.take()
            self._running += 1
            try:
                await self._governor.permit(stage.needs)
                self._uncommitted.add(work.job.id)
                with self.gauge.at_work(work):
                    await self._done.put(await self._look_ahead(await self._attempt(stage, work)))
            finally:
                self._running -= 1

    async def _look_ahead(self, done: Done) -> Done:
        """Examine bytes that came alone before their fetch is written down (decision 0023).

        A power cut meanwhile finds what it finds after any fetch: a whole `.part` of a resource that is `seen`. What
        goes wrong is left to the examination's own turn; bytes the archive has are not decoded.
        """
        staged, stage = done.result.outcome if done.result else None, self._stages.get("examine")
        if not isinstance(staged, Staged) or stage is None or not self._is_alone(staged):
            return done
        work = plan.ahead(done.work.of_resource, staged, stage)
        has_keeper = await self._database.read(lambda connection: assets.keeper(connection, staged.digest) is not None)
        if has_keeper or self._parts.resting(work):
            return done
        return msgspec.structs.replace(done, ahead=(await self._attempt(stage, work)).result)

    def _is_alone(self, staged: Staged) -> bool:
        """Nothing else is under way, and nothing speaks against working on: else what is done is gathered."""
        is_quiet = self._running == 1 and self._done.empty() and not self._is_committing
        waits = self._governor.waiting_for or any(len(lane) for lane in self._lanes.values())
        return is_quiet and not waits and staged.size_bytes <= ALONE_MOST_BYTES

    async def _attempt(self, stage: Stage, work: Work) -> Done:
        try:
            return Done(work=work, result=await _run(stage, work))
        except Fatal:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stage meets is its job's business, never the daemon's
            return Done(work=work, error=error)

    async def _feed(self) -> None:
        """Fill lanes that ran low from the table; let waiting jobs go when there is nothing better; notice idleness."""
        while True:
            self._hunger.clear()
            self._ended.clear()
            hungry = [lane for lane in self._lanes.values() if lane.is_low()]
            found, next_due_ms = await self._database.read(partial(self._look, lanes=hungry))
            if sum(lane.fill(work for work in found[lane.step] if work.job.id not in self._ended) for lane in hungry):
                self._idle.clear()
            elif self._is_quiet():
                if await self._database.write(partial(jobs.hurry, but=self._unhurried)):
                    continue
                if not self._hunger.is_set():  # else somebody queued a job after we looked
                    self._idle.set()
            await self._rest(next_due_ms)

    def _look(self, connection: sqlite3.Connection, lanes: Sequence[Lane]) -> tuple[dict[str, list[Work]], int | None]:
        now_ms = self._clock.wall_ms()
        skip = self._uncommitted.union(*(lane.held for lane in self._lanes.values()))
        found = {
            lane.step: [
                self._committer.work(connection, job)
                for job in jobs.due(
                    connection,
                    lane.step,
                    now_ms=now_ms,
                    limit=lane.depth,
                    skip=skip,
                    without_sources=self._parts.resting_sources() if self._stages[lane.step].needs.source else (),
                )
            ]
            for lane in lanes
        }
        return found, jobs.next_due_ms(connection)

    def _is_quiet(self) -> bool:
        is_busy = self._running or self._is_committing or self._uncommitted
        return not is_busy and not any(len(lane) for lane in self._lanes.values())

    async def _rest(self, next_due_ms: int | None) -> None:
        """Sleep until a lane runs low, someone wakes us, or the next delayed job is due."""
        wait_s = LONGEST_REST_S if self._is_quiet() else LOOK_S
        if next_due_ms is not None and self._is_quiet():
            wait_s = min(LONGEST_REST_S, max(LOOK_S, (next_due_ms - self._clock.wall_ms()) / 1000))
        await ends_within(self._hunger.wait(), wait_s)

    # ------------------------------------------------------------ commits

    async def _commit(self) -> None:
        while True:
            batch = [await self._done.get()]
            self._is_committing = True
            await self._gather(batch)
            await self._commit_batch(batch)
            self._is_committing = False  # only now, with everything let go, is it idle
            if self._is_quiet():
                self._hunger.set()

    async def _gather(self, batch: list[Done]) -> None:
        """What is done soon shares the commit: one sync, and each page that all of them change is written once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                while len(batch) < GATHER_MOST and (self._running or not self._done.empty()):
                    batch.append(await self._done.get())

    async def _commit_batch(self, batch: Sequence[Done]) -> None:
        written = await self._database.write(
            lambda connection: [each for done in batch for each in self._write_all(connection, done)]
        )
        await self._report_absence(batch)  # after what was done before it went away, and before anything is tried again
        self._clock.witness(self._clock.wall_ms())
        for work, result in written:
            self._uncommitted.discard(work.job.id)
            self._ended.add(work.job.id)
            self._lanes[work.job.step].release(work)
            await self._announce(work, result)
        await self._let_go([result.work for _, result in written if isinstance(result, Committed)])

    async def _announce(self, work: Work, result: Committed | Issue | None) -> None:
        """What was written, to whoever listens; and what follows, to its lanes."""
        if isinstance(result, Issue):
            await self._parts.given_up(work)
            self._issues.announce(result)
        elif result is not None:
            self.gauge.committed(work)
            for event in result.events:
                self._bus.publish(event)
            for following in result.ready:
                self._lanes[following.job.step].offer(following)

    def _write_all(self, connection: sqlite3.Connection, done: Done) -> list[tuple[Work, Committed | Issue | None]]:
        """A result; and what the step that follows found already, if that is what follows."""
        result = self._write(connection, done)
        if done.ahead is None or not isinstance(result, Committed):
            return [(done.work, result)]
        about = ("examine", done.work.job.subject)
        mine = [each for each in result.ready if (each.job.step, each.job.subject) == about]
        others = tuple(each for each in result.ready if each not in mine)
        following = [(each, self._write(connection, Done(work=each, result=done.ahead))) for each in mine]
        return [(done.work, msgspec.structs.replace(result, ready=others)), *following]

    def _write(self, connection: sqlite3.Connection, done: Done) -> Committed | Issue | None:
        """One result in a savepoint of its own: a bug in one must not undo the others.

        The issue of a step that failed for good; None when it will be tried again.
        """
        if done.result is not None:
            try:
                with savepoint(connection):
                    if done.work.job.last_error is not None:  # a person may have been told
                        issues.close_issue(connection, FAILED, failed_subject(done.work))
                    return self._committer.apply(connection, done.work, done.result)
            except Exception as error:  # noqa: BLE001 - kept with its job, like a stage's own
                return self._fail(connection, done.work, error)
        assert done.error is not None
        return self._fail(connection, done.work, done.error)

    async def _let_go(self, works: Sequence[Work]) -> None:
        for name, stage in self._stages.items():
            mine = [work for work in works if work.job.step == name]
            if mine:
                try:
                    if isinstance(stage, AwaitsCommit):
                        await stage.committed(mine)
                except (Retryable, NeedsHuman) as error:  # the next work meets it too; the next start sweeps
                    log.warning("not_let_go", step=name, reason=str(error))
                    continue
                await self._parts.succeeded(mine)

    # ------------------------------------------------------------ errors

    async def _report_absence(self, batch: Sequence[Done]) -> None:
        for done in batch:
            if isinstance(done.error, Away | NeedsHuman):
                await self._parts.trip(part_of(done.work, done.error), done.error, work=done.work)

    def _fail(self, connection: sqlite3.Connection, work: Work, error: BaseException) -> Issue | None:
        """Put the job back for later; or keep it as failed, with the issue that says so in the same transaction."""
        job, reason = work.job, reason_of(error)
        is_old = is_outdated(work, self._committer.work(connection, job).resource)
        if is_bug(error):
            log.error("step_broke", error=error, step=job.step, subject=job.subject)
        if is_final(work, error) and not is_old:
            if not jobs.fail(connection, job, reason):
                return None  # its other run has ended it, or it was asked for again and goes on
            log.error("step_failed", step=job.step, subject=job.subject, reason=reason)
            issue = failed_issue(work, error)
            issues.open_issue(connection, issue, at_ms=self._clock.wall_ms())
            return issue
        is_attempt = not (isinstance(error, Away | NeedsHuman) or is_old)
        asked_s = getattr(error, "retry_after_s", None)
        wait_s = retry.JOBS.wait_s(job.attempts, asked_s=asked_s) if is_attempt else 0.0
        not_before_ms = self._clock.wall_ms() + int(wait_s * 1000)
        jobs.postpone(connection, job, not_before_ms=not_before_ms, error=reason, counts=is_attempt)
        return None


async def _run(stage: Stage, work: Work) -> StepResult:
    if stage.subject is Subject.RESOURCE and work.resource is None:
        raise Permanent(message("its file (number {number}) is not in the catalogue", number=work.job.subject))
    return await stage.run(work)
