"""Write one step's outcome into the catalogue: what the file is now, its story, and the jobs that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, assert_never

import msgspec

from mediabox.contracts import (
    FirstNameRemoved,
    OriginalsMoved,
    Quarantine,
    Relocated,
    RemovedFromSource,
    Setback,
    Stage,
    Staged,
    Subject,
    TextFiles,
)
from mediabox.core import deletion, plan
from mediabox.core.delivering import record
from mediabox.core.informed import informed
from mediabox.core.settle import Settlement
from mediabox.message import from_fields
from mediabox.model.asset import Kind, ResourceState
from mediabox.model.decision import DecisionKind
from mediabox.model.events import ResourceChanged
from mediabox.model.facts import Facts
from mediabox.model.ledger import Copy, Receipt
from mediabox.store import adoptable, assets, copies, decisions, examined, journal, told, trash
from mediabox.store.library import StoredLibrary

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Container, Mapping, Sequence

    from mediabox.contracts import Moved, Outcome, Rule, Work
    from mediabox.core.alike import HashIndex
    from mediabox.model.asset import Resource
    from mediabox.model.job import JobRequest

AnyStage: TypeAlias = Stage | type[Stage]


class RecordingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the box is made of, and what the owner chose of its sources."""

    stages: Sequence[AnyStage]
    rules: Sequence[Rule]
    moving: Container[str]  # sources whose files go once they are archived
    mirroring: Container[str]  # sources whose deletions are followed


class Recording:
    """One outcome on its way into the database."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        policy: RecordingPolicy,
        alike: Callable[[sqlite3.Connection], HashIndex],
        *,
        now_ms: int,
    ) -> None:
        self._connection, self._policy, self._alike, self.now_ms = connection, policy, alike, now_ms
        self.events: list[ResourceChanged] = []
        self.followers: list[JobRequest] = []  # what stages asked to follow

    def write(self, work: Work, stage: AnyStage, outcome: Outcome | None) -> list[JobRequest]:
        """The jobs that follow. Raises KeyError for an outcome that this step cannot have."""
        if stage.subject is Subject.DELIVERY:
            return record.ended(self._connection, work, outcome, now_ms=self.now_ms)
        if stage.subject is not Subject.RESOURCE:
            return self.of_others[type(outcome)](self, work, outcome) if outcome is not None else []
        # The row as it is now: it may have been joined to another asset since the job was handed out.
        resource = assets.resource(self._connection, work.resource.id) if work.resource else None
        if resource is None:
            return []
        if is_outdated(work, resource):
            return list(plan.after_taking_in(resource.id, resource.kind))
        if outcome is None or resource.state not in stage.expects:
            return []  # a step run twice: what it found is about a time that is over
        return self.of_resource[type(outcome)](self, resource, outcome)

    def _staged(self, resource: Resource, staged: Staged) -> list[JobRequest]:
        if staged.adopted_from is not None:
            adoptable.set_used(self._connection, staged.adopted_from, resource.id)
        if decisions.find(self._connection, DecisionKind.ERASED, staged.digest) is not None:
            assets.set_kept_out(self._connection, resource.id, staged.digest)
            self._note("kept_out", resource, reason="a person erased these bytes")
            return []
        keeper = None if resource.is_companion else assets.keeper(self._connection, staged.digest)
        if keeper is not None and keeper != resource.id:
            return self._duplicate(resource, staged, keeper)
        assets.set_staged(self._connection, resource.id, digest=staged.digest, size_bytes=staged.size_bytes)
        self._note("fetched", resource, sha256=staged.digest, size_bytes=staged.size_bytes, **_adopted(staged))
        return []

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
        alike = self._alike(self._connection)
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
        library = StoredLibrary(self._connection, self._alike(self._connection))
        settlement = Settlement(self._connection, library, now_ms=self.now_ms)
        rules = [rule for rule in self._policy.rules if not only or rule.name in only]
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

    def _relocated(self, resource: Resource, found: Relocated) -> list[JobRequest]:
        path = found.path
        assets.set_moved(self._connection, resource.id, path)
        trash.set_place(self._connection, resource.id, path)
        self._note("relocated", resource, path=path, from_=resource.path)
        return list(plan.after_relocating(resource, path, now_ms=self.now_ms))

    def _first_name_removed(self, resource: Resource, _: FirstNameRemoved) -> list[JobRequest]:
        assets.forget_moves(self._connection, resource.id)
        return []

    def _movable(self, kept: Resource) -> list[Resource]:
        """Files at their sources that the owner moves, now that these bytes are archived."""
        copies_elsewhere = [kept, *assets.duplicates(self._connection, kept.id)]
        return [one for one in copies_elsewhere if self._is_movable(one, kept)]

    def _is_movable(self, one: Resource, kept: Resource) -> bool:
        """A companion that stands alone may yet find a file of its own, and would have to be kept beside that."""
        is_kept = one.asset_id == kept.asset_id or not one.is_companion
        return is_kept and one.source in self._policy.moving

    def _follow(self, resource: Resource) -> list[JobRequest]:
        """It has its end now: whether its asset may go, or has to come back, could not be decided before."""
        if resource.remote_asset_id is None and resource.state is not ResourceState.TRASHED:
            return []
        return deletion.follow(self._connection, resource.asset_id, self._policy.mirroring, now_ms=self.now_ms)

    def _originals_moved(self, work: Work, outcome: OriginalsMoved) -> list[JobRequest]:
        requests = [request for moved in outcome.moved for request in self._moved(moved)]
        for path in outcome.removed:
            copies.forget_written(self._connection, path)
        # Somebody may have changed their mind while the files were on their way.
        asset_id = int(work.job.subject)
        return requests + deletion.follow(self._connection, asset_id, self._policy.mirroring, now_ms=self.now_ms)

    def _moved(self, moved: Moved) -> list[JobRequest]:
        """One original went to the trash, or came back."""
        resource = assets.resource(self._connection, moved.resource_id)
        before = ResourceState.ARCHIVED if moved.in_trash else ResourceState.TRASHED
        if resource is None or resource.state is not before:
            return []
        requests = list(plan.after_moving(resource.path or "", now_ms=self.now_ms))
        if moved.in_trash:
            trash.put_in(self._connection, resource.id, moved.path, at_ms=self.now_ms)
        else:
            trash.take_out(self._connection, resource.id, moved.path)
            requests += plan.after_recovering(resource, movable=self._movable(resource), now_ms=self.now_ms)
        self._note("trashed" if moved.in_trash else "recovered", resource, path=moved.path)
        return requests

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

    def _quarantined(self, resource: Resource, found: Quarantine) -> list[JobRequest]:
        if resource.state.is_end:
            return []  # what is archived is an original, whatever a late step finds
        assets.set_quarantined(self._connection, resource.id, found.reason)
        if found.is_gone:
            assets.forget_version(self._connection, resource.id)
        self._note("quarantined", resource, reason=found.reason)
        # Whoever counted on these bytes being kept must be read itself now.
        heirs = assets.disown(self._connection, resource.id)
        requests = [request for heir in heirs for request in plan.after_taking_in(heir, resource.kind)]
        return requests + self._follow(resource)

    def _removed(self, resource: Resource, _: RemovedFromSource) -> list[JobRequest]:
        assets.set_removed(self._connection, resource.id, self.now_ms)
        self._note("removed_from_source", resource, source=resource.source)
        return []

    def _text_files(self, work: Work, files: TextFiles) -> list[JobRequest]:
        asset_id = int(work.job.subject) if work.job.step == "describe" else None
        if files.written is not None:
            copies.put_written(self._connection, files.written, asset_id, self.now_ms)
        for path in files.removed:
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
        self.followers += plan.after_event(self._policy.stages, event, resource)
        detail = next((fields[name] for name in ("path", "reason", "damage") if fields.get(name)), "")
        self.events.append(
            ResourceChanged(resource_id=resource.id, name=resource.name, event=event, detail=from_fields(detail))
        )

    of_resource: ClassVar[Mapping[type, Callable[[Recording, Resource, Any], list[JobRequest]]]] = {
        Staged: _staged,
        Facts: _examined,
        Receipt: _archived,
        Relocated: _relocated,
        FirstNameRemoved: _first_name_removed,
        Quarantine: _quarantined,
        Setback: _set_back,
        RemovedFromSource: _removed,
    }
    of_others: ClassVar[Mapping[type, Callable[[Recording, Work, Any], list[JobRequest]]]] = {
        TextFiles: _text_files,
        OriginalsMoved: _originals_moved,
    }


def is_outdated(work: Work, now: Resource | None) -> bool:
    """Whether the source listed a newer version meanwhile: what was read, or could not be, was the old one's."""
    return work.resource is not None and now is not None and work.resource.version != now.version


def _adopted(staged: Staged) -> dict[str, object]:
    return {"adopted_from": staged.adopted_from, "likeness": staged.adopted_by} if staged.adopted_from else {}


def _flag(facts: Facts) -> dict[str, object]:
    return {"damage": facts.damage} if facts.damage else {}
