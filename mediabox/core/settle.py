"""Group, deduplicate and place a resource: every rule, in order, on facts just stored.

Runs inside the transaction that stores the facts. Transactions come one after the
other, so the second half of a Live Photo always sees the first, whichever half
that is, and two files can never reserve one path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from mediabox.contracts import Decision, Duplicate, Join, Reserve, Similar
from mediabox.core import plan
from mediabox.core.company import agreed, awaits, by_rank
from mediabox.model.asset import ResourceState
from mediabox.store import assets, examined, journal, told, trash

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from mediabox.contracts import Library, Member, Rule
    from mediabox.model.asset import Resource
    from mediabox.model.facts import Facts
    from mediabox.model.job import JobRequest


class Settlement:
    """One resource being settled within one transaction."""

    def __init__(self, connection: sqlite3.Connection, library: Library, *, now_ms: int) -> None:
        self._connection, self._library, self._now_ms = connection, library, now_ms
        self._concerned: set[int] = set()  # assets whose files may have a place now
        self.jobs: list[JobRequest] = []
        self.duplicates: list[Duplicate] = []

    def settle(self, resource: Resource, facts: Facts, rules: Sequence[Rule], *, is_late: bool = False) -> None:
        """Let each rule decide on the resource as the rules before it left it.

        `place` decides on every file of the assets this concerns, with what all of an asset
        knows. `is_late`: the resource has waited for company long enough.
        """
        for rule in rules:
            current = assets.resource(self._connection, resource.id)
            if current is None:
                return
            if rule.name == "place":
                self._place(rule, current, is_late=is_late)
                continue
            for decision in rule.decide(current, facts, self._library):
                self._apply(decision, current)

    def _place(self, rule: Rule, resource: Resource, *, is_late: bool) -> None:
        waiting = [one for one in self._library.beside(resource) if one.resource.state is ResourceState.STAGED]
        self._concerned |= {resource.asset_id, *(one.resource.asset_id for one in waiting)}
        for asset_id in sorted(self._concerned):
            for member in self._agreed(asset_id):
                is_last_call = is_late and member.resource.id == resource.id
                self._place_one(rule, member, waits=not is_last_call)

    def _place_one(self, rule: Rule, member: Member, *, waits: bool) -> None:
        resource = member.resource
        if member.facts is None:
            return
        company = [*self._library.beside(resource), *self._library.members(resource.asset_id)]
        if resource.state is ResourceState.STAGED and waits and awaits(member, company):
            self.jobs.extend(plan.after_waiting(resource, now_ms=self._now_ms))
            return
        for decision in rule.decide(resource, member.facts, self._library):
            self._apply(decision, resource)

    def _agreed(self, asset_id: int) -> list[Member]:
        """The asset's files, the one that stands for it first: its companions go where it goes."""
        return by_rank(agreed(self._library.members(asset_id), told.said_of(self._connection, asset_id)))

    def _apply(self, decision: Decision, resource: Resource) -> None:
        match decision:
            case Join():
                self._join(decision)
            case Similar():
                examined.add_similar(
                    self._connection,
                    decision.resource_id,
                    decision.of_resource_id,
                    distance_bits=decision.distance_bits,
                    rotation=decision.rotation,
                )
            case Reserve() if resource.path is not None:
                assets.plan_move(self._connection, resource.id, decision.path, decision.sidecar_path)
                self.jobs.extend(plan.after_planning_move(resource.id))
            case Reserve():
                assets.reserve(self._connection, decision.resource_id, decision.path, decision.sidecar_path)
                self._note("placed", resource.id, resource.asset_id, path=decision.path)
                self.jobs.extend(plan.after_placing(resource))
            case Duplicate():
                self.duplicates.append(decision)
            case _:
                assert_never(decision)

    def _join(self, decision: Join) -> None:
        self._concerned.add(decision.asset_id)
        resource = assets.resource(self._connection, decision.resource_id)
        if resource is not None and resource.is_companion and resource.state is ResourceState.DUPLICATE:
            self._fetch_again(resource, decision.asset_id)
        left = assets.join(self._connection, decision.resource_id, decision.asset_id, decision.role)
        self._note("joined", decision.resource_id, decision.asset_id, role=decision.role, left=left)
        self.jobs.extend(plan.after_joining(decision.asset_id, now_ms=self._now_ms))

    def _fetch_again(self, resource: Resource, asset_id: int) -> None:
        """A companion that stood alone and was kept as another of its name has found its own file."""
        keeper = assets.resource(self._connection, resource.duplicate_of or 0)
        if keeper is None or keeper.asset_id != asset_id:
            trash.begin_again(self._connection, resource.id)
            self.jobs.extend(plan.after_taking_in(resource.id, resource.kind))

    def _note(self, event: str, resource_id: int, asset_id: int, **fields: object) -> None:
        journal.append(
            self._connection, event, at_ms=self._now_ms, resource_id=resource_id, asset_id=asset_id, **fields
        )
