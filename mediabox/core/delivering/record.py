"""Write down what became of deliveries, each with its journal row, in the caller's transaction.

What a destination that keeps originals shows is a copy in the ledger too: of the still,
and of the clip where its own bytes went along. Its evidence is P. Once it has left the
peer it is missing there, with evidence F: nobody can tell why it left (decision 0011).
A store that computed the original's own SHA-256 of what it holds has a copy with evidence V.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from mediabox.contracts import Setback, Undeliverable
from mediabox.core.delivering.names import free_name
from mediabox.message import Text
from mediabox.model.delivery import Delivered, DeliveryState, Form
from mediabox.model.job import JobRequest
from mediabox.model.ledger import Copy, CopyState, Evidence
from mediabox.store import assets, copies, deliveries, journal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from mediabox.contracts import Capabilities, Foreign, Outcome, Work
    from mediabox.model.asset import Resource
    from mediabox.model.delivery import Delivery, Sighting, Wish

STEP = "deliver"
# What a sighting may change: nothing is heard twice, and what a person decided stays.
_MAY_BECOME = {
    DeliveryState.ACCEPTED: {DeliveryState.STORED, DeliveryState.FREED, DeliveryState.DOUBTED},
    DeliveryState.STORED: {DeliveryState.FREED, DeliveryState.DOUBTED},
}


def job_of(delivery: Delivery) -> JobRequest:
    return JobRequest(step=STEP, subject=f"{delivery.destination}/{delivery.id}")


def delivery_id(work: Work) -> int:
    return int(work.job.subject.rpartition("/")[2])


def wanted(connection: sqlite3.Connection, destination: str, wish: Wish, *, name: str, now_ms: int) -> None:
    """A destination chose it; what it can never take is listed with the reason (I11)."""
    added = deliveries.add(connection, destination, wish, name=name)
    delivery = deliveries.find(connection, added)
    if wish.obstacle and delivery is not None:
        _end(connection, delivery, DeliveryState.REFUSED, now_ms=now_ms, note=wish.obstacle, proof=deliveries.BY_RULES)


def admitted(connection: sqlite3.Connection, delivery: Delivery, *, now_ms: int) -> JobRequest:
    """It has room now; the job that makes it. The intent, before anything of it can be seen (I2)."""
    deliveries.set_state(connection, delivery.id, DeliveryState.ADMITTED, at_ms=now_ms)
    return job_of(delivery)


def ended(connection: sqlite3.Connection, work: Work, outcome: Outcome | None, *, now_ms: int) -> list[JobRequest]:
    """What the step `deliver` found."""
    delivery = deliveries.find(connection, delivery_id(work))
    if delivery is None or delivery.state is not DeliveryState.ADMITTED:
        return []  # a step run twice
    match outcome:
        case Setback():  # a foreign file has its name in the outbox
            name = free_name(connection, delivery.destination, delivery.name)
            deliveries.rename(connection, delivery.id, name)
            return [job_of(delivery)]
        case Undeliverable():
            _end(connection, delivery, DeliveryState.REFUSED, now_ms=now_ms, note=outcome.reason)
        case Delivered():
            deliveries.set_accepted(connection, outcome, at_ms=now_ms)
            accepted = deliveries.find(connection, delivery.id) or delivery
            _note(connection, accepted, now_ms=now_ms, sha256=outcome.digest, note=outcome.note)
    return []


def seen(
    connection: sqlite3.Connection, sightings: Sequence[Sighting], *, now_ms: int, capabilities: Capabilities
) -> list[Delivery]:
    """What a destination shows; which deliveries that changed."""
    changed = []
    for sighting in sightings:
        delivery = deliveries.find(connection, sighting.delivery_id)
        if delivery is None or sighting.state not in _MAY_BECOME.get(delivery.state, ()):
            continue
        if sighting.state is DeliveryState.FREED and delivery.state is DeliveryState.ACCEPTED:
            # It was there, though nobody looked then: the story says both.
            _end(connection, delivery, DeliveryState.STORED, now_ms=now_ms, note="", proof=sighting.proof)
        current = _end(connection, delivery, sighting.state, now_ms=now_ms, note=sighting.note, proof=sighting.proof)
        if sighting.state is DeliveryState.DOUBTED:
            _set_missing(connection, current)
        elif (evidence := evidence_of(sighting, delivery, capabilities)) is not None:
            for copy in _copies(connection, current, evidence, now_ms=now_ms):
                copies.put(connection, copy)
        changed.append(current)
    return changed


def evidence_of(sighting: Sighting, delivery: Delivery, capabilities: Capabilities) -> Evidence | None:
    """How sure the ledger is of a copy that was shown; None for no copy. Never surer than can be held against ours."""
    if sighting.evidence is None or not capabilities.keeps_originals:
        return None
    if sighting.state is DeliveryState.FREED:
        return Evidence.FREED
    is_original = delivery.form is Form.ORIGINAL and delivery.clip_id is None
    is_equal = "sha256" in capabilities.hashes and delivery.digest is not None and sighting.digest == delivery.digest
    if sighting.evidence is Evidence.VERIFIED and is_original and is_equal:
        return Evidence.VERIFIED
    return Evidence.SENT if sighting.evidence is Evidence.SENT else Evidence.PEER


def came_back(
    connection: sqlite3.Connection, destination: str, foreign: Sequence[Foreign], *, now_ms: int
) -> list[Delivery]:
    """What had left the peer, and lies there again or under another name: that was no Free up space."""
    changed = []
    for file in foreign:
        for one in deliveries.left(connection, destination, name=file.name, digest=file.digest):
            if file.since_ms >= (one.accepted_at_ms or 0):  # else it is from before it was sent (again)
                note = f"it left the phone, and is there as {file.path}"
                changed.append(_end(connection, one, DeliveryState.DOUBTED, now_ms=now_ms, note=note))
    return changed


def believed(
    connection: sqlite3.Connection,
    delivery: Delivery,
    *,
    now_ms: int,
    note: Text = "a person says that it has arrived",
) -> None:
    """A person says that it has arrived, whatever became of it."""
    _end(connection, delivery, DeliveryState.BELIEVED, now_ms=now_ms, note=note)


def withdrawn(connection: sqlite3.Connection, delivery: Delivery, *, now_ms: int, note: Text) -> None:
    """A person wants it out of the outbox."""
    _set_missing(connection, delivery)
    _end(connection, delivery, DeliveryState.WITHDRAWN, now_ms=now_ms, note=note)


def _end(
    connection: sqlite3.Connection,
    delivery: Delivery,
    state: DeliveryState,
    *,
    now_ms: int,
    note: Text,
    proof: str = "",
) -> Delivery:
    deliveries.set_state(connection, delivery.id, state, at_ms=now_ms, proof=proof, note=note)
    ended = deliveries.find(connection, delivery.id) or delivery
    _note(connection, ended, now_ms=now_ms, proof=proof, note=note)
    return ended


def _note(connection: sqlite3.Connection, delivery: Delivery, *, now_ms: int, **fields: object) -> None:
    """One row for each file in it: each has a story of its own."""
    said = {name: value for name, value in fields.items() if value}
    for resource_id in filter(None, (delivery.resource_id, delivery.clip_id)):
        journal.append(
            connection,
            f"delivery_{delivery.state}",
            at_ms=now_ms,
            resource_id=resource_id,
            asset_id=delivery.asset_id,
            volume=delivery.destination,
            name=delivery.name,
            form=delivery.form,
            **said,
        )


def _set_missing(connection: sqlite3.Connection, delivery: Delivery) -> None:
    """Nobody knows of a copy there any more."""
    for resource_id in filter(None, (delivery.resource_id, delivery.clip_id)):
        for copy in copies.of_resource(connection, resource_id):
            if copy.volume == delivery.destination:
                copies.put(connection, structs.replace(copy, state=CopyState.MISSING))


def _copies(connection: sqlite3.Connection, delivery: Delivery, evidence: Evidence, *, now_ms: int) -> Iterator[Copy]:
    whole = [delivery.resource_id] if delivery.form.keeps_still else []
    if delivery.clip_id is not None and delivery.form.keeps_clip:
        whole.append(delivery.clip_id)
    for resource_id in whole:
        resource = assets.resource(connection, resource_id)
        if resource is not None and resource.digest is not None:
            yield _copy(resource, delivery, evidence, now_ms=now_ms)


def _copy(resource: Resource, delivery: Delivery, evidence: Evidence, *, now_ms: int) -> Copy:
    """Digest and length are the original's: in its own file, or inside a Motion Photo, checked when it was made."""
    return Copy(
        resource_id=resource.id,
        volume=delivery.destination,
        path=delivery.name,
        size_bytes=resource.size_bytes or 0,
        digest=resource.digest or "",
        evidence=evidence,
        proved_at_ms=now_ms,
        state=CopyState.MISSING if evidence is Evidence.FREED else CopyState.PRESENT,
    )
