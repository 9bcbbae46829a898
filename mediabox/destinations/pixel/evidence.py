"""What the folder shows of each delivery, and what that proves. Pure.

Two things are believed. *Stored*: the phone says that it has the very version that lies in
the outbox. *Freed*: the phone deleted that version afterwards. Google Photos' "Free up space"
removes only what is backed up; but a gallery, a file manager and a lost storage delete, too.
So a deletion counts only while the folder itself is sound, only by this phone, only of a
version of ours, and one that takes more than a set share at once only if it looks like Free
up space: what had arrived first is gone, nearly all of it, and nothing went that had only just
arrived. Everything else is doubt, which proves nothing and asks a person.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mediabox.destinations.pixel.folder import counter_of, is_deleted_by, is_held_by, short_id
from mediabox.model.delivery import Delivery, DeliveryState, Sighting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mediabox.destinations.pixel.answers import FileState

FEW = 10  # pictures somebody deleted by hand; a share of a nearly empty phone says nothing
SHOWN_WITHIN_MS = 600_000  # a phone that has shown nothing for so long, and deletes, does not take what we send
FEW_OF = 0.1  # what is not backed up yet and stays, and what a fast line has backed up within the minute


class Standing(StrEnum):
    """What the folder shows of one delivery."""

    UNKNOWN = "unknown"  # Syncthing has never seen its file, or has forgotten it
    WAITING = "waiting"  # the phone does not have it yet, or is not connected
    UNSURE = "unsure"  # the phone's index began anew, or a third device wrote it: are its bytes ours?
    HELD = "held"
    FREED = "freed"
    CHANGED = "changed"  # the phone made another file of it
    REMOVED = "removed"  # deleted by somebody else
    FORGOTTEN = "forgotten"  # gone, and our Syncthing has lost its memory of how
    NAMELESS = "nameless"  # deleted by the phone, of whose bytes nobody ever knew that they were ours


class Reading(NamedTuple):
    """`proof`: version and author as Syncthing has them. `gone_at_ms`: by the phone's clock, when it noticed."""

    delivery: Delivery
    standing: Standing
    proof: str
    gone_at_ms: int | None = None


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """Device ids."""

    box: str
    phone: str


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What is known now. `waits_for`: deletions that are too many to be judged before all of them have arrived."""

    sightings: tuple[Sighting, ...] = ()
    waits_for: frozenset[int] = frozenset()  # delivery ids


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


def judge(
    readings: Sequence[Reading],
    *,
    is_receiving: bool,
    is_quiet: bool,
    freed_lately: int,
    most_freed_percent: float,
    now_ms: int,
    gone_ms: int,
    backed_up_after_ms: int,
) -> Judgement:
    """What the readings of a sound folder prove. All that is out has to be among them.

    `is_receiving`: this phone has shown before that it takes what we send, so that its
    deletion of a file says that it had it, although nobody looked then; until it has, that
    waits for ten minutes. `is_quiet`: no deletion has come in for a while. `gone_ms`: when the
    last of them came in. `freed_lately`: believed in the last minutes. `backed_up_after_ms`:
    what goes sooner after its arrival cannot have been backed up.
    """
    sightings = [_sighting(one, DeliveryState.STORED) for one in readings if _is_newly_held(one)]
    sightings += [_sighting(one, DeliveryState.DOUBTED, note=_DOUBT[one.standing]) for one in _lost(readings)]
    freed = [one for one in readings if one.standing is Standing.FREED]
    is_receiving = is_receiving or any(one.standing is Standing.HELD for one in readings)
    unseen = [one for one in freed if _is_unseen(one, is_receiving=is_receiving)]
    late = [one for one in unseen if now_ms - (one.delivery.accepted_at_ms or 0) >= SHOWN_WITHIN_MS]
    sightings += [_sighting(one, DeliveryState.DOUBTED, note=NEVER_SEEN) for one in late]
    believed = [one for one in freed if not _is_unseen(one, is_receiving=is_receiving)]
    there = [one for one in readings if one.standing in (Standing.HELD, Standing.UNSURE) or _is_stored_unseen(one)]
    is_much = _is_much(len(believed) + freed_lately, len(there), most_freed_percent)
    if not is_quiet and (is_much or len(believed) > FEW):  # the first part of a large one looks like a small one
        return Judgement(sightings=tuple(sightings), waits_for=frozenset(one.delivery.id for one in believed))
    if not is_much or is_free_up(believed, there, gone_ms=gone_ms, backed_up_after_ms=backed_up_after_ms):
        return Judgement(sightings=(*sightings, *_all_freed(believed)))
    sightings += [_sighting(one, DeliveryState.DOUBTED, note=TOO_MANY) for one in believed]
    return Judgement(sightings=tuple(sightings))


def is_free_up(freed: Sequence[Reading], there: Sequence[Reading], *, gone_ms: int, backed_up_after_ms: int) -> bool:
    """Whether so large a deletion looks like Free up space: nearly all that arrived first, hardly anything fresh."""
    arrivals = [_arrived_ms(one) for one in freed]
    left = sum(_arrived_ms(one) <= max(arrivals, default=0) for one in there)
    fresh = sum(_is_fresh(one, gone_ms, backed_up_after_ms) for one in freed)
    return left <= FEW_OF * len(freed) and fresh <= FEW_OF * len(freed)


NEVER_SEEN = "deleted on the phone, which has never shown to have it"
TOO_MANY = "deleted on the phone with many others, not as Free up space does it"
_DOUBT = {
    Standing.REMOVED: "removed from the outbox by somebody else than the phone",
    Standing.CHANGED: "changed on the phone: what is there now is another file",
    Standing.FORGOTTEN: "gone from the outbox, and Syncthing has lost its memory of how",
    Standing.NAMELESS: "deleted on the phone in a version that was never seen to be ours",
}


def _is_newly_held(one: Reading) -> bool:
    return one.standing is Standing.HELD and one.delivery.state is DeliveryState.ACCEPTED


def _is_unseen(one: Reading, *, is_receiving: bool) -> bool:
    return one.delivery.state is DeliveryState.ACCEPTED and not is_receiving


def _is_stored_unseen(one: Reading) -> bool:
    """On the phone as far as is known, though it is not connected now."""
    return one.standing is Standing.WAITING and one.delivery.state is DeliveryState.STORED


def _lost(readings: Iterable[Reading]) -> list[Reading]:
    return [one for one in readings if one.standing in _DOUBT]


def _is_much(gone: int, there: int, most_percent: float) -> bool:
    return gone > FEW and gone * 100 > most_percent * (gone + there)


def _is_fresh(one: Reading, gone_ms: int, backed_up_after_ms: int) -> bool:
    """What nobody saw there may have come the moment before. A phone that was away tells late what it deleted."""
    stored_at_ms = one.delivery.stored_at_ms
    went_ms = gone_ms if one.gone_at_ms is None else min(gone_ms, one.gone_at_ms)
    return backed_up_after_ms > 0 and (stored_at_ms is None or went_ms - stored_at_ms < backed_up_after_ms)


def _arrived_ms(one: Reading) -> int:
    return one.delivery.stored_at_ms or one.delivery.accepted_at_ms or 0


def _all_freed(believed: Iterable[Reading]) -> list[Sighting]:
    return [_sighting(one, DeliveryState.FREED) for one in believed]


def _sighting(one: Reading, state: DeliveryState, *, note: str = "") -> Sighting:
    return Sighting(delivery_id=one.delivery.id, state=state, proof=one.proof, note=note)
