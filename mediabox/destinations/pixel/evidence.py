"""What the folder shows of each delivery, and what a person should be asked about. Pure.

*Stored*: the phone says that it has the very version that lies in the outbox. *Left* (state
`freed`): the phone deleted that version afterwards. That proves nothing: Google Photos' "Free
up space", a gallery and a file manager look the same (decision 0011). But some ways of leaving
say that the photo may never have been backed up: too soon after it came, changed before it
went, under another name in the same folder, by somebody else than the phone. Those are
*unverified* (`doubted`), and a person is asked. How many go at a time says nothing: a slow
phone frees the half it has backed up, in as many parts as it likes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mediabox.destinations.pixel.folder import counter_of, is_deleted_by, is_held_by, short_id
from mediabox.model.delivery import Delivery, DeliveryState, Sighting
from mediabox.model.ledger import Evidence

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from mediabox.contracts import Foreign
    from mediabox.destinations.pixel.answers import FileState
    from mediabox.destinations.pixel.foreign import Traces

# A peer's word, which is never more than that.
EVIDENCE = {DeliveryState.STORED: Evidence.PEER, DeliveryState.FREED: Evidence.FREED}
SHOWN_WITHIN_MS = 600_000  # a phone that has shown nothing for so long, and deletes, does not take what we send
LINE_BYTES_PER_MS = 12_500  # 100 Mbit/s, what a Pixel sends at most through a home's line: a long film takes minutes


class Standing(StrEnum):
    """What the folder shows of one delivery."""

    UNKNOWN = "unknown"  # Syncthing has never seen its file, or has forgotten it
    WAITING = "waiting"  # the phone does not have it yet, or is not connected
    UNSURE = "unsure"  # the phone's index began anew, or a third device wrote it: are its bytes ours?
    HELD = "held"
    FREED = "freed"
    CHANGED = "changed"  # the phone made another file of it
    MOVED = "moved"  # deleted, and there under another name: renamed, put into a folder, into Android's bin
    REMOVED = "removed"  # deleted by somebody else
    FORGOTTEN = "forgotten"  # gone, and our Syncthing has lost its memory of how
    NAMELESS = "nameless"  # deleted by the phone, of whose bytes nobody ever knew that they were ours


class Reading(NamedTuple):
    """`proof`: version and author as Syncthing has them. `gone_at_ms`: by the phone's clock, when it noticed.

    `absent_at_ms`, `held_at_ms`: when the connected phone was last seen not to have it yet, to have it still.
    `path`: under which it is there now.
    """

    delivery: Delivery
    standing: Standing
    proof: str
    gone_at_ms: int | None = None
    absent_at_ms: int | None = None
    held_at_ms: int | None = None
    path: str = ""


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """Device ids."""

    box: str
    phone: str


def read(delivery: Delivery, file: FileState | None, peers: Peers, *, is_here: bool) -> Reading:
    """What the folder shows of one delivery. `is_here`: whether its name is in the outbox."""
    if file is None:
        return Reading(delivery, Standing.UNKNOWN if is_here else Standing.FORGOTTEN, "not in Syncthing's index")
    author = file.agreed.modified_by
    proof = f"db/file {','.join(file.agreed.version)} by {author}"
    if not file.is_settled:
        is_forgotten = not is_here and file.agreed.deleted and not file.local.is_known
        return Reading(delivery, Standing.FORGOTTEN if is_forgotten else Standing.WAITING, proof)
    standing = _standing(file, peers, was_stored=delivery.state is DeliveryState.STORED)
    counter_s = counter_of(file, peers.phone) if standing is Standing.FREED else None
    return Reading(delivery, standing, proof, None if counter_s is None else counter_s * 1000)


def _standing(file: FileState, peers: Peers, *, was_stored: bool) -> Standing:
    authors = {one.partition(":")[0] for one in file.agreed.version}
    box, phone = short_id(peers.box), short_id(peers.phone)
    has_strangers = bool(authors - {box, phone})
    if file.agreed.deleted:
        if not is_deleted_by(file, peers.phone):
            return Standing.REMOVED
        is_ours = not has_strangers and (box in authors or was_stored)
        return Standing.FREED if is_ours else Standing.NAMELESS
    if file.agreed.modified_by == phone:
        return Standing.CHANGED if box in authors else Standing.UNSURE
    if not is_held_by(file, peers.phone):
        return Standing.WAITING
    return Standing.UNSURE if has_strangers else Standing.HELD


# ---------------------------------------------------------------- judging


def traced(readings: Sequence[Reading], foreign: Iterable[Foreign], traces: Traces) -> list[Reading]:
    """With what else is known of those that are gone: files in the folder that were them, and what events tell."""
    named: dict[str, list[Foreign]] = {}
    for one in foreign:
        for key in filter(None, (one.name, one.digest)):
            named.setdefault(key, []).append(one)
    known = {one.delivery.name for one in readings} | {each.path for some in named.values() for each in some}
    return [_traced(one, named, traces, known) if one.standing is Standing.FREED else one for one in readings]


def _traced(reading: Reading, named: Mapping[str, Sequence[Foreign]], traces: Traces, known: Container[str]) -> Reading:
    delivery = reading.delivery
    for one in (*named.get(delivery.name, ()), *named.get(delivery.digest or "", ())):
        if one.since_ms >= (delivery.accepted_at_ms or 0):  # else it is from before we sent it (again)
            return reading._replace(standing=Standing.MOVED, path=one.path)
    if path := traces.renamed_to(delivery.name, known):
        return reading._replace(standing=Standing.MOVED, path=path)
    if delivery.name in traces.changed:
        return reading._replace(standing=Standing.CHANGED)
    told_ms = [at_ms for at_ms in (reading.gone_at_ms, traces.deleted_ms(delivery.name)) if at_ms is not None]
    return reading._replace(gone_at_ms=min(told_ms, default=None))


def judge(
    readings: Sequence[Reading], *, is_receiving: bool, now_ms: int, backed_up_after_ms: int
) -> tuple[Sighting, ...]:
    """What the readings of a sound folder say.

    `is_receiving`: this phone has shown before that it takes what we send, so that its
    deletion of a file says that it had it, although nobody looked then; until it has, that
    waits for ten minutes. `backed_up_after_ms`: what leaves sooner after its arrival cannot
    have been backed up; 0: anything may.
    """
    is_receiving = is_receiving or any(one.standing is Standing.HELD for one in readings)
    judged = (
        _judged(one, is_receiving=is_receiving, now_ms=now_ms, backed_up_after_ms=backed_up_after_ms)
        for one in readings
    )
    return tuple(one for one in judged if one is not None)


def _judged(one: Reading, *, is_receiving: bool, now_ms: int, backed_up_after_ms: int) -> Sighting | None:
    accepted_ms = one.delivery.accepted_at_ms or 0
    is_new = one.delivery.state is DeliveryState.ACCEPTED
    if one.standing is Standing.HELD:
        return _sighting(one, DeliveryState.STORED) if is_new else None
    if one.standing in _DOUBT:
        return _sighting(one, DeliveryState.DOUBTED, note=_DOUBT[one.standing].format(path=one.path))
    if one.standing is not Standing.FREED:
        return None
    if is_new and not is_receiving:
        is_late = now_ms - accepted_ms >= SHOWN_WITHIN_MS
        return _sighting(one, DeliveryState.DOUBTED, note=NEVER_SEEN) if is_late else None
    stayed_ms = max(0, _went_ms(one, now_ms) - _arrived_ms(one))
    if backed_up_after_ms and stayed_ms < backed_up_after_ms + one.delivery.size_bytes // LINE_BYTES_PER_MS:
        return _sighting(one, DeliveryState.DOUBTED, note=TOO_EARLY.format(stayed=_words(stayed_ms)))
    return _sighting(one, DeliveryState.FREED)


NEVER_SEEN = "deleted on the phone, which has never shown to have it"
TOO_EARLY = "left the phone {stayed} after it came, too early to have been backed up"
_DOUBT = {
    Standing.REMOVED: "removed from the outbox by somebody else than the phone",
    Standing.CHANGED: "changed on the phone: what was there afterwards is another file",
    Standing.MOVED: "not gone, but renamed, moved or put into the bin on the phone: {path}",
    Standing.FORGOTTEN: "gone from the outbox, and Syncthing has lost its memory of how",
    Standing.NAMELESS: "deleted on the phone in a version that was never seen to be ours",
}


def _went_ms(one: Reading, now_ms: int) -> int:
    """A phone that was away tells late what it deleted. Its clock may be wrong: what we saw ourselves is not."""
    told_ms = now_ms if one.gone_at_ms is None else min(now_ms, one.gone_at_ms)
    return max(told_ms, one.held_at_ms or 0)


def _arrived_ms(one: Reading) -> int:
    """At the earliest, where nobody saw it there."""
    if one.delivery.stored_at_ms is not None:
        return one.delivery.stored_at_ms
    return max(one.delivery.accepted_at_ms or 0, one.absent_at_ms or 0)


def _words(span_ms: int) -> str:
    return f"{span_ms // 1000} s" if span_ms < 120_000 else f"{span_ms // 60_000} min"


def _sighting(one: Reading, state: DeliveryState, *, note: str = "") -> Sighting:
    return Sighting(delivery_id=one.delivery.id, state=state, proof=one.proof, note=note, evidence=EVIDENCE.get(state))
