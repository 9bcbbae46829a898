"""Move photos to Recently Deleted, and back: the only two changes we ever make in iCloud.

Both compare the record's change tag first (CAS), so a photo the person touched meanwhile
stays as it is. Nothing here purges. Only the personal library: in a shared one a photo
would vanish for everyone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.contracts import RemoteState
from mediabox.errors import Permanent, Retryable
from mediabox.message import message
from mediabox.sources.icloud import questions, records
from mediabox.sources.icloud.answers import ZoneID
from mediabox.sources.icloud.encoded import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.sources.icloud.answers import Record
    from mediabox.sources.icloud.cloudkit import CloudKit

PERSONAL = questions.LibraryZone(scope="private", zone=ZoneID(zone_name=questions.PERSONAL))
# Of a single record, these say for certain that it is as it was: another tag, or no such record.
NOT_DONE = frozenset({"CONFLICT", "NOT_FOUND", "UNKNOWN_ITEM", "BATCH_REQUEST_FAILED", "ACCESS_DENIED", "BAD_REQUEST"})


class RecentlyDeleted:
    """One account's bin."""

    def __init__(self, cloud: CloudKit) -> None:
        self._cloud = cloud

    async def state_of(self, remote_ids: Sequence[str]) -> dict[str, RemoteState]:
        """Each asset as it is now: one or two calls for up to 50. Raises what CloudKit raises."""
        names = {one.partition("/")[2]: one for one in remote_ids if one.partition("/")[0] == PERSONAL.name}
        held, unsaid = await self._cloud.lookup(PERSONAL, names)
        masters = {name for asset in held.values() if (name := records.master_of(asset)) is not None}
        originals, unsaid_masters = await self._cloud.lookup(PERSONAL, sorted(masters))
        if silent := len(unsaid | unsaid_masters):
            raise Retryable(
                message(
                    "iCloud gave no answer about {count:n} records of {library}", count=silent, library=PERSONAL.name
                )
            )
        states = {one: _elsewhere(one) for one in remote_ids if one not in names.values()}
        for name, remote_id in names.items():
            asset = held.get(name)
            master = originals.get(records.master_of(asset) or "") if asset is not None else None
            states[remote_id] = _state(remote_id, asset, master)
        return states

    async def release(self, state: RemoteState) -> None:
        """To Recently Deleted. Raises Permanent when Apple says that nothing was done."""
        await self._write(state, is_deleted=1)

    async def restore(self, state: RemoteState) -> None:
        """Back from Recently Deleted. Raises Permanent when Apple says that nothing was done."""
        await self._write(state, is_deleted=0)

    async def _write(self, state: RemoteState, *, is_deleted: int) -> None:
        name = state.remote_id.partition("/")[2]
        question = questions.set_deleted(PERSONAL, name, change_tag=state.change_tag, is_deleted=is_deleted)
        answer = await self._cloud.modify(PERSONAL, question)
        told = next((one for one in answer.records if one.record_name == name), None)
        if told is not None and told.server_error_code in NOT_DONE:
            reason = f"{told.server_error_code} {(told.reason or '')[:80]}".strip()
            raise Permanent(message("iCloud left {name} unchanged: {reason}", name=name, reason=reason))
        if told is None or told.server_error_code is not None or (number_of(told.fields.is_deleted) or 0) != is_deleted:
            raise Retryable(message("iCloud did not confirm the change of {name}", name=name))


def _state(remote_id: str, asset: Record | None, master: Record | None) -> RemoteState:
    if asset is None or number_of(asset.fields.is_expunged) == 1:
        return RemoteState(remote_id=remote_id, is_gone=True)
    parts = records.parts_of(PERSONAL.name, asset, master) if master is not None else ()
    unproved = records.unproved_of(asset, master) if master is not None else ()
    obstacle = None if records.is_complete(asset, parts) else "iCloud does not have all of its files yet"
    if unproved:
        obstacle = f"iCloud has files of it that nobody here can prove: {', '.join(unproved)}"
    return RemoteState(
        remote_id=remote_id,
        is_trashed=records.is_away(asset),
        change_tag=asset.record_change_tag or "",
        resources=tuple(part.resource for part in parts),
        obstacle=obstacle,
    )


def _elsewhere(remote_id: str) -> RemoteState:
    return RemoteState(
        remote_id=remote_id, obstacle="it is in a shared library: freeing it would take it from everyone"
    )
