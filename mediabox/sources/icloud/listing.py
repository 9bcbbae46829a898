"""Lists an account: once everything, newest first, then only what changed.

`changes/database` says in one call (two with a shared library) whether anything changed;
each library that did is read on from its own token. Every page carries the cursor that
continues behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import Complaint, Page
from mediabox.errors import Away, Retryable
from mediabox.log import get_logger
from mediabox.model.asset import RemoteChange, Turn
from mediabox.sources.icloud import cursor as cursors
from mediabox.sources.icloud import questions, records, window
from mediabox.sources.icloud.albums import all_albums
from mediabox.sources.icloud.cloudkit import LibraryGone, TokenRefused
from mediabox.sources.icloud.gathering import LOOKS, Gathered, gather, looked, remember

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from mediabox.clock import Clock
    from mediabox.sources.icloud.answers import Record
    from mediabox.sources.icloud.cloudkit import CloudKit
    from mediabox.sources.icloud.cursor import Cursor, Progress
    from mediabox.sources.icloud.gathering import Keep
    from mediabox.sources.icloud.questions import Library, Scope
    from mediabox.sources.icloud.settings import Settings

log = get_logger(__name__)

PERSONAL, SHARED = "PrimarySync", "SharedSync-"
FULL_PHOTOS = questions.PAGE_RECORDS // 2  # an asset and its master each
FULL_ALBUM = questions.PAGE_RECORDS // 3  # and the relation
MOST_STANDSTILL = 20  # pages in a row without a record or a new token
INDEXING_S = 300.0
_RELATION_KEYS = ("containerId", "itemId", "isDeleted")
_UUID_DASHES = 4
_OPTIONAL: dict[cursors.Phase, cursors.Phase] = {"hidden": "albums", "albums": "changes"}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A page of one library, and where to go on in it."""

    progress: Progress
    page: Page = Page(assets=())
    is_caught_up: bool = False


class Listing:
    """One pass over an account. Keeps nothing that a kill may not take."""

    def __init__(self, cloud: CloudKit, *, settings: Settings, keep: Keep, clock: Clock, name: str) -> None:
        self._cloud = cloud
        self._settings = settings
        self._keep = keep
        self._clock = clock
        self._name = name
        self._unreadable: set[str] = set()
        self._waited_for = 0
        self._albums: dict[str, tuple[str, ...]] = {}  # by library: the albums that hold assets, in order

    async def pages(self, text: str | None) -> AsyncGenerator[Page, None]:
        """All pages from the cursor on. Ends without a page when nothing changed."""
        cursor = began = cursors.decode(text, chosen=_chosen(self._settings))
        database = {}
        changed: set[str] = set()
        for scope in self._scopes():
            cursor, database[scope], names = await self._look(cursor, scope)
            changed |= names
        for name in [each.name for each in cursor.libraries if self._is_wanted(each.name)]:
            async for step in self._library(cursor, name, has_changed=name in changed):
                cursor = cursor.put(step.progress) if step.progress is not None else cursor.drop(name)
                yield msgspec.structs.replace(step.page, cursor=cursor.encode())
        self._waited_for = sum(not each.has_original for one in cursor.libraries for each in one.waiting)
        if changed or cursor != began or not cursor.database:
            yield Page(assets=(), cursor=msgspec.structs.replace(cursor, database=database).encode())

    def complaints(self) -> tuple[Complaint, ...]:
        """What this pass could not make an asset of."""
        found = []
        if self._waited_for:
            found.append(self._complaint(
                "icloud.incomplete",
                f"{self._waited_for} photos are in iCloud without their original so far",
                "The phone that took them is still uploading: let it lie on its charger, in Wi-Fi, with Photos open.",
            ))  # fmt: skip
        if self._unreadable:
            found.append(self._complaint(
                "icloud.unreadable_records",
                f"{len(self._unreadable)} records of iCloud could not be read",
                "They are tried again with the next full listing; `mediabox doctor` tells how to report them.",
            ))  # fmt: skip
        return tuple(found)

    def _complaint(self, key: str, message: str, remedy: str) -> Complaint:
        return Complaint(key=key, subject=self._name, message=f"{message}.", remedy=remedy)

    # -- which libraries

    def _scopes(self) -> tuple[Scope, ...]:
        """An owner's shared library is among the private zones; one somebody invited us to is not."""
        return ("private", "shared") if self._settings.shared else ("private",)

    def _is_wanted(self, name: str) -> bool:
        if name == PERSONAL:
            return self._settings.personal
        return self._settings.shared and name.startswith(SHARED)

    async def _look(self, cursor: Cursor, scope: Scope) -> tuple[Cursor, str, set[str]]:
        """(cursor with new libraries and without lost ones, the token from now on, names of those that changed)."""
        token = cursor.database.get(scope)
        names: set[str] = set()
        while True:
            try:
                answer = await self._cloud.changes_database(scope, token)
            except TokenRefused:
                if token is None:
                    raise
                token = None
                continue
            for zone in answer.zones:
                name = zone.zone_id.zone_name
                if zone.deleted:
                    cursor = cursor.drop(name)
                elif self._is_wanted(name):
                    names.add(name)
                    if cursor.library(name) is None:
                        cursor = cursor.put(cursors.beginning(scope, zone.zone_id))
            if not answer.more_coming or answer.sync_token in (None, token):
                return cursor, answer.sync_token or token or "", names
            token = answer.sync_token

    # -- one library

    async def _library(self, cursor: Cursor, name: str, *, has_changed: bool) -> AsyncIterator[_Outcome]:
        progress = cursor.library(name)
        assert progress is not None, "only libraries the cursor knows are read"
        try:
            if progress.waiting and (has_changed or any(each.looks < LOOKS for each in progress.waiting)):
                step = await self._revisit(progress)
                progress = step.progress
                yield _Outcome(progress=progress, page=step.page)
            if progress.phase == "changes" and not has_changed:
                return
            async for outcome in self._steps(progress):
                yield outcome
        except LibraryGone:
            log.info("icloud_library_gone", source=self._name)
            yield _Outcome(progress=None, page=Page(assets=()))

    async def _steps(self, progress: Progress) -> AsyncIterator[_Outcome]:
        standstill = 0
        while True:
            before = progress
            try:
                step = await self._step(progress)
            except TokenRefused:
                log.warning("icloud_token_refused", source=self._name)
                fresh = cursors.beginning(progress.library.scope, progress.library.zone)
                step = Step(progress=msgspec.structs.replace(fresh, waiting=progress.waiting))
            except Away:
                raise
            except Retryable as err:  # no such index here: Apple documents none, and shared libraries may lack some
                if not progress.library.is_shared or progress.phase not in _OPTIONAL:
                    raise
                log.warning("icloud_index_refused", source=self._name, phase=progress.phase, reason=str(err))
                step = Step(progress=_phase(progress, _OPTIONAL[progress.phase]))
            progress = step.progress
            yield _Outcome(progress=progress, page=step.page)
            if step.is_caught_up:
                return
            standstill = standstill + 1 if progress == before else 0
            if standstill >= MOST_STANDSTILL:
                raise Away(f"iCloud promises more of {progress.name}, but gives nothing", part=self._part)

    async def _step(self, progress: Progress) -> Step:
        match progress.phase:
            case "photos":
                return await self._ranked(progress, questions.ALL_NEWEST_FIRST, then="hidden")
            case "hidden" if self._settings.hidden:
                return await self._ranked(progress, questions.HIDDEN, then="albums")
            case "hidden":
                return Step(progress=_phase(progress, "albums"))
            case "albums" if self._settings.albums:
                return await self._albums_step(progress)
            case "albums":
                return Step(progress=_phase(progress, "changes"))
            case "changes":
                return await self._changes(progress)

    async def _ranked(self, progress: Progress, index: str, *, then: cursors.Phase) -> Step:
        """A page of an index of assets."""
        library = progress.library
        if progress.token is None:
            progress = msgspec.structs.replace(progress, token=await self._first_token(library))
        question = questions.query(library, index, rank=window.start_of(progress))
        answer = await self._cloud.query(library, question)
        self._unreadable.update(answer.unreadable)
        found = records.sort(answer.records)
        after, is_end = window.advance(
            progress, tuple(found.assets), full=FULL_PHOTOS, has_more=answer.marker is not None
        )
        if after.rank < progress.rank and not is_end:
            return Step(progress=after)
        gathered = await self._gathered(library, found, told=progress.anchors)
        is_end = is_end or (self._settings.newest is not None and after.rank >= self._settings.newest)
        after = remember(_phase(after, then) if is_end else after, gathered)
        return Step(progress=after, page=Page(assets=gathered.assets, undecided=gathered.undecided))

    async def _first_token(self, library: Library) -> str:
        """A token of before the first page, so that whatever changes while we list comes again as a change."""
        indexing = await self._cloud.query(library, questions.query(library, questions.INDEXING))
        states = {record.fields.state.value for record in indexing.records} - {None}
        if states - {"FINISHED"}:
            message = f"iCloud is still indexing {library.name}"
            raise Away(message, part=self._part, retry_after_s=INDEXING_S)
        if indexing.sync_token:
            return indexing.sync_token
        token = (await self._cloud.changes_zone(library, "")).sync_token  # "": as if caught up (kei)
        if not token:
            raise Retryable(f"iCloud gives no sync token for {library.name}")
        return token

    async def _changes(self, progress: Progress) -> Step:
        """A page of changes."""
        library = progress.library
        answer = await self._cloud.changes_zone(library, progress.token or "")
        self._unreadable.update(answer.unreadable)
        found = records.sort(answer.records)
        gathered = await self._gathered(library, found)
        progress = msgspec.structs.replace(progress, token=answer.sync_token or progress.token)
        away = [name for name, asset in found.assets.items() if records.is_away(asset)]
        return Step(
            progress=remember(progress, gathered, gone=(*found.gone, *away)),
            page=self._changed(library, found, gathered),
            is_caught_up=not answer.more_coming,
        )

    def _changed(self, library: Library, found: records.Sorted, gathered: Gathered) -> Page:
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
        left = (records.membership_left(library.name, name) for name in found.gone)
        came = (records.membership_of(library.name, record) for record in found.relations)
        albums = (records.album_of(library.name, record) for record in found.albums)
        is_told = self._settings.albums
        return Page(
            assets=gathered.assets,
            undecided=gathered.undecided,
            changes=tuple(turns),
            albums=tuple(each for each in albums if each is not None) if is_told else (),
            memberships=tuple(each for each in (*came, *left) if each is not None) if is_told else (),
        )

    async def _gathered(self, library: Library, found: records.Sorted, *, told: tuple[str, ...] = ()) -> Gathered:
        """Assets of a page but those `told` of on the page before."""
        present = {name: asset for name, asset in found.assets.items() if name not in told and self._is_taken(asset)}
        return await gather(self._cloud, library, present, found.masters, keep=self._keep)

    def _is_taken(self, asset: Record) -> bool:
        return not records.is_away(asset) and (self._settings.hidden or not records.is_hidden(asset))

    async def _revisit(self, progress: Progress) -> Step:
        """Look again at those of whom something was still to come."""
        names = [each.name for each in progress.waiting]
        assets = await self._cloud.lookup(progress.library, names)
        present = {name: asset for name, asset in assets.items() if self._is_taken(asset)}
        gathered = await gather(self._cloud, progress.library, present, {}, keep=self._keep)
        gone = set(names) - present.keys()
        return Step(
            progress=looked(remember(progress, gathered, gone=gone)),
            page=Page(assets=gathered.assets, undecided=gathered.undecided),
        )

    # -- albums

    async def _albums_step(self, progress: Progress) -> Step:
        """First the albums themselves, then a page of one album's members."""
        library = progress.library
        if progress.album is None or library.name not in self._albums:
            albums = await all_albums(self._cloud, library)
            self._albums[library.name] = tuple(sorted(each.remote_id for each in albums if not each.is_folder))
            first = progress.album or self._next_album(library, "")
            page = Page(assets=(), albums=albums)
            return Step(progress=_on_album(progress, first) if progress.album is None else progress, page=page)
        album = progress.album.partition("/")[2]
        question = questions.query(
            library,
            questions.ALBUM_RELATIONS,
            rank=window.start_of(progress),
            parent=album,
            keys=_RELATION_KEYS,
        )
        answer = await self._cloud.query(library, question)
        found = records.sort(answer.records).relations
        names = [record.record_name for record in found]
        after, is_end = window.advance(progress, names, full=FULL_ALBUM, has_more=answer.marker is not None)
        if is_end:
            after = _on_album(after, self._next_album(library, progress.album))
        new = (record for record in found if record.record_name not in progress.anchors)
        members = (records.membership_of(library.name, record) for record in new)
        return Step(progress=after, page=Page(assets=(), memberships=tuple(each for each in members if each)))

    def _next_album(self, library: Library, after: str) -> str | None:
        return next((album for album in self._albums[library.name] if album > after), None)

    @property
    def _part(self) -> str:
        return f"source:{self._name}"


class _Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A page with the library's new progress; None when the library is no more."""

    progress: Progress | None
    page: Page


def _chosen(settings: Settings) -> str:
    words = {
        "personal": settings.personal, "shared": settings.shared, "hidden": settings.hidden,
        "albums": settings.albums, "all": settings.newest is None,
    }  # fmt: skip
    return " ".join(word for word, is_on in words.items() if is_on)


def _phase(progress: Progress, phase: cursors.Phase) -> Progress:
    return msgspec.structs.replace(progress, phase=phase, rank=0, anchors=(), album=None)


def _on_album(progress: Progress, album: str | None) -> Progress:
    if album is None:
        return _phase(progress, "changes")
    return msgspec.structs.replace(progress, album=album, rank=0, anchors=())
