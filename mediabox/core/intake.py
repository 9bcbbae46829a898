"""List the sources; write what is new with its first job and the new cursor in one transaction for each page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from mediabox.core import plan
from mediabox.errors import Away, NeedsHuman, Permanent, Retryable
from mediabox.log import get_logger
from mediabox.model.asset import RemoteAsset, RemoteResource
from mediabox.model.events import ListingEnded
from mediabox.model.issue import Issue, Severity
from mediabox.model.naming import stem
from mediabox.model.signature import kind_of
from mediabox.store import assets, jobs, journal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mediabox.clock import Clock
    from mediabox.contracts import Page, Source
    from mediabox.core.bus import Bus
    from mediabox.core.issues import IssueBook
    from mediabox.core.parts import Parts
    from mediabox.core.pipeline import Pipeline
    from mediabox.store.database import Database

log = get_logger(__name__)

WAIT_S = 60.0  # between looks at a source that is away


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What one complete listing brought."""

    new: int = 0
    ignored: int = 0


class Intake:
    """Keeps one catalogue in step with its sources."""

    def __init__(
        self,
        *,
        database: Database,
        pipeline: Pipeline,
        parts: Parts,
        issues: IssueBook,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._database, self._pipeline, self._parts = database, pipeline, parts
        self._issues, self._bus, self._clock = issues, bus, clock
        self._complained: dict[str, set[tuple[str, str]]] = {}  # open complaints of each source, (key, subject)

    async def follow(self, source: Source) -> None:
        """List the source whenever it may have changed, until cancelled."""
        while True:
            await self.list_once(source)
            await source.wait(WAIT_S if self._parts.is_troubled(f"source:{source.name}") else 24 * 3600.0)

    async def list_once(self, source: Source) -> Listing | None:
        """List the source to its end. None when it is away or needs a person: the issue is open."""
        try:
            listing = await self._list(source)
        except (Away, NeedsHuman) as error:
            await self._parts.trip(f"source:{source.name}", error)
            return None
        finally:
            await self._report_complaints(source)
        await self._parts.returned(f"source:{source.name}")
        self._bus.publish(ListingEnded(source=source.name, new=listing.new, ignored=listing.ignored))
        return listing

    async def _list(self, source: Source) -> Listing:
        cursor = await self._database.read(lambda connection: assets.cursor(connection, source.name))
        new = ignored = 0
        async for page in source.pages(cursor):
            known = await self._database.read(partial(self._known, source=source, page=page))
            fresh = [asset for asset in page.assets if not _is_known(asset, known)]
            decided, left_alone = await self._decide(source, page.undecided, known)
            if fresh or decided or left_alone or page.cursor is not None:
                await self._take_in(source, fresh + decided, left_alone, page.cursor)
            new += len(fresh) + len(decided)
            ignored += len(left_alone)
        await self._database.write(lambda connection: self._end(connection, source))
        return Listing(new=new, ignored=ignored)

    def _known(self, connection: sqlite3.Connection, source: Source, page: Page) -> dict[str, set[str]]:
        row = assets.find_source(connection, source.name)
        remote_ids = [resource.remote_id for asset in page.assets for resource in asset.resources]
        remote_ids += [resource.remote_id for resource in page.undecided]
        return assets.known_versions(connection, row, remote_ids) if row is not None else {}

    async def _decide(
        self, source: Source, undecided: Iterable[RemoteResource], known: dict[str, set[str]]
    ) -> tuple[list[RemoteAsset], list[RemoteResource]]:
        """Files whose names do not say what they are: let the content say it, once for each version."""
        decided, left_alone = [], []
        for resource in undecided:
            if resource.version in known.get(resource.remote_id, ()):
                continue
            if resource.size_bytes == 0:  # neither its name nor its content says picture
                left_alone.append(resource)
                continue
            try:
                kind = kind_of(await source.peek(resource), resource.name)
            except (Permanent, Retryable) as error:
                log.debug("peek_failed", reason=str(error))
                continue
            if kind is None:
                left_alone.append(resource)
            else:
                own = msgspec.structs.replace(resource, kind=kind)
                decided.append(RemoteAsset(remote_id=own.remote_id, resources=(own,)))
        return decided, left_alone

    async def _take_in(
        self, source: Source, fresh: list[RemoteAsset], left_alone: list[RemoteResource], cursor: str | None
    ) -> None:
        now_ms = self._clock.wall_ms()

        def work(connection: sqlite3.Connection) -> None:
            row = assets.source_id(connection, source.name)
            for asset in fresh:
                take_in(connection, row, asset, now_ms=now_ms)
            for resource in left_alone:
                assets.ignore(connection, row, resource)
            if cursor is not None:
                assets.set_cursor(connection, row, cursor)

        await self._database.write(work)
        self._pipeline.wake()

    def _end(self, connection: sqlite3.Connection, source: Source) -> None:
        assets.set_listed(connection, assets.source_id(connection, source.name), self._clock.wall_ms())

    async def _report_complaints(self, source: Source) -> None:
        complaints = {(one.key, one.subject): one for one in source.complaints()}
        for (key, subject), complaint in complaints.items():
            await self._issues.open(
                Issue(
                    key=key,
                    subject=subject,
                    severity=Severity.WARNING,
                    message=complaint.message,
                    remedy=complaint.remedy,
                )
            )
        for key, subject in self._complained.get(source.name, set()) - complaints.keys():
            await self._issues.close(key, subject)
        self._complained[source.name] = set(complaints)


def take_in(connection: sqlite3.Connection, source: int, asset: RemoteAsset, *, now_ms: int) -> None:
    """Write one asset, its resources and their first jobs. A version that is known already changes nothing."""
    asset_id: int | None = None
    for remote in asset.resources:
        resource_id = assets.renew(connection, source, remote)
        if resource_id is None:
            asset_id = asset_id or assets.add_asset(connection)
            resource_id = assets.add_resource(
                connection, asset_id, source, remote, stem=stem(remote.name), at_ms=now_ms
            )
        journal.append(
            connection,
            "taken_in",
            at_ms=now_ms,
            resource_id=resource_id,
            asset_id=asset_id,
            name=remote.name,
            from_=remote.remote_id,
        )
        if remote.kind is not None:
            for request in plan.after_taking_in(resource_id, remote.kind):
                jobs.add(connection, request)


def _is_known(asset: RemoteAsset, known: dict[str, set[str]]) -> bool:
    return all(resource.version in known.get(resource.remote_id, ()) for resource in asset.resources)
