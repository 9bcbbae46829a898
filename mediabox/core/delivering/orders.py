"""What people say of deliveries. Written to the store; the daemon, when it runs, carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.core.delivering import record
from mediabox.core.delivering.names import free_name
from mediabox.model.delivery import DeliveryState, Wish
from mediabox.store import deliveries

if TYPE_CHECKING:
    import sqlite3

    from mediabox.model.delivery import Delivery


def believe(connection: sqlite3.Connection, destination: str, *, now_ms: int) -> int:
    """A person looked: what is doubted has arrived. A word is no evidence, and makes no copy in the ledger."""
    doubted = deliveries.in_state(connection, destination, DeliveryState.DOUBTED)
    for one in doubted:
        record.believed(connection, one, now_ms=now_ms)
    return len(doubted)


def resend(connection: sqlite3.Connection, destination: str, *, now_ms: int) -> int:
    """What is doubted, or could not be delivered, goes once more, under names of its own; how many."""
    again = deliveries.in_state(connection, destination, DeliveryState.DOUBTED, DeliveryState.REFUSED)
    for one in again:
        name = free_name(connection, destination, one.name)
        record.withdrawn(connection, one, now_ms=now_ms, note=f"sent again as {name}")
        deliveries.add(connection, destination, _wish(one), name=name)
    return len(again)


def clear(connection: sqlite3.Connection, destination: str, *, older_than_ms: int, now_ms: int) -> int:
    """Take out of the outbox what the phone has shown to have since then; its Syncthing follows and deletes it there.

    What the phone has not shown to have stays: it would be lost on the way.
    """
    stored = deliveries.stored_before(connection, destination, older_than_ms)
    for one in stored:
        record.withdrawn(connection, one, now_ms=now_ms, note="taken off the phone by a person")
    return len(stored)


def _wish(delivery: Delivery) -> Wish:
    return Wish(
        resource_id=delivery.resource_id,
        clip_id=delivery.clip_id,
        form=delivery.form,
        name=delivery.name,
        size_bytes=delivery.size_bytes,
        taken_at_ms=delivery.taken_at_ms,
    )
