"""Write down what a step found: its outcome, its end and the jobs that follow, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from mediabox.contracts import Setback, Staged, Work
from mediabox.core import deletion, plan
from mediabox.core.alike import HashIndex
from mediabox.core.delivering import record
from mediabox.core.informed import informed
from mediabox.core.settle import Settlement
from mediabox.model.asset import Kind, ResourceState
from mediabox.model.events import ResourceChanged
from mediabox.model.ledger import Copy
from mediabox.store import adoptable, assets, copies, examined, jobs, journal, told, trash
from mediabox.store.library import StoredLibrary

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Sequence

    from mediabox.clock import Clock
    from mediabox.contracts import Outcome, Rule
    from mediabox.model.asset import Resource
    from mediabox.model.facts import Facts
    from mediabox.model.job import Job, JobRequest
    from mediabox.model.ledger import Receipt


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction leads to: works that may run at once, and what to tell the bus."""

    work: Work  # the work done, its resource as the outcome left it
    ready: tuple[Work, ...]
    events: tuple[ResourceChanged, ...]


# What a resource may be for a step's outcome to say anything about it.
STATES_OF = {
    "fetch": {ResourceState.SEEN},
    "examine": {ResourceState.STAGED, ResourceState.FILING, ResourceState.ARCHIVED},
    "relocate": {ResourceState.ARCHIVED},
    "file": {ResourceState.STAGED, ResourceState.FILING, ResourceState.ARCHIVED},
}
RESOURCE_STEPS = frozenset({"fetch", "examine", "file", "relocate", "remove"})  # their subject is a resource id


class Committer:
    """Applies outcomes on the writer's connection. Holds no state of its own but the index of hashes."""

    def __init__(
        self,
        *,
        rules: Sequence[Rule],
        clock: Clock,
        moving_sources: Container[str],
        mirroring_sources: Container[str] = (),
    ) -> None:
        self.rules, self._clock, self._moving, self.mirroring = rules, clock, moving_sources, mirroring_sources
        self._index: HashIndex | None = None

    def apply(self, connection: sqlite3.Connection, work: Work, outcome: Outcome) -> Committed:
        """Store one step's outcome. Repeating it after a crash changes nothing more."""
        step = _Application(connection, self, now_ms=self._clock.wall_ms())
        requests = [*step.apply(work, outcome), *outcome.next_jobs]
        jobs.finish(connection, work.job)
        added = [job for request in requests if (job := jobs.add(connection, request))]
        ready = tuple(self.work(connection, job) for job in added if job.not_before_ms <= step.now_ms)
        return Committed(work=self.work(connection, work.job), ready=ready, events=tuple(step.events))

    def work(self, connection: sqlite3.Connection, job: Job) -> Work:
        """A job with the resource it is about, as it is now."""
        about = assets.resource(connection, int(job.subject)) if job.step in RESOURCE_STEPS else None
        return Work(job=job, resource=about)

    def alike(self, connection: sqlite3.Connection) -> HashIndex:
        """The index of perceptual hashes; read from the catalogue when it is first needed."""
        if self._index is None:
            self._index = HashIndex(examined.perceptual_hashes(connection))
        return self._index

    def compare(self, connection: sqlite3.Connection, resource_id: int, facts: Facts) -> None:
        """Note which pictures this one, filed long ago, looks like. Call before its facts are stored."""
        alike = self.alike(connection)
        resource = assets.resource(connection, resource_id)
        if resource is None or not facts.perceptual_hashes:
            return
        settlement = Settlement(connection, StoredLibrary(connection, alike), now_ms=self._clock.wall_ms())
        settlement.settle(resource, facts, [rule for rule in self.rules if rule.name == "dedup"])
        alike.add(resource_id, facts.perceptual_hashes[0])

    def moves(self, resource: Resource) -> bool:
        return resource.source in self._moving


def is_outdated(work: Work, now: Resource | None) -> bool:
    """Whether the source listed a newer version meanwhile: what was read, or could not be, was the old one's."""
    return work.resource is not None and now is not None and work.resource.version != now.version


class _Application:
    """One outcome on its way into the database."""

    def __init__(self, connection: sqlite3.Connection, committer: Committer, *, now_ms: int) -> None:
        self._connection, self._committer, self.now_ms = connection, committer, now_ms
        self.events: list[ResourceChanged] = []

    def apply(self, work: Work, outcome: Outcome) -> list[JobRequest]:
        if work.job.step == record.STEP:
            return record.ended(self._connection, work, outcome, now_ms=self.now_ms)
        if outcome.moved:
            return self._moved(int(work.job.subject), outcome)
        if outcome.written is not None or outcome.withdrawn:
            return self._written(work, outcome)
        return self._of_resource(work, outcome)

    def _of_resource(self, work: Work, outcome: Outcome) -> list[JobRequest]:
        # The row as it is now: it may have been joined to another asset since the job was handed out.
        resource = assets.resource(self._connection, work.resource.id) if work.resource else None
        if resource is None:
            return []
        if is_outdated(work, resource):
            return list(plan.after_taking_in(resource.id, resource.kind))
        if resource.state not in STATES_OF.get(work.job.step, ResourceState):
            return []  # a step run twice: what it found is about a time that is over
        if outcome.setback is not None:
            return self._set_back(resource, outcome.setback)
        if outcome.quarantine is not None:
            return self._quarantined(resource, outcome.quarantine, is_gone=outcome.is_gone)
        if outcome.staged is not None:
            return self._staged(resource, outcome.staged)
        if outcome.facts is not None:
            return self._examined(resource, outcome.facts)
        if outcome.receipt is not None:
            return self._archived(resource, outcome.receipt)
        if outcome.relocated is not None:
            return self._relocated(resource, outcome.relocated)
        if outcome.is_unnamed:
            assets.forget_moves(self._connection, resource.id)
            return []
        if outcome.removed_from_source:
            return self._removed(resource)
        return []

    def _staged(self, resource: Resource, staged: Staged) -> list[JobRequest]:
        if staged.adopted_from is not None:
            adoptable.set_used(self._connection, staged.adopted_from, resource.id)
        keeper = None if resource.is_companion else assets.keeper(self._connection, staged.digest)
        if keeper is not None and keeper != resource.id:
            return self._duplicate(resource, staged, keeper)
        assets.set_staged(self._connection, resource.id, digest=staged.digest, size_bytes=staged.size_bytes)
        self._note("fetched", resource, sha256=staged.digest, size_bytes=staged.size_bytes, **_adopted(staged))
        return list(plan.after_staging(resource))

    def _duplicate(self, resource: Resource, staged: Staged, keeper: int) -> list[JobRequest]:
        assets.set_duplicate(
            self._connection, resource.id, of=keeper, digest=staged.digest, size_bytes=staged.size_bytes
        )
        self._note("duplicate", resource, sha256=staged.digest, of=keeper, **_adopted(staged))
        requests: list[JobRequest] = []
        facts = examined.facts(self._connection, keeper)
        if facts is not None:  # else they are settled together
            requests += self._settle(resource, facts, only=("group", "place"))
        kept = assets.resource(self._connection, keeper)
        moves = kept is not None and kept.state is ResourceState.ARCHIVED and self._is_movable(resource, kept)
        requests += self._follow(kept if kept is not None and kept.state is ResourceState.TRASHED else resource)
        return requests + list(plan.after_duplicate(resource, moves=moves, now_ms=self.now_ms))

    def _found_kept(self, resource: Resource, keeper: int) -> list[JobRequest]:
        """Staged, and a duplicate after all: `file` lets go of what was staged."""
        staged = Staged(digest=resource.digest or "", size_bytes=resource.size_bytes or 0)
        return [*self._duplicate(resource, staged, keeper), *plan.after_placing(resource)]

    def _examined(self, resource: Resource, facts: Facts) -> list[JobRequest]:
        alike = self._committer.alike(self._connection)
        if resource.kind is Kind.SIDECAR and facts.kind is not Kind.SIDECAR and resource.digest is not None:
            keeper = assets.keeper(self._connection, resource.digest)
            if keeper is not None and resource.state is ResourceState.STAGED:
                return self._found_kept(resource, keeper)  # no sidecar, whatever its name says
        is_new = examined.facts(self._connection, resource.id) is None
        examined.put_facts(self._connection, resource.id, facts)
        if facts.kind is not resource.kind:
            assets.set_kind(self._connection, resource.id, facts.kind)
        self._note("examined", resource, media_type=facts.media_type, **_flag(facts))
        if resource.state is not ResourceState.STAGED:
            return []  # examined again later: its place is settled
        requests = self._settle(resource, facts)
        if is_new and facts.perceptual_hashes:
            alike.add(resource.id, facts.perceptual_hashes[0])
        return requests

    def _settle(
        self, resource: Resource, facts: Facts, *, only: tuple[str, ...] = (), is_late: bool = False
    ) -> list[JobRequest]:
        library = StoredLibrary(self._connection, self._committer.alike(self._connection))
        settlement = Settlement(self._connection, library, now_ms=self.now_ms)
        rules = [rule for rule in self._committer.rules if not only or rule.name in only]
        said = told.said_of(self._connection, resource.asset_id)
        settlement.settle(resource, informed(facts, said), rules, is_late=is_late)
        for found in settlement.duplicates:
            twin = assets.resource(self._connection, found.resource_id)
            settlement.jobs += self._found_kept(twin, found.of) if twin is not None else ()
        return settlement.jobs

    def _archived(self, resource: Resource, receipt: Receipt) -> list[JobRequest]:
        copies.put(
            self._connection,
            Copy(
                resource_id=resource.id,
                volume=receipt.volume,
                path=receipt.path,
                size_bytes=receipt.size_bytes,
                digest=receipt.digest,
                evidence=receipt.evidence,
                proved_at_ms=self.now_ms,
            ),
        )
        assets.set_archived(self._connection, resource.id, self.now_ms)
        self._note("archived", resource, path=receipt.path, volume=receipt.volume, evidence=receipt.evidence)
        movable = self._movable(resource)
        has_company = len(assets.members(self._connection, resource.asset_id)) > 1
        following = [*self._follow(resource), *(self._settle_place(resource) if has_company else ())]
        return [*plan.after_archiving(resource, movable=movable, now_ms=self.now_ms), *following]

    def _settle_place(self, resource: Resource, *, is_late: bool = False) -> list[JobRequest]:
        facts = examined.facts(self._connection, resource.id)
        return self._settle(resource, facts, only=("place",), is_late=is_late) if facts else []

    def _relocated(self, resource: Resource, path: str) -> list[JobRequest]:
        assets.set_moved(self._connection, resource.id, path)
        trash.set_place(self._connection, resource.id, path)
        self._note("relocated", resource, path=path, from_=resource.path)
        return list(plan.after_relocating(resource, path, now_ms=self.now_ms))

    def _movable(self, kept: Resource) -> list[Resource]:
        """Files at their sources that the owner moves, now that these bytes are archived."""
        copies_elsewhere = [kept, *assets.duplicates(self._connection, kept.id)]
        return [one for one in copies_elsewhere if self._is_movable(one, kept)]

    def _is_movable(self, one: Resource, kept: Resource) -> bool:
        """A companion that stands alone may yet find a file of its own, and would have to be kept beside that."""
        is_kept = one.asset_id == kept.asset_id or not one.is_companion
        return is_kept and self._committer.moves(one)

    def _follow(self, resource: Resource) -> list[JobRequest]:
        """It has its end now: whether its asset may go, or has to come back, could not be decided before."""
        if resource.remote_asset_id is None and resource.state is not ResourceState.TRASHED:
            return []
        return deletion.follow(self._connection, resource.asset_id, self._committer.mirroring, now_ms=self.now_ms)

    def _moved(self, asset_id: int, outcome: Outcome) -> list[JobRequest]:
        """An asset's originals went to the trash, or came back."""
        requests: list[JobRequest] = []
        for moved in outcome.moved:
            resource = assets.resource(self._connection, moved.resource_id)
            if resource is None:
                continue
            if resource.state is not (ResourceState.ARCHIVED if moved.in_trash else ResourceState.TRASHED):
                continue
            if moved.in_trash:
                trash.put_in(self._connection, resource.id, moved.path, at_ms=self.now_ms)
            else:
                trash.take_out(self._connection, resource.id, moved.path)
                requests += plan.after_recovering(resource, movable=self._movable(resource), now_ms=self.now_ms)
            self._note("trashed" if moved.in_trash else "recovered", resource, path=moved.path)
            requests += plan.after_moving(resource.path or "", now_ms=self.now_ms)
        for path in outcome.withdrawn:
            copies.forget_written(self._connection, path)
        # Somebody may have changed their mind while the files were on their way.
        return requests + deletion.follow(self._connection, asset_id, self._committer.mirroring, now_ms=self.now_ms)

    def _set_back(self, resource: Resource, setback: Setback) -> list[JobRequest]:
        if resource.state is ResourceState.ARCHIVED:
            assets.forget_moves(self._connection, resource.id)
            return self._settle_place(resource)  # the name in its way stays kept: it gets another
        if resource.state.is_end:
            return []
        self._note(setback.value, resource, path=resource.path)
        match setback:
            case Setback.LOST:
                assets.set_seen(self._connection, resource.id)
                # The source may have another version by now, so its duplicates cannot count on it either.
                again = [resource.id, *assets.disown(self._connection, resource.id)]
                return [request for one in again for request in plan.after_taking_in(one, resource.kind)]
            case Setback.UNPLACED:
                if resource.path is not None:
                    return list(plan.after_placing(resource))
                return self._settle_place(resource, is_late=True)
            case Setback.OBSTRUCTED:
                assets.shun(self._connection, resource.path or "")
                assets.unplace(self._connection, resource.id)
                return self._settle_place(resource, is_late=True)
            case _:
                assert_never(setback)

    def _quarantined(self, resource: Resource, reason: str, *, is_gone: bool) -> list[JobRequest]:
        assets.set_quarantined(self._connection, resource.id, reason)
        if is_gone:
            assets.forget_version(self._connection, resource.id)
        self._note("quarantined", resource, reason=reason)
        # Whoever counted on these bytes being kept must be read itself now.
        heirs = assets.disown(self._connection, resource.id)
        requests = [request for heir in heirs for request in plan.after_taking_in(heir, resource.kind)]
        return requests + self._follow(resource)

    def _removed(self, resource: Resource) -> list[JobRequest]:
        assets.set_removed(self._connection, resource.id, self.now_ms)
        self._note("removed_from_source", resource, source=resource.source)
        return []

    def _written(self, work: Work, outcome: Outcome) -> list[JobRequest]:
        asset_id = int(work.job.subject) if work.job.step == "describe" else None
        if outcome.written is not None:
            copies.put_written(self._connection, outcome.written, asset_id, self.now_ms)
        for path in outcome.withdrawn:
            copies.forget_written(self._connection, path)
        return []

    def _note(self, event: str, resource: Resource, **fields: object) -> None:
        journal.append(
            self._connection,
            event,
            at_ms=self.now_ms,
            resource_id=resource.id,
            asset_id=resource.asset_id,
            **fields,
        )
        detail = str(fields.get("path") or fields.get("reason") or fields.get("damage") or "")
        self.events.append(ResourceChanged(resource_id=resource.id, name=resource.name, event=event, detail=detail))


def _adopted(staged: Staged) -> dict[str, object]:
    return {"adopted_from": staged.adopted_from, "likeness": staged.adopted_by} if staged.adopted_from else {}


def _flag(facts: Facts) -> dict[str, object]:
    return {"damage": facts.damage} if facts.damage else {}
