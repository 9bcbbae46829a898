"""The archive's trash: what goes in, what comes back, and, after 30 days, what is removed. The one place that deletes.

Only for sources whose owner chose `deletion = "mirror"`. Never directly, never many at
once without asking, never while anybody counts on the bytes (`core.deletion`), never
by a clock that is not to be believed (I13); and every removal is a row.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from mediabox.core import deletion, plan, switches
from mediabox.core.timeline import timeline, untimely
from mediabox.durable.publish import remove
from mediabox.durable.trash import TRASH, in_trash
from mediabox.durable.verify import digest_past_cache
from mediabox.errors import Away, NeedsHuman
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.model.asset import ResourceState
from mediabox.model.trash import Move, TrashMoves
from mediabox.store import assets, copies, gate, jobs, journal, told, trash

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable

    from mediabox.clock import Clock
    from mediabox.durable.renditions import RenditionFolder
    from mediabox.durable.volume import Volume
    from mediabox.model.asset import Resource
    from mediabox.store.database import Database

log = get_logger(__name__)

DAY_MS = 86_400_000
KEPT_DAYS = 30  # as long as Apple keeps what was deleted; what happens at the source does not shorten it
PAUSE_S = 3600.0
PORTION = 50  # assets removed in one look


def most_a_day(library: int) -> int:
    """How many of so many assets may go to the trash within a day before a person is asked."""
    return max(20, library // 200)


class Retention:
    """`stages.trash.Bin`, and the service that empties the trash."""

    def __init__(
        self,
        *,
        database: Database,
        volume: Volume,
        clock: Clock,
        mirroring: Container[str],
        renditions: RenditionFolder | None = None,
    ) -> None:
        self._database, self._volume, self._clock = database, volume, clock
        self._mirroring, self._renditions = mirroring, renditions

    # ------------------------------------------------------------ in and out

    async def leaving(self, asset_id: int) -> TrashMoves | None:
        """What of an asset has to go to the trash now; None when somebody wants it, or nothing is left.

        Raises NeedsHuman when more would go within a day than anybody means to delete.
        """
        return await self._database.read(partial(self._leaving, asset_id=asset_id))

    async def returning(self, asset_id: int) -> TrashMoves | None:
        """What of an asset has to come back from the trash now."""
        return await self._database.read(partial(self._returning, asset_id=asset_id))

    def _leaving(self, connection: sqlite3.Connection, asset_id: int) -> TrashMoves | None:
        members = assets.members(connection, asset_id)
        filed = [one for one in members if one.state is ResourceState.ARCHIVED]
        if not filed or not all(one.state.is_end for one in members):
            return None
        if deletion.is_wanted(connection, asset_id, self._mirroring):
            return None
        self._refuse_too_many(connection, asset_id)
        texts = [sidecar.path for sidecar in copies.sidecars_of(connection, asset_id)]
        return TrashMoves(
            moves=tuple(Move(resource_id=one.id, path=path, to=in_trash(path)) for one, path in _paths(filed)),
            texts=tuple((path, in_trash(path)) for path in texts),
            is_leaving=True,
        )

    def _returning(self, connection: sqlite3.Connection, asset_id: int) -> TrashMoves | None:
        filed = _in_trash(connection, asset_id)
        if not filed or not deletion.is_wanted(connection, asset_id, self._mirroring):
            return None
        return TrashMoves(
            moves=tuple(Move(resource_id=one.id, path=in_trash(path), to=path) for one, path in _paths(filed)),
            texts=tuple((in_trash(path), path) for path in _texts(connection, filed)),
            is_leaving=False,
        )

    def _refuse_too_many(self, connection: sqlite3.Connection, asset_id: int) -> None:
        now_ms = self._clock.wall_ms()
        if not self._clock.is_trusted():
            raise untimely(message("a photo deleted at its source is kept: the clock is earlier than past events"))
        library = trash.library_size(connection)
        gone = trash.since(connection, now_ms - DAY_MS)
        waiting = jobs.counts(connection).get(("trash", "ready"), 0)
        if gone + waiting <= most_a_day(library) or switches.are_deletions_allowed(connection, now_ms=now_ms):
            return
        sources = sorted({each.source for each in told.of_asset(connection, asset_id)})
        raise _mass_deletion(", ".join(sources), gone=gone, waiting=waiting, library=library)

    # ------------------------------------------------------------ for good

    async def erase(self) -> int:
        """Remove what a person erased, wherever it lies on this volume (`core.erasure`); how many files.

        The rows say so already: a crash before the last of them finds the file again, or finds it gone.
        """
        try:
            erased = await self._database.read(self._erased)
            for one, paths in erased:
                is_another = await asyncio.to_thread(self._is_another, one, paths[0])
                await asyncio.to_thread(self._unlink, one, paths[1:] if is_another else paths)
                await self._database.write(partial(self._note_erased, one=one, paths=paths, is_another=is_another))
        except Away as absence:
            log.info("erasure_waits", reason=str(absence))
            return 0
        return len(erased)

    def _erased(self, connection: sqlite3.Connection) -> list[tuple[Resource, list[str]]]:
        """With the sidecars of an asset of which nothing is left."""
        found = []
        for one, path in trash.erased(connection, self._volume.identity.uuid):
            is_whole = not any(each.state.is_kept for each in assets.members(connection, one.asset_id))
            texts = copies.sidecars_of(connection, one.asset_id) if is_whole else []
            also = [sidecar.path for sidecar in texts] + [in_trash(sidecar.path) for sidecar in texts]
            also += [in_trash(text) for text in _texts(connection, [one])] if is_whole else []
            found.append((one, [path, *also]))
        return found

    def _is_another(self, one: Resource, path: str) -> bool:
        """Whether somebody put another file under that name: nobody asked to erase that one."""
        try:
            return digest_past_cache(self._volume, path)[0] != one.digest
        except (FileNotFoundError, NeedsHuman):  # gone, or what the disk cannot read, which is no new file
            return False

    def _note_erased(
        self, connection: sqlite3.Connection, one: Resource, paths: list[str], *, is_another: bool
    ) -> None:
        trash.forget_copy(connection, one.id, paths[0])
        for path in paths[1:]:
            copies.forget_written(connection, path)
        now_ms = self._clock.wall_ms()
        for request in plan.after_moving(one.path or "", now_ms=now_ms):
            jobs.add(connection, request)
        left = "another file" if is_another else None
        journal.append(connection, "erasure_done", at_ms=now_ms, sha256=one.digest, left=left)
        if is_another:
            log.warning("erasure_left_another_file", path=paths[0])

    # ------------------------------------------------------------ the service

    async def run(self) -> None:
        """Look every hour, until cancelled."""
        while True:
            try:
                await self.look()
            except Away as absence:
                log.info("retention_waits", reason=str(absence))
            await asyncio.sleep(PAUSE_S)

    async def look(self) -> int:
        """Bring back what is wanted after all, and remove what has had its time; how many assets were removed."""
        await self._database.write(self._bring_back)
        if not self._clock.is_trusted():
            return 0
        before_ms = self._clock.wall_ms() - KEPT_DAYS * DAY_MS
        await self._database.write(partial(self._condemn, before_ms=before_ms))
        condemned = await self._database.read(self._condemned)
        for one, paths in condemned:
            await asyncio.to_thread(self._unlink, one, paths)
            await self._database.write(partial(self._note_removed, one=one, path=paths[0]))
        return len({one.asset_id for one, _ in condemned})

    def _bring_back(self, connection: sqlite3.Connection) -> None:
        """Whoever goes over from `mirror` to `keep` wants everything that is still there."""
        for asset_id in trash.assets_in(connection):
            for request in deletion.follow(connection, asset_id, self._mirroring, now_ms=self._clock.wall_ms()):
                jobs.add(connection, request)

    def _condemn(self, connection: sqlite3.Connection, before_ms: int) -> None:
        """Decide before anything is unlinked, so that whoever wants it from now on fetches it anew.

        The 30 days are counted as those before a release are (decision 0015): a clock set forwards ends none of them.
        """
        time = timeline(connection, self._clock)
        if time.doubt() is not None:
            return
        for asset_id in trash.expired(connection, before_ms, limit=PORTION):
            files = _in_trash(connection, asset_id)
            lay_ms = (time.since(gate.story(connection, one.id).trashed_seq) for one in files)
            if min(lay_ms) > KEPT_DAYS * DAY_MS and not deletion.is_wanted(connection, asset_id, self._mirroring):
                for one in files:
                    trash.condemn(connection, one.id)

    def _condemned(self, connection: sqlite3.Connection) -> list[tuple[Resource, list[str]]]:
        """Files to be removed, those a crash left included, with everything of them that is in the trash."""
        return [
            (one, [path, *(in_trash(text) for text in _texts(connection, [one]))])
            for one, path in trash.condemned(connection, TRASH)
        ]

    def _unlink(self, one: Resource, paths: Iterable[str]) -> None:
        """Files first: a crash before the rows finds them gone. A deleted picture's smaller copies go with it."""
        for path in paths:
            if self._volume.exists(path):
                remove(self._volume, path)
        if self._renditions is not None and one.digest is not None:
            self._renditions.discard(one.digest)

    def _note_removed(self, connection: sqlite3.Connection, one: Resource, path: str) -> None:
        trash.forget_copy(connection, one.id, path)
        journal.append(
            connection,
            "removed_from_trash",
            at_ms=self._clock.wall_ms(),
            resource_id=one.id,
            asset_id=one.asset_id,
            path=path,
            sha256=one.digest,
        )


def _in_trash(connection: sqlite3.Connection, asset_id: int) -> list[Resource]:
    return [one for one in assets.members(connection, asset_id) if one.state is ResourceState.TRASHED]


def _paths(filed: Iterable[Resource]) -> list[tuple[Resource, str]]:
    return [(one, one.path) for one in filed if one.path is not None]


def _texts(connection: sqlite3.Connection, filed: Iterable[Resource]) -> list[str]:
    """Where the sidecar of these files may be."""
    named = (assets.sidecar_path(connection, one.id) for one in filed)
    return list(dict.fromkeys(path for path in named if path))


def _mass_deletion(sources: str, *, gone: int, waiting: int, library: int) -> NeedsHuman:
    what = message(
        "{waiting:n} photos were deleted in {sources}, and {gone:n} more within the last day, out of {library:n} in "
        "the archive: too many to follow without a confirmation, so the archive keeps them",
        waiting=waiting,
        sources=sources,
        gone=gone,
        library=library,
    )
    remedy = message(
        "If that was intended, run `mediabox allow-deletions`: they move to the archive's trash for 30 days. If not, "
        'restore them from Recently Deleted, or set deletion = "keep" for this source.'
    )
    return NeedsHuman(what, issue="source.mass_deletion", subject=sources, remedy=remedy)
