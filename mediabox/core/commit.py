"""Write down how a step ended: its outcome, its end and the jobs that follow, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import StepResult, Subject, Work
from mediabox.core.alike import HashIndex
from mediabox.core.recording import Recording, RecordingPolicy
from mediabox.core.settle import Settlement
from mediabox.model.events import ResourceChanged
from mediabox.store import assets, examined, jobs
from mediabox.store.library import StoredLibrary

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Sequence

    from mediabox.clock import Clock
    from mediabox.contracts import Rule
    from mediabox.core.recording import AnyStage
    from mediabox.model.facts import Facts
    from mediabox.model.job import Job


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction leads to: works that may run at once, and what to tell the bus."""

    work: Work  # the work done, its resource as the outcome left it
    ready: tuple[Work, ...]
    events: tuple[ResourceChanged, ...]


class Committer:
    """Applies outcomes on the writer's connection. Holds no state of its own but the index of hashes."""

    def __init__(
        self,
        *,
        stages: Sequence[AnyStage] = (),
        rules: Sequence[Rule],
        clock: Clock,
        moving_sources: Container[str],
        mirroring_sources: Container[str] = (),
    ) -> None:
        self._clock = clock
        self._policy = RecordingPolicy(stages=stages, rules=rules, moving=moving_sources, mirroring=mirroring_sources)
        self._stages = {stage.name: stage for stage in stages}
        self._index: HashIndex | None = None

    def apply(self, connection: sqlite3.Connection, work: Work, result: StepResult) -> Committed:
        """Store how one step ended. Repeating it after a crash changes nothing more."""
        step = Recording(connection, self._policy, self._alike, now_ms=self._clock.wall_ms())
        follow = step.write(work, self._stages[work.job.step], result.outcome)
        jobs.finish(connection, work.job)
        requests = (*follow, *step.followers, *result.next_jobs)
        added = [job for request in requests if (job := jobs.add(connection, request))]
        ready = tuple(self.work(connection, job) for job in added if job.not_before_ms <= step.now_ms)
        return Committed(work=self.work(connection, work.job), ready=ready, events=tuple(step.events))

    def work(self, connection: sqlite3.Connection, job: Job) -> Work:
        """A job with the resource it is about, as it is now."""
        stage = self._stages[job.step]
        about = assets.resource(connection, int(job.subject)) if stage.subject is Subject.RESOURCE else None
        return Work(job=job, resource=about, needs=stage.needs)

    def compare(self, connection: sqlite3.Connection, resource_id: int, facts: Facts) -> None:
        """Note which pictures this one, filed long ago, looks like. Call before its facts are stored."""
        alike = self._alike(connection)
        resource = assets.resource(connection, resource_id)
        if resource is None or not facts.perceptual_hashes:
            return
        settlement = Settlement(connection, StoredLibrary(connection, alike), now_ms=self._clock.wall_ms())
        settlement.settle(resource, facts, [rule for rule in self._policy.rules if rule.name == "dedup"])
        alike.add(resource_id, facts.perceptual_hashes[0])

    def _alike(self, connection: sqlite3.Connection) -> HashIndex:
        """The index of perceptual hashes; read from the catalogue when it is first needed."""
        if self._index is None:
            self._index = HashIndex(examined.perceptual_hashes(connection))
        return self._index
