"""Erase assets for good: who confirms exactly what, what is written down, and what keeps the bytes out afterwards.

A decision of kind ERASED for each digest is the tombstone: it is in the archive as a plain
file, too (`core.decisions`), so that a catalogue made anew obeys it. Rows come first; the files
go when `core.retention`, the one place that deletes, looks next. What comes in again with
such bytes, from wherever, is let go of before it is examined.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from mediabox.core import decisions, plan
from mediabox.core.release_orders import CODE_GOOD_MS, CODE_LENGTH, CODE_LETTERS, MOST_TRIES
from mediabox.errors import Permanent
from mediabox.message import Text, message
from mediabox.model.asset import ResourceState
from mediabox.model.decision import Decision, DecisionKind
from mediabox.model.delivery import DeliveryState
from mediabox.model.said import Presence
from mediabox.store import assets, deliveries, examined, jobs, lookup, told, trash, volumes
from mediabox.store import decisions as stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from mediabox.model.asset import Resource

PLAN = "erase_plan"  # the switch that keeps what was shown last
NOTE = "erased by a person"
_IN_OUTBOX = {DeliveryState.QUEUED, DeliveryState.ADMITTED, DeliveryState.ACCEPTED, DeliveryState.STORED}
_AT_GOOGLE = {DeliveryState.STORED, DeliveryState.FREED, DeliveryState.DOUBTED, DeliveryState.BELIEVED}
BEYOND = (
    "Other disks, backups of the archive and of its catalogue, and downloads are out of reach: look there yourself. "
    "mediabox's own copies of the catalogue still name the photo until newer ones take their place."
)


class ElsewhereKept(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that cannot be reached from here. `remedy`: what a person does there."""

    place: str
    name: str
    remedy: str


class ErasePlan(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What would go for good, and what is left elsewhere. `code` confirms exactly this."""

    code: str
    names: tuple[str, ...]
    size_bytes: int
    elsewhere: tuple[ElsewhereKept, ...]
    beyond: str = BEYOND


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The plan, as it waits for its code."""

    assets: tuple[int, ...]
    set_hash: str
    code_hash: str
    at_ms: int
    tries: int = 0


def make_plan(connection: sqlite3.Connection, photos: Sequence[str], *, now_ms: int) -> ErasePlan:
    """List what would go. Raises Permanent for what is not one photo of the archive."""
    wanted = tuple(sorted({_asset_of(connection, words) for words in photos}))
    files = files_of(connection, wanted)
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    kept = _Kept(assets=wanted, set_hash=_hash(files), code_hash=_code_hash(code, _hash(files)), at_ms=now_ms)
    _keep(connection, kept)
    return ErasePlan(
        code=code,
        names=tuple(one.path or one.name for one in files if one.state.is_kept),
        size_bytes=sum(one.size_bytes or 0 for one in files if one.state.is_kept),
        elsewhere=tuple(_elsewhere(connection, files)),
    )


def _asset_of(connection: sqlite3.Connection, words: str) -> int:
    found = {one.asset_id for one in lookup.find(connection, words)}
    if len(found) != 1:
        raise Permanent(_ambiguous(words) if found else _unknown(words))
    return found.pop()


def _ambiguous(words: str) -> Text:
    return message("several photos are named {name}: enter the path in the archive or the SHA-256 of one", name=words)


def _unknown(words: str) -> Text:
    return message("no photo is named {name}: enter its path in the archive or its SHA-256", name=words)


def files_of(connection: sqlite3.Connection, wanted: Iterable[int]) -> list[Resource]:
    """The assets' files with bytes here, and every other file of the same bytes. Raises Permanent before their end."""
    found: dict[int, Resource] = {}
    for asset_id in wanted:
        for one in assets.members(connection, asset_id):
            if not one.state.is_end:
                raise Permanent(message("{name} is still being taken in; erase it once it is archived", name=one.name))
            if one.digest is not None:
                found |= {each.id: each for each in assets.with_digest(connection, one.digest)}
    if not any(one.state.is_kept for one in found.values()):
        raise Permanent(message("none of it is in the archive"))
    if any(not one.state.is_end for one in found.values()):
        raise Permanent(message("a file with the same content is being taken in; try again in a minute"))
    if any(assets.moves(connection, each) != (None, None) for each in found):
        raise Permanent(message("it is being moved to its folder; try again in a minute"))
    return sorted(found.values(), key=lambda one: one.id)


def _elsewhere(connection: sqlite3.Connection, files: Iterable[Resource]) -> Iterable[ElsewhereKept]:
    files = list(files)
    for one in files:
        remedy = f"If it is still in {one.source}, delete it there."
        yield ElsewhereKept(place=one.source, name=one.remote_id, remedy=remedy)
    for asset_id in sorted({one.asset_id for one in files}):
        for said in told.of_asset(connection, asset_id):
            if said.presence is Presence.TRASHED:
                remedy = f"It is in the bin of {said.source}: empty that too."
                yield ElsewhereKept(place=said.source, name=said.remote_id, remedy=remedy)
        for delivery in deliveries.of_asset(connection, asset_id):
            if delivery.state in _AT_GOOGLE:
                remedy = "Delete it in Google Photos, and there from the bin: what the phone backed up stays otherwise."
                yield ElsewhereKept(place=delivery.destination, name=delivery.name, remedy=remedy)


def refusal(connection: sqlite3.Connection, code: str, *, now_ms: int) -> str | None:
    """Why this code confirms nothing now; None when it does. A wrong one counts: commit whatever comes of it."""
    kept = _kept(connection)
    if kept is None:
        return "no list waits for a code"
    if not 0 <= now_ms - kept.at_ms <= CODE_GOOD_MS:
        _keep(connection, None)
        return "the code is older than five minutes"
    if not hmac.compare_digest(_code_hash(code.strip().upper(), kept.set_hash), kept.code_hash):
        tried = msgspec.structs.replace(kept, tries=kept.tries + 1)
        _keep(connection, tried if tried.tries < MOST_TRIES else None)
        return "that is not the code of the list"
    if _hash(files_of(connection, kept.assets)) != kept.set_hash:
        _keep(connection, None)
        return "the list is not the one that was shown any more"
    return None


def erase(connection: sqlite3.Connection, *, actor: str, now_ms: int) -> list[str]:
    """Write down that what the confirmed plan lists is gone for good; the digests. The plan is used up."""
    kept = _kept(connection)
    assert kept is not None, "refusal() was asked first"
    _keep(connection, None)
    files = files_of(connection, kept.assets)
    digests = sorted({one.digest for one in files if one.digest is not None})
    for digest in digests:
        decision = Decision(kind=DecisionKind.ERASED, subject=digest, at_ms=now_ms, by=actor)
        decisions.record(connection, decision)
    for one in files:
        trash.condemn(connection, one.id)
        examined.forget(connection, one.id)
    for asset_id in {one.asset_id for one in files}:
        for delivery in deliveries.of_asset(connection, asset_id):
            if delivery.state in _IN_OUTBOX:
                deliveries.set_state(connection, delivery.id, DeliveryState.WITHDRAWN, at_ms=now_ms, note=NOTE)
    return digests


def is_erased(connection: sqlite3.Connection, digest: str) -> bool:
    """Whether a person wants these bytes never to come in again."""
    return stored.find(connection, DecisionKind.ERASED, digest) is not None


def lift(connection: sqlite3.Connection, digest: str, *, actor: str, now_ms: int) -> int:
    """Let these bytes come in again; how many files that were kept out are fetched anew. Raises Permanent."""
    if not is_erased(connection, digest):
        raise Permanent(
            message("{digest} was not erased; enter the SHA-256 shown by `mediabox erase list`", digest=digest)
        )
    revoked = Decision(kind=DecisionKind.ERASED, subject=digest, at_ms=now_ms, by=actor, is_revoked=True)
    decisions.record(connection, revoked)
    files = [one for one in assets.with_digest(connection, digest) if one.state is ResourceState.REMOVED]
    for one in files:
        trash.begin_again(connection, one.id)
        for request in plan.after_taking_in(one.id, one.kind):
            jobs.add(connection, request)
    return len(files)


def _hash(files: Iterable[Resource]) -> str:
    """What ties a code to exactly these files in exactly these states."""
    lines = [f"{one.id}\0{one.digest}\0{one.state}\n" for one in files]
    return sha256("".join(lines).encode()).hexdigest()


def _code_hash(code: str, set_hash: str) -> str:
    return sha256(f"{code}\0{set_hash}".encode()).hexdigest()


def _kept(connection: sqlite3.Connection) -> _Kept | None:
    text = volumes.switch(connection, PLAN)
    return msgspec.json.decode(text, type=_Kept) if text else None


def _keep(connection: sqlite3.Connection, kept: _Kept | None) -> None:
    volumes.set_switch(connection, PLAN, None if kept is None else msgspec.json.encode(kept).decode())
