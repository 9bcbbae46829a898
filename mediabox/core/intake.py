"""List the sources; write what is new with its first job and the new cursor in one transaction for each page.

Of a source that says at the end what it met, a page is written when the next one comes, the last one with that end.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import Surveying
from mediabox.core import switches
from mediabox.core.telling import Telling
from mediabox.errors import Away, NeedsHuman, Permanent, Retryable
from mediabox.log import get_logger
from mediabox.model.asset import RemoteAsset, RemoteResource
from mediabox.model.events import ListingEnded
from mediabox.model.layouts import Reason
from mediabox.model.signature import kind_of
from mediabox.model.survey import SHOWN, LeftOut, Survey
from mediabox.store import listings

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable, Sequence

    from mediabox.clock import Clock
    from mediabox.contracts import Page, Source
    from mediabox.core.bus import Bus
    from mediabox.core.governor import Governor
    from mediabox.core.issues import IssueBook
    from mediabox.core.parts import Parts
    from mediabox.core.pipeline import Pipeline
    from mediabox.store.database import Database

log = get_logger(__name__)

WAIT_S = 60.0  # between looks at a source that is away


class _News(msgspec.Struct, frozen=True, kw_only=True):
    """What one page brings that is not known yet."""

    page: Page
    left_alone: Sequence[RemoteResource]
    new: int


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
        governor: Governor,
        mirroring: Container[str] = (),
    ) -> None:
        """`mirroring`: names of the sources whose deletions the archive follows."""
        self._database, self._pipeline, self._parts = database, pipeline, parts
        self._issues, self._bus, self._clock, self._mirroring = issues, bus, clock, mirroring
        self._governor = governor
        self._asked: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)  # to be listed now, by source

    async def follow(self, source: Source) -> None:
        """List the source whenever it may have changed, until cancelled."""
        while True:
            await self.list_once(source)
            await self._rest(source)

    def look(self, source: str) -> None:
        """A person wants it listed now."""
        self._asked[source].set()

    async def _rest(self, source: Source) -> None:
        """Until something may have changed, or somebody asks."""
        wait_s = WAIT_S if self._parts.is_troubled(f"source:{source.name}") else 24 * 3600.0
        asked = self._asked[source.name]
        async with asyncio.TaskGroup() as tasks:
            ends = {tasks.create_task(asked.wait()), tasks.create_task(source.wait(wait_s))}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
        asked.clear()

    async def list_once(self, source: Source) -> Listing | None:
        """List the source to its end. None when it is away or needs a person: the issue is open."""
        try:
            listing = await self._list(source)
        except (Away, NeedsHuman) as error:
            await self._parts.trip(f"source:{source.name}", error)
            return None
        finally:
            await self._issues.report(f"source:{source.name}", source.complaints())
        missing = {f"source:{one.subject}" for one in source.complaints() if one.key == "source.missing"}
        await self._parts.returned(f"source:{source.name}", without=missing)
        self._bus.publish(ListingEnded(source=source.name, new=listing.new, ignored=listing.ignored))
        return listing

    async def _list(self, source: Source) -> Listing:
        if await self._database.read(partial(switches.is_full_listing_asked, source=source.name)):
            await self._database.write(partial(switches.begin_full_listing, source=source.name))
        cursor = await self._database.read(lambda connection: listings.cursor(connection, source.name))
        new = ignored = 0
        unread: list[str] = []
        held: _News | None = None
        try:
            async for page in source.pages(cursor):
                before, held = held, None
                await self._take_in(source, before)
                await self._governor.await_room()
                news = await self._news(source, page, unread)
                new += news.new
                ignored += len(news.left_alone)
                if isinstance(source, Surveying):
                    held = news
                else:  # its end writes nothing, and a server's next page may take long
                    await self._take_in(source, news)
        except Exception:  # what it listed before counts, whatever went wrong then
            await self._take_in(source, held)
            raise
        await self._take_in(source, held, survey=_survey(source, unread))
        return Listing(new=new, ignored=ignored)

    async def _news(self, source: Source, page: Page, unread: list[str]) -> _News:
        known = await self._database.read(partial(self._known, source=source, page=page))
        fresh = [asset for asset in page.assets if not _is_known(asset, known)]
        decided, left_alone = await self._decide(source, page.undecided, known, unread)
        news = msgspec.structs.replace(page, assets=_with(decided, _telling(page, fresh)))
        return _News(page=news, left_alone=left_alone, new=len(fresh) + len(decided))

    def _known(self, connection: sqlite3.Connection, source: Source, page: Page) -> dict[str, set[str]]:
        row = listings.find_source(connection, source.name)
        if row is None:
            return {}
        named = [resource.remote_id for asset in page.assets for resource in asset.resources]
        nameless = [resource.remote_id for resource in page.undecided]
        return listings.known_versions(connection, row, named) | listings.known_versions(
            connection, row, nameless, also_ignored=True
        )

    async def _decide(
        self, source: Source, undecided: Iterable[RemoteResource], known: dict[str, set[str]], unread: list[str]
    ) -> tuple[list[RemoteResource], list[RemoteResource]]:
        """Files whose names do not say what they are: let the content say it, once for each version."""
        decided: list[RemoteResource] = []
        left_alone: list[RemoteResource] = []
        for resource in undecided:
            if resource.version in known.get(resource.remote_id, ()):
                continue
            if resource.size_bytes == 0:  # neither its name nor its content says picture
                left_alone.append(resource)
                continue
            try:
                kind = kind_of(await source.peek(resource), resource.name)
            except (Permanent, Retryable) as error:
                if isinstance(error, Away) and error.part == f"source:{source.name}":
                    raise  # all of it: this page is not taken in, and comes again
                log.debug("peek_failed", reason=str(error))
                unread.append(resource.remote_id.partition("/")[2])
                continue
            if kind is None:
                left_alone.append(resource)
            else:
                decided.append(msgspec.structs.replace(resource, kind=kind))
        return decided, left_alone

    async def _take_in(self, source: Source, news: _News | None, *, survey: Survey | None = None) -> None:
        """Write a page, and what the listing met once it has ended; None of it where nothing is new."""
        if news is not None and not _says_something(news):
            news = None
        if news is None and survey is None:
            return
        now_ms = self._clock.wall_ms()

        def work(connection: sqlite3.Connection) -> None:
            row = listings.source_id(connection, source.name)
            if news is not None:
                Telling(connection, row, now_ms=now_ms, mirroring=self._mirroring).take_in(news.page)
                for resource in news.left_alone:
                    listings.ignore(connection, row, resource)
                if news.page.cursor is not None:
                    listings.set_cursor(connection, row, news.page.cursor)
            if survey is not None:
                listings.put_survey(connection, row, survey)

        await self._database.write(work)
        if news is not None:
            self._pipeline.wake()


def take_in(connection: sqlite3.Connection, source: int, asset: RemoteAsset, *, now_ms: int) -> None:
    """Write one asset, its resources and their first jobs. A version that is known already changes nothing."""
    Telling(connection, source, now_ms=now_ms).asset(asset)


def _survey(source: Source, unread: Sequence[str]) -> Survey | None:
    """What the listing met, when these files, whose names do not say what they are, could not be opened."""
    survey = source.survey() if isinstance(source, Surveying) else None
    if survey is None or not unread:
        return survey
    closed = LeftOut(reason=Reason.UNREADABLE, count=len(unread), names=tuple(unread[:SHOWN]))
    return Survey(listed=survey.listed - len(unread), left_out=(*survey.left_out, closed))


def _telling(page: Page, fresh: Sequence[RemoteAsset]) -> list[RemoteAsset]:
    """Assets with files that are new, or with words that may be."""
    new = {asset.remote_id for asset in fresh}
    return [asset for asset in page.assets if asset.said is not None or asset.remote_id in new]


def _with(decided: Iterable[RemoteResource], told: Sequence[RemoteAsset]) -> tuple[RemoteAsset, ...]:
    """A file whose kind only its content told joins its asset where the source has told of one, else it is one."""
    found = {asset.remote_id: asset for asset in told}
    for resource in decided:
        asset = found.get(resource.remote_id.rpartition("/")[0])
        if asset is not None and asset.said is not None:
            found[asset.remote_id] = msgspec.structs.replace(asset, resources=(*asset.resources, resource))
        else:
            found[resource.remote_id] = RemoteAsset(remote_id=resource.remote_id, resources=(resource,))
    return tuple(found.values())


def _says_something(news: _News) -> bool:
    page = news.page
    told = page.assets or page.changes or page.albums or page.memberships or news.left_alone
    return bool(told) or page.cursor is not None


def _is_known(asset: RemoteAsset, known: dict[str, set[str]]) -> bool:
    return all(resource.version in known.get(resource.remote_id, ()) for resource in asset.resources)
