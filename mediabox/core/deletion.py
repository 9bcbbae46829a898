"""Whether anybody still wants an asset, and what follows when that changes.

A source that is mirrored takes its word back when it trashes or purges an asset. The
archive follows only when nobody else counts on any byte of it: not another source, not
another asset made of the same bytes, not a mere file. When in doubt it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.core import plan
from mediabox.model.asset import ResourceState
from mediabox.model.said import Presence
from mediabox.store import assets, releases, told, trash

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container

    from mediabox.model.job import JobRequest
    from mediabox.store.told import Told

_FORGOTTEN = (ResourceState.QUARANTINED, ResourceState.REMOVED)


def is_wanted(connection: sqlite3.Connection, asset_id: int, mirroring: Container[str]) -> bool:
    """Whether an asset's files have to stay where they are."""
    sources = told.of_asset(connection, asset_id)
    if not sources or any(_wants(connection, each, mirroring) for each in sources):
        return True
    if any(one.remote_asset_id is None and one.state not in _FORGOTTEN for one in assets.members(connection, asset_id)):
        return True
    return any(
        remote_asset_id is None or any(_wants(connection, each, mirroring) for each in told.of_asset(connection, other))
        for other, remote_asset_id in trash.counted_on(connection, asset_id)
    )


def follow(
    connection: sqlite3.Connection, asset_id: int, mirroring: Container[str], *, now_ms: int
) -> list[JobRequest]:
    """The jobs that bring an asset, and those that keep bytes for it, to where they belong now."""
    jobs: list[JobRequest] = []
    for concerned in sorted({asset_id} | trash.keepers_assets(connection, asset_id)):
        states = {one.state for one in assets.members(connection, concerned)}
        if not states & {ResourceState.ARCHIVED, ResourceState.TRASHED}:
            continue
        if is_wanted(connection, concerned, mirroring):
            jobs += plan.after_returning(concerned) if ResourceState.TRASHED in states else ()
        elif ResourceState.ARCHIVED in states and all(state.is_end for state in states):
            jobs += plan.after_leaving(concerned, now_ms=now_ms)
    return jobs


def _wants(connection: sqlite3.Connection, one: Told, mirroring: Container[str]) -> bool:
    """A source's word for an asset. Where it went is not known yet: it may be with other people of the household.

    What we freed there ourselves went because it is kept here: nobody took back a word.
    """
    if one.source not in mirroring or releases.is_released(connection, one.id):
        return True
    match one.presence:
        case Presence.PRESENT:
            return True
        case Presence.MOVED:
            return one.moved_to is None
        case _:
            return False
