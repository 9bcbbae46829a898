"""Lists an account: once everything, newest first, then only what changed.

What Apple leaves out once is not forgotten: an answer of nothing is doubted, asked for again, and then said.
`changes/database` says in one call (two with a shared library) whether anything changed;
each library that did is read on from its own token. Every page carries the cursor that
continues behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import Page
from mediabox.errors import Away, Retryable
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.model.asset import RemoteChange, Turn
from mediabox.sources.icloud import albums, questions, records, window
from mediabox.sources.icloud import cursor as cursors
from mediabox.sources.icloud.cloudkit import LibraryGone, TokenRefused
from mediabox.sources.icloud.gathering import LOOKS, Gathered, gather, looked, remember
from mediabox.sources.icloud.libraries import Libraries

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable

    from mediabox.clock import Clock
    from mediabox.sources.icloud.answers import Record
    from mediabox.sources.icloud.cloudkit import CloudKit, Records
    from mediabox.sources.icloud.cursor import Cursor, LibraryCursor
    from mediabox.sources.icloud.questions import LibraryZone, Scope
    from mediabox.sources.icloud.settings import Settings

log = get_logger(__name__)

FULL_PHOTOS = questions.PAGE_RECORDS // 2  # an asset and its master each
MOST_STANDSTILL = 30  # pages in a row that end where one did before
INDEXING_S = 300.0
_UUID_DASHES = 4
_OPTIONAL: dict[cursors.Phase, cursors.Phase] = {"hidden": "albums", "albums": "changes"}


EMPTY = Page(assets=())


class ListingStep(msgspec.Struct, frozen=True, kw_only=True):
    """A page of one library, and where to go on in it."""

    progress: LibraryCursor
    page: Page = EMPTY
    is_caught_up: bool = False
    is_gone: bool = False  # the library is no more


class AccountListing:
    """One pass over an account. Keeps nothing that a kill may not take."""

    def __init__(
        self,
        cloud: CloudKit,
        *,
        settings: Settings,
        keep: Callable[[Iterable[records.RemoteFile]], None],
        clock: Clock,
        name: str,
        is_close: bool = False,
    ) -> None:
        """`is_close`: ask each library itself, also one that `changes/database` does not name."""
        self._cloud = cloud
        self._settings = settings
        self._keep = keep
        self._clock = clock
        self._name = name
        self._is_close = is_close
        self._libraries = Libraries(cloud, settings=settings, name=name)
        self._albums = albums.Albums(cloud)
        self.end: Cursor | None = None  # where the pass has come to

    async def pages(self, text: str | None) -> AsyncGenerator[Page, None]:
        """All pages from the cursor on. Ends without a page when nothing changed.

        What one library is refused, the others are read all the same, and it is raised then.
        """
        cursor = began = cursors.decode(text, chosen=_chosen(self._settings))
        database: dict[Scope, str] = {}
        changed: set[str] = set()
        for scope in self._libraries.scopes():
            cursor, token, names = await self._libraries.look(cursor, scope)
            database |= {scope: token} if token is not None else {}
            changed |= names
        problems: list[Retryable] = []
        self._albums.libraries = tuple(self._libraries.in_order(cursor))
        for name in self._albums.libraries:
            try:
                async for step in self._library(cursor, name, has_changed=self._is_close or name in changed):
                    before = cursor
                    cursor = cursor.drop(name) if step.is_gone else cursor.put(step.progress)
                    if step.page != EMPTY or cursor != before:
                        yield msgspec.structs.replace(step.page, cursor=cursor.encode())
            except Retryable as err:
                problems.append(err)
        self.end = cursor
        if problems:
            raise next((one for one in problems if isinstance(one, LibraryGone)), problems[0])
        if changed or cursor != began or not cursor.database:
            yield Page(assets=(), cursor=msgspec.structs.replace(cursor, database=database).encode())

    # -- one library

    async def _library(self, cursor: Cursor, name: str, *, has_changed: bool) -> AsyncIterator[ListingStep]:
        """Raises LibraryGone when Apple denies a library that it lists, twice, or the personal one."""
        progress = cursor.library(name)
        assert progress is not None, "only libraries the cursor knows are read"
        for is_last in (False, True):
            try:
                async for step in self._read(progress, has_changed=has_changed):
                    progress = step.progress
                    yield step
            except LibraryGone:
                log.warning("icloud_library_denied", source=self._name)
                is_there = await self._libraries.is_there(progress.library)
                if is_last or (not is_there and not progress.library.is_shared):
                    raise
                if not is_there:  # left, or ended: two answers say so
                    yield ListingStep(progress=progress, is_gone=True)
                    return
            else:
                return

    async def _read(self, progress: LibraryCursor, *, has_changed: bool) -> AsyncIterator[ListingStep]:
        if progress.waiting and (has_changed or any(each.looks < LOOKS for each in progress.waiting)):
            progress, page = await self._revisit(progress)
            yield ListingStep(progress=progress, page=page)
        refused = {"albums" if "/" in what else what for what in progress.refused}
        owed = [phase for phase in _OPTIONAL if phase in refused]
        if progress.phase == "changes" and owed:
            progress = msgspec.structs.replace(cursors.at_phase(progress, owed[0]), refused=())
        # The personal library is asked each time: that it is no more would be no change of it.
        if progress.phase == "changes" and not has_changed and progress.library.is_shared:
            return
        async for step in self._steps(progress):
            yield step

    async def _steps(self, progress: LibraryCursor) -> AsyncIterator[ListingStep]:
        seen, standstill, is_anew = set(), 0, False
        while True:
            before = progress
            try:
                step = await self._step(progress)
            except Retryable as err:
                step = await self._around(progress, err, is_anew=is_anew)
                is_anew = is_anew or (isinstance(err, TokenRefused) and progress.marker is None)
            progress = step.progress
            yield step
            if step.is_caught_up:
                return
            place = (progress.phase, progress.album, progress.token, progress.anchors)
            is_further = place not in seen or progress.rank < before.rank
            seen.add(place)
            standstill = 0 if is_further else standstill + 1
            if standstill >= MOST_STANDSTILL:
                raise Away(
                    message("iCloud announces more of {library}, but sends nothing new", library=progress.name),
                    part=self._part,
                )

    async def _around(self, progress: LibraryCursor, err: Retryable, *, is_anew: bool) -> ListingStep:
        """Where to go on when Apple will not answer a question. Raises when nothing leads around it."""
        if progress.marker is not None and not isinstance(err, Away):
            # A marker may have been good for a while only: the rank is asked for instead.
            return ListingStep(progress=msgspec.structs.replace(progress, marker=None, anchors=()))
        if isinstance(err, TokenRefused):
            if is_anew:
                raise Away(message("{reason}, also with a new one", reason=err.text), part=self._part) from err
            log.warning("icloud_token_refused", source=self._name)
            fresh = cursors.beginning(progress.library.scope, progress.library.zone)
            return ListingStep(progress=msgspec.structs.replace(fresh, waiting=progress.waiting))
        if progress.phase not in _OPTIONAL:
            raise err
        if isinstance(err, Away):  # is it this index alone?
            await self._cloud.changes_zone(progress.library, "")  # raises when nothing is answered
        return self._past(progress)

    def _past(self, progress: LibraryCursor) -> ListingStep:
        """Behind an index of albums or hidden photos, or behind one album: everything else goes on."""
        log.warning("icloud_index_refused", source=self._name, phase=progress.phase, has_albums=bool(progress.album))
        if progress.album is not None:
            return ListingStep(progress=self._albums.past(progress, progress.album))
        after = cursors.at_phase(progress, _OPTIONAL[progress.phase])
        return ListingStep(progress=cursors.refuse(after, progress.phase))

    async def _step(self, progress: LibraryCursor) -> ListingStep:
        match progress.phase:
            case "photos":
                return await self._ranked(progress, questions.ALL_NEWEST_FIRST, then="hidden")
            case "hidden" if self._settings.hidden and self._settings.newest is None:
                return await self._ranked(progress, questions.HIDDEN, then="albums")
            case "hidden":
                return ListingStep(progress=cursors.at_phase(progress, "albums"))
            case "albums" if self._settings.albums:
                after, page = await self._albums.step(progress)
                return ListingStep(progress=after, page=page)
            case "albums":
                return ListingStep(progress=cursors.at_phase(progress, "changes"))
            case "changes":
                return await self._changes(progress)

    async def _ranked(self, progress: LibraryCursor, index: str, *, then: cursors.Phase) -> ListingStep:
        """A page of an index of assets."""
        library = progress.library
        if progress.token is None:
            progress = msgspec.structs.replace(progress, token=await self._first_token(library))
        start = window.start_of(progress, full=FULL_PHOTOS)
        question = questions.query(library, index, rank=start, marker=progress.marker)
        answer = await self._cloud.query(library, question)
        found = records.sort(answer.records)
        after, is_end = window.advance(progress, tuple(found.assets), full=FULL_PHOTOS, marker=answer.marker)
        if after.rank < progress.rank and not is_end:
            return ListingStep(progress=after)
        newest = self._settings.newest
        if newest is not None:
            kept = list(found.assets.items())[: max(0, newest - start)]
            found = msgspec.structs.replace(found, assets=dict(kept))
        if is_end and after.rank == 0 and index == questions.ALL_NEWEST_FIRST and newest is None:
            # No photo at all: a new account, or an answer of nothing. The library's whole history tells.
            return ListingStep(progress=msgspec.structs.replace(cursors.at_phase(after, "changes"), token=None))
        gathered = await self._gathered(library, found, told=progress.anchors)
        is_end = is_end or (newest is not None and after.rank >= newest)
        after = remember(cursors.at_phase(after, then) if is_end else after, gathered)
        return ListingStep(progress=_noted(after, answer), page=_page_of(gathered))

    async def _first_token(self, library: LibraryZone) -> str:
        """A token of before the first page, so that whatever changes while we list comes again as a change."""
        indexing = await self._cloud.query(library, questions.query(library, questions.INDEXING))
        if not indexing.records:
            raise Retryable(message("iCloud did not say whether {library} can be listed", library=library.name))
        states = {record.fields.state.value for record in indexing.records} - {None}
        if states - {"FINISHED"}:
            what = message("iCloud is still indexing {library}", library=library.name)
            raise Away(what, part=self._part, retry_after_s=INDEXING_S)
        if indexing.sync_token:
            return indexing.sync_token
        token = (await self._cloud.changes_zone(library, "")).sync_token  # "": as if caught up (kei)
        if not token:
            raise Retryable(message("iCloud gives no sync token for {library}", library=library.name))
        return token

    async def _changes(self, progress: LibraryCursor) -> ListingStep:
        """A page of changes."""
        library = progress.library
        answer = await self._cloud.changes_zone(library, progress.token)
        if not answer.sync_token:  # whoever went on from here would never hear of what this answer left out
            raise Retryable(message("iCloud gave no end of the changes of {library}", library=library.name))
        found = records.sort(answer.records)
        gathered = await self._gathered(library, found)
        progress = msgspec.structs.replace(progress, token=answer.sync_token)
        away = [name for name, asset in found.assets.items() if records.is_away(asset)]
        progress = remember(progress, gathered, gone=(*found.gone, *away))
        page = self._changed(library, found, gathered)
        return ListingStep(progress=_noted(progress, answer), page=page, is_caught_up=not answer.more_coming)

    def _changed(self, library: LibraryZone, found: records.Sorted, gathered: Gathered) -> Page:
        now_ms = self._clock.wall_ms()
        turns = [
            records.change_of(library.name, asset, is_shared=library.is_shared, now_ms=now_ms)
            for asset in found.assets.values()
        ]
        turns += [
            RemoteChange(remote_id=records.remote_id_of(library.name, name), turn=Turn.PURGED, at_ms=now_ms)
            for name in found.gone
            if len(name) == 36 and name.count("-") == _UUID_DASHES
        ]
        among = self._albums.libraries
        left = (albums.memberships_named(library.name, name, is_in=False, among=among) for name in found.gone)
        came = (albums.memberships_of(library.name, record, among=among) for record in found.relations)
        listed = (albums.album_of(library.name, record) for record in found.albums)
        is_told = self._settings.albums
        return Page(
            assets=gathered.assets,
            undecided=gathered.undecided,
            changes=tuple(turns),
            albums=tuple(each for each in listed if each is not None) if is_told else (),
            memberships=tuple(each for one in (*came, *left) for each in one) if is_told else (),
        )

    async def _gathered(self, library: LibraryZone, found: records.Sorted, *, told: tuple[str, ...] = ()) -> Gathered:
        """Assets of a page but those `told` of on the page before."""
        present = {name: asset for name, asset in found.assets.items() if name not in told and self._is_taken(asset)}
        return await gather(self._cloud, library, present, found.masters, keep=self._keep)

    def _is_taken(self, asset: Record) -> bool:
        return not records.is_away(asset) and (self._settings.hidden or not records.is_hidden(asset))

    async def _revisit(self, progress: LibraryCursor) -> tuple[LibraryCursor, Page]:
        """Look again at those of whom something was still to come."""
        names = [each.name for each in progress.waiting]
        assets, unsaid = await self._cloud.lookup(progress.library, names)
        present = {name: asset for name, asset in assets.items() if self._is_taken(asset)}
        gathered = await gather(self._cloud, progress.library, present, {}, keep=self._keep)
        gone = set(names) - present.keys() - unsaid
        return looked(remember(progress, gathered, gone=gone)), _page_of(gathered)

    @property
    def _part(self) -> str:
        return f"source:{self._name}"


def _chosen(settings: Settings) -> str:
    words = {
        "personal": settings.personal, "shared": settings.shared, "hidden": settings.hidden,
        "albums": settings.albums, "all": settings.newest is None, f"newest={settings.newest}": settings.newest,
    }  # fmt: skip
    return " ".join(word for word, is_on in words.items() if is_on)


def _noted(progress: LibraryCursor, answer: Records) -> LibraryCursor:
    """With what cannot be made anything of, in the cursor: it is said until everything is listed anew."""
    unknown = {name for record in answer.records for name in record.unknown_files}
    return cursors.note(progress, unreadable=answer.unreadable, unknown_files=sorted(unknown))


def _page_of(gathered: Gathered) -> Page:
    return Page(assets=gathered.assets, undecided=gathered.undecided)
