"""What people say of deliveries. Written to the store; the daemon, when it runs, carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.core import switches
from mediabox.core.delivering import record
from mediabox.core.delivering.names import free_name
from mediabox.errors import Permanent
from mediabox.model.delivery import Counted, DeliveryState, Wish
from mediabox.store import deliveries, journal, lookup

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from mediabox.model.delivery import Delivery

TAKEN_OFF = "taken off the phone by a person"
# What a person may speak of; without names, the first ones only.
_TO_CONFIRM = (DeliveryState.DOUBTED, DeliveryState.FREED)
_TO_RESEND = (DeliveryState.DOUBTED, DeliveryState.REFUSED, DeliveryState.FREED, DeliveryState.BELIEVED)


def believe(connection: sqlite3.Connection, destination: str, *photos: str, now_ms: int) -> int:
    """A person looked: what is unverified has arrived. A word is no evidence, and makes no copy in the ledger.

    `photos`: only these, also what has left. Raises Permanent for one that is not there to be confirmed.
    """
    chosen = _chosen(connection, destination, photos, _TO_CONFIRM, (DeliveryState.DOUBTED,))
    for one in chosen:
        record.believed(connection, one, now_ms=now_ms)
    return len(chosen)


def resend(connection: sqlite3.Connection, destination: str, *photos: str, now_ms: int) -> int:
    """What is unverified, or could not be delivered, goes once more, under names of its own; how many.

    `photos`: only these, also what has left or was confirmed. Raises Permanent for one that cannot go again.
    """
    without = (DeliveryState.DOUBTED, DeliveryState.REFUSED)
    again = _chosen(connection, destination, photos, _TO_RESEND, without)
    for one in again:
        name = free_name(connection, destination, one.name)
        record.withdrawn(connection, one, now_ms=now_ms, note=f"sent again as {name}")
        deliveries.add(connection, destination, _wish(one), name=name)
    return len(again)


def _chosen(
    connection: sqlite3.Connection,
    destination: str,
    photos: Sequence[str],
    allowed: Sequence[DeliveryState],
    without: Sequence[DeliveryState],
) -> list[Delivery]:
    if not photos:
        return deliveries.in_state(connection, destination, *without)
    found = {one.id: one for words in photos for one in named(connection, destination, words)}
    for one in found.values():
        if one.state not in allowed:
            raise Permanent(f"{one.name} is neither unverified nor gone: `mediabox where` says how it stands")
    return list(found.values())


def named(connection: sqlite3.Connection, destination: str, words: str) -> list[Delivery]:
    """By the name it was delivered under, or by what the catalogue calls the photo. Raises Permanent."""
    exact = deliveries.by_name(connection, destination, words)
    if exact is not None:
        return [exact]
    photos = {one.asset_id for one in lookup.find(connection, words)}
    found = [each for one in sorted(photos) for each in deliveries.of_asset(connection, one, destination=destination)]
    found = [one for one in found if one.state is not DeliveryState.WITHDRAWN]
    if len(photos) > 1 and found:
        raise Permanent(f"several photos are called {words!r}; say which: {', '.join(one.name for one in found)}")
    if not found:
        raise Permanent(f"nothing that went to {destination} is called {words!r}")
    return found


def withdraw(connection: sqlite3.Connection, destination: str, *photos: str, now_ms: int) -> int:
    """As `clear`, these photos only. Raises Permanent for one the phone has not shown to have."""
    chosen = {one.id: one for words in photos for one in named(connection, destination, words)}
    for one in chosen.values():
        if one.state is not DeliveryState.STORED:
            raise Permanent(f"{destination} has not shown to have {one.name}: `mediabox where` says how it stands")
        record.withdrawn(connection, one, now_ms=now_ms, note=TAKEN_OFF)
    return len(chosen)


def clear(connection: sqlite3.Connection, destination: str, *, older_than_ms: int, now_ms: int) -> int:
    """Take out of the outbox what the phone has shown to have since then; its Syncthing follows and deletes it there.

    What the phone has not shown to have stays: it would be lost on the way.
    """
    stored = deliveries.stored_before(connection, destination, older_than_ms)
    for one in stored:
        record.withdrawn(connection, one, now_ms=now_ms, note=TAKEN_OFF)
    return len(stored)


def count(connection: sqlite3.Connection, destination: str, shown: int, *, now_ms: int) -> Counted:
    """What Google Photos offers to free, as a person read it, beside what the phone has. Shown, and counted nowhere."""
    there = deliveries.in_state_count(connection, destination, DeliveryState.STORED)
    counted = Counted(at_ms=now_ms, shown=shown, on_phone=there)
    switches.keep_count(connection, destination, counted)
    journal.append(connection, "count_read", at_ms=now_ms, volume=destination, shown=shown, on_phone=there)
    return counted


def _wish(delivery: Delivery) -> Wish:
    return Wish(
        resource_id=delivery.resource_id,
        clip_id=delivery.clip_id,
        form=delivery.form,
        name=delivery.name,
        size_bytes=delivery.size_bytes,
        taken_at_ms=delivery.taken_at_ms,
    )
