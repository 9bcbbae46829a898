"""Keeps the asset index true: it follows the journal, as far as the end in each transaction that adds to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from mediabox.contracts import Member, Needs
from mediabox.core.catalogue import record_of
from mediabox.core.company import by_rank
from mediabox.model.asset import ResourceState, Role
from mediabox.model.certificate import COUNTED
from mediabox.model.indexed import Flag, IndexedAsset
from mediabox.model.ledger import Evidence
from mediabox.model.naming import is_raw
from mediabox.model.said import Presence
from mediabox.model.wall_clock import wall_ms
from mediabox.store import asset_index, assets, copies, examined, journal
from mediabox.store.asset_index import Copies, Counts
from mediabox.store.keyed import touched

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from mediabox.core.governor import Governor
    from mediabox.model.facts import CaptureTime
    from mediabox.model.sidecar import SidecarRecord
    from mediabox.store.asset_index import Holding
    from mediabox.store.copies import Held
    from mediabox.store.database import Database

NEEDS = Needs(disk=True)
PAUSE_S = 30.0
BATCH = 500  # rows of the journal in one go: an older catalogue is indexed while the box works


def follow(connection: sqlite3.Connection) -> None:
    """At the end of a transaction: index what it changed. A whole older catalogue is left to `catch_up`."""
    last, done = journal.last(connection)[0], asset_index.indexed_until(connection)
    if last - done <= BATCH:
        catch_up(connection)
    else:  # what a person hides has to be gone at once all the same
        first = max(journal.appended_from(connection), last - BATCH)
        _index_changed(connection, after=first - 1, until=last)
    for asset_id in {one.asset_id for each in touched(connection) if (one := assets.resource(connection, each))}:
        asset_index.set_copies(connection, asset_id, _counted(copies.held(connection, asset_id)))


def catch_up(connection: sqlite3.Connection) -> bool:
    """Index what the next rows of the journal are about; whether those were all."""
    done, (last, _) = asset_index.indexed_until(connection), journal.last(connection)
    until = min(last, done + BATCH)
    _index_changed(connection, after=done, until=until)
    if until > done:
        asset_index.set_indexed_until(connection, until)
    return until == last


def _index_changed(connection: sqlite3.Connection, *, after: int, until: int) -> None:
    counts = Counts()
    for asset_id in asset_index.changed_assets(connection, after=after, until=until):
        index(connection, asset_id, counts=counts)
    asset_index.add_counts(connection, counts)


async def keep_true(database: Database, governor: Governor) -> None:
    """A service: indexes what an older version archived, and what commands of other processes changed."""
    while True:
        await governor.permit(NEEDS)
        await database.compact()
        if await database.write(catch_up):
            await asyncio.sleep(PAUSE_S)


async def finish(database: Database) -> None:
    """Index all there is."""
    while not await database.write(catch_up):
        pass


def index(connection: sqlite3.Connection, asset_id: int, *, counts: Counts | None = None) -> None:
    """Write one asset's row anew, or remove it where nothing of it is kept."""
    found = indexed(connection, asset_id)
    if found is None:
        asset_index.remove(connection, asset_id)
        return
    asset_index.put(connection, found.asset, found.holders, counts=counts)
    touched(connection).difference_update(found.files)


class Indexed(NamedTuple):
    """An asset with the ids of the sources that have it, each with whether it is hidden there, and of its files."""

    asset: IndexedAsset
    holders: set[tuple[int, bool]]
    files: list[int]


def indexed(connection: sqlite3.Connection, asset_id: int) -> Indexed | None:
    """An asset as it is now; None where nothing of it is kept."""
    kept = [one for one in assets.members(connection, asset_id) if one.state.is_kept]
    if all(one.is_companion for one in kept):
        return None
    members = by_rank(Member(resource=one, facts=examined.facts(connection, one.id)) for one in kept)
    record = record_of(connection, asset_id, members, is_listed=False)
    sources, files = asset_index.holdings(connection, asset_id), copies.held(connection, asset_id)
    asset = indexed_asset(asset_id, members, record, sources, files)
    return Indexed(asset, _holders(sources), [one.id for one in kept])


def indexed_asset(
    asset_id: int, members: Sequence[Member], record: SidecarRecord, held: Sequence[Holding], files: Sequence[Held]
) -> IndexedAsset:
    """An asset as it is searched: pure. `members`: the kept ones, the one that stands for it first."""
    main = members[0]
    facts, camera, place = main.facts, record.camera, record.place
    holders = _holders(held)
    hidden = {source_id for source_id, is_hidden in holders if is_hidden}
    added_ms = min(one.taken_in_at_ms for one in files)
    return IndexedAsset(
        asset_id=asset_id,
        kind=main.resource.kind,
        sort_ms=_wall_clock_ms(record.capture_time, added_ms),
        date_digits=_digits(record.capture_time),
        added_ms=added_ms,
        size_bytes=sum(one.resource.size_bytes or 0 for one in members),
        format=facts.media_type.rpartition("/")[2].removeprefix("x-") if facts else "",
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        duration_s=facts.duration_s if facts else None,
        rating=record.rating,
        latitude=place.latitude if place else None,
        longitude=place.longitude if place else None,
        **_counted(files)._asdict(),
        flags=frozenset(_flags(members, record, held, is_hidden=len(hidden) == len(holders) > 0)),
        names=tuple(dict.fromkeys(one.resource.name for one in members if not one.resource.is_companion)),
        folders=tuple(dict.fromkeys((one.resource.path or "").rpartition("/")[0] for one in members[:1])),
        title=record.title or "",
        caption=record.caption or "",
        keywords=record.keywords,
        people=record.people,
        albums=tuple(dict.fromkeys(name for album in record.albums for name in (" / ".join(album), album[-1]))),
        camera=" ".join(filter(None, (camera.make, camera.model))) if camera else "",
        lens=(camera.lens or "") if camera else "",
        sources=tuple(sorted({one.source for one in _present(held)})),
        hidden_at=tuple(sorted({one.source for one in held if one.source_id in hidden})),
    )


def _counted(files: Iterable[Held]) -> Copies:
    """The copies that each file has at least, and since when all are archived."""
    proofs: dict[int, list[int]] = {one.resource_id: [] for one in files}
    classes: dict[int, list[str | None]] = {one: [] for one in proofs}
    for one in files:
        classes[one.resource_id].append(one.evidence)
        if one.evidence in COUNTED:
            proofs[one.resource_id].append(one.proved_at_ms or 0)
    archived = [one.archived_at_ms for one in files]
    return Copies(
        copies=min(map(len, proofs.values()), default=0),
        reread=min((each.count(Evidence.REREAD) for each in classes.values()), default=0),
        verified=min((each.count(Evidence.VERIFIED) for each in classes.values()), default=0),
        delivered=min((each.count(Evidence.PEER) for each in classes.values()), default=0),
        archived_ms=max((each for each in archived if each is not None), default=None) if all(archived) else None,
        proved_ms=min(map(max, proofs.values())) if proofs and all(proofs.values()) else None,
    )


def _present(held: Sequence[Holding]) -> list[Holding]:
    """Who has it; when everybody has thrown it away, who had it."""
    return [one for one in held if one.presence in (None, Presence.PRESENT)] or list(held)


def _holders(held: Sequence[Holding]) -> set[tuple[int, bool]]:
    """Each source that has it, with whether it is hidden everywhere there."""
    present = _present(held)
    shown = {one.source_id for one in present if not one.is_hidden}
    return {(one.source_id, one.source_id not in shown) for one in present}


def _flags(
    members: Sequence[Member], record: SidecarRecord, held: Sequence[Holding], *, is_hidden: bool
) -> Iterator[Flag]:
    roles = {one.resource.role for one in members}
    known = [one.facts for one in members if one.facts is not None]
    claims = {
        Flag.FAVORITE: record.is_favorite,
        Flag.HIDDEN: is_hidden,
        Flag.TRASHED: _is_trashed(members, held),
        Flag.LIVE: Role.LIVE_VIDEO in roles or any(facts.motion for facts in known),
        Flag.RAW: Role.RAW in roles or any(is_raw("", facts.media_type) for facts in known),
        Flag.EDITED: bool(roles & {Role.EDITED, Role.EDITED_VIDEO}),
        Flag.BURST: any(facts.burst_id for facts in known),
        Flag.HDR: any(facts.hdr for facts in known),
        Flag.DAMAGED: any(facts.damage for facts in known),
    }
    yield from (flag for flag, is_so in claims.items() if is_so)


def _is_trashed(members: Sequence[Member], held: Sequence[Holding]) -> bool:
    is_in_trash = all(one.resource.state is ResourceState.TRASHED for one in members)
    return is_in_trash or (bool(held) and all(one.presence in (Presence.TRASHED, Presence.PURGED) for one in held))


def _digits(taken: CaptureTime | None) -> int:
    return 0 if taken is None else min(len(taken.local), len("2024-05-12T18:03:22"))


def _wall_clock_ms(taken: CaptureTime | None, added_ms: int) -> int:
    if taken is None:
        return added_ms
    try:
        return wall_ms(taken.begins)
    except ValueError:  # of an older version that was less strict: nothing here may hold up a commit
        return added_ms
