"""Group, deduplicate and place a resource: every rule, in order, on facts just stored.

Runs inside the transaction that stores the facts. Transactions come one after the
other, so the second half of a Live Photo always sees the first, whichever half
that is, and two files can never reserve one path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from mediabox.contracts import Decision, Join, Reserve, Similar
from mediabox.core import plan
from mediabox.store import assets, journal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from mediabox.contracts import Library, Rule
    from mediabox.model.asset import Resource
    from mediabox.model.facts import Facts
    from mediabox.model.job import JobRequest


class Settlement:
    """One resource being settled within one transaction."""

    def __init__(self, connection: sqlite3.Connection, library: Library, *, now_ms: int) -> None:
        self._connection, self._library, self._now_ms = connection, library, now_ms
        self.jobs: list[JobRequest] = []

    def settle(self, resource: Resource, facts: Facts, rules: Sequence[Rule]) -> None:
        """Let each rule decide on the resource as the rules before it left it."""
        for rule in rules:
            current = assets.resource(self._connection, resource.id)
            if current is None:
                return
            for decision in rule.decide(current, facts, self._library):
                self._apply(decision, current)

    def _apply(self, decision: Decision, resource: Resource) -> None:
        match decision:
            case Join():
                self._join(decision)
            case Similar():
                assets.add_similar(
                    self._connection,
                    decision.resource_id,
                    decision.of_resource_id,
                    distance_bits=decision.distance_bits,
                    rotation=decision.rotation,
                )
            case Reserve():
                assets.reserve(self._connection, decision.resource_id, decision.path, decision.sidecar_path)
                self._note("placed", resource.id, resource.asset_id, path=decision.path)
                self.jobs.extend(plan.after_placing(resource))
            case _:
                assert_never(decision)

    def _join(self, decision: Join) -> None:
        left = assets.join(self._connection, decision.resource_id, decision.asset_id, decision.role)
        self._note("joined", decision.resource_id, decision.asset_id, role=decision.role, left=left)
        self.jobs.extend(plan.after_joining(decision.asset_id, now_ms=self._now_ms))

    def _note(self, event: str, resource_id: int, asset_id: int, **fields: object) -> None:
        journal.append(
            self._connection, event, at_ms=self._now_ms, resource_id=resource_id, asset_id=asset_id, **fields
        )
