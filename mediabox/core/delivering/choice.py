"""Which files of an asset go to a destination. The destination says; this keeps what it said before in order.

Planning follows the journal, so a destination that is set up later chooses from the
whole archive, a crash repeats at most a batch, and no other part has to remember to
ask. An asset is looked at once it has been left alone for a while and none of its files
is still on its way: the two halves of a Live Photo go together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import Deliverable, Member
from mediabox.core import indexing
from mediabox.core.catalogue import archived
from mediabox.core.company import agreed
from mediabox.core.delivering import record
from mediabox.core.delivering.names import free_name
from mediabox.model.delivery import DeliveryState
from mediabox.model.indexed import Flag
from mediabox.search.match import matches, seen
from mediabox.store import deliveries, examined, planning, told

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from mediabox.contracts import Destination
    from mediabox.model.asset import Resource
    from mediabox.model.delivery import Delivery, Wish

SETTLED_MS = 10_000  # nothing new of the asset for so long: the other half of a folder's pair has been examined
BATCH = 200  # assets in one transaction
MOST_BURST = 200  # pictures looked at to find the best of a burst


def plan(connection: sqlite3.Connection, destination: Destination, *, now_ms: int, settled_ms: int = SETTLED_MS) -> int:
    """Let a destination choose from the next assets that changed; 0 when nothing more can be done now."""
    read = planning.note_changes(connection, destination.name, destination.rules, limit=BATCH)
    ready = planning.to_plan(connection, destination.name, now_ms=now_ms, settled_ms=settled_ms, limit=BATCH)
    for asset_id in ready:
        _choose(connection, destination, asset_id, now_ms=now_ms)
        planning.set_planned(connection, destination.name, asset_id)
    return max(read, len(ready))


def _choose(connection: sqlite3.Connection, destination: Destination, asset_id: int, *, now_ms: int) -> None:
    before = deliveries.of_asset(connection, asset_id, destination=destination.name)
    asset = deliverable(connection, asset_id, before)
    wanted = destination.plan(asset) if is_wanted(connection, destination, asset_id) else ()
    wishes = [wish for wish in wanted if not asset.sent & {wish.resource_id, wish.clip_id}]
    stale = [one.id for one in before if _is_open(one) and not any(_is_met(one, wish) for wish in wishes)]
    deliveries.drop(connection, stale)
    kept = [one for one in before if one.id not in stale]
    for wish in wishes:
        if not any(_is_same(one, wish) for one in kept):
            name = free_name(connection, destination.name, wish.name)
            record.wanted(connection, destination.name, wish, name=name, now_ms=now_ms)


def is_wanted(connection: sqlite3.Connection, destination: Destination, asset_id: int) -> bool:
    """Whether it answers the owner's query. What those whose photos go have hidden stays at home."""
    indexed = indexing.indexed(connection, asset_id)
    asset = seen(indexed.asset, destination.seen_by) if indexed else None
    return asset is not None and Flag.HIDDEN not in asset.flags and matches(asset, destination.query)


def _is_open(delivery: Delivery) -> bool:
    """Whether nobody has tried to make it yet: what is wished for may still change."""
    is_refused_by_rules = delivery.state is DeliveryState.REFUSED and delivery.proof == deliveries.BY_RULES
    return delivery.state is DeliveryState.QUEUED or is_refused_by_rules


def _is_met(delivery: Delivery, wish: Wish) -> bool:
    is_as_before = delivery.state is DeliveryState.QUEUED or bool(wish.obstacle)
    return _is_same(delivery, wish) and delivery.form is wish.form and is_as_before


def _is_same(delivery: Delivery, wish: Wish) -> bool:
    return (delivery.resource_id, delivery.clip_id) == (wish.resource_id, wish.clip_id)


def deliverable(connection: sqlite3.Connection, asset_id: int, before: Sequence[Delivery] = ()) -> Deliverable:
    """An asset as a destination sees it. `before`: its deliveries there."""
    said = told.said_of(connection, asset_id)
    members = tuple(agreed(archived(connection, asset_id), said))
    sent, open_ = _files(before, is_open=False), _files(before, is_open=True)
    return Deliverable(
        asset_id=asset_id,
        members=members,
        burst=_burst(connection, members),
        sent=sent - open_,  # what a person has ordered to go once more has not gone yet
    )


def _files(some: Sequence[Delivery], *, is_open: bool) -> frozenset[int]:
    return frozenset(
        each for one in some if _is_open(one) is is_open for each in (one.resource_id, one.clip_id) if each is not None
    )


def _burst(connection: sqlite3.Connection, members: Sequence[Member]) -> tuple[Member, ...]:
    key = next((one.facts.burst_id for one in members if one.facts and one.facts.burst_id), None)
    if key is None:
        return ()
    return tuple(_favoured(connection, one) for one in examined.of_burst(connection, key, limit=MOST_BURST))


def _favoured(connection: sqlite3.Connection, resource: Resource) -> Member:
    """With what its source says of it: there people mark the best of a burst."""
    facts, said = examined.facts(connection, resource.id), told.said_of(connection, resource.asset_id)
    if facts is not None and said is not None and said.is_favorite:
        facts = msgspec.structs.replace(facts, is_favorite=True)
    return Member(resource=resource, facts=facts)
