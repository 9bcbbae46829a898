"""The albums of a library, the folders they are in, and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.contracts import Page
from mediabox.sources.icloud import cursor as cursors
from mediabox.sources.icloud import questions, records, window

if TYPE_CHECKING:
    from mediabox.model.asset import RemoteAlbum
    from mediabox.sources.icloud.cloudkit import CloudKit
    from mediabox.sources.icloud.cursor import Progress
    from mediabox.sources.icloud.questions import Library

FULL_ALBUM = questions.PAGE_RECORDS // 3  # an asset, its master and the relation
_RELATION_KEYS = ("containerId", "itemId", "isDeleted")


class Albums:
    """Reads the albums of an account's libraries, one page at a step."""

    def __init__(self, cloud: CloudKit) -> None:
        self._cloud = cloud
        self._known: dict[str, tuple[str, ...]] = {}  # by library: the albums that hold assets, in order
        self.libraries: tuple[str, ...] = ()  # in which of them a member may live

    async def step(self, progress: Progress) -> tuple[Progress, Page]:
        """First the albums themselves, then a page of one album's members. Raises what CloudKit raises."""
        library = progress.library
        if progress.album is None or library.name not in self._known:
            albums = await all_albums(self._cloud, library)
            self._known[library.name] = tuple(sorted(each.remote_id for each in albums if not each.is_folder))
            after = progress if progress.album else cursors.on_album(progress, self._next(library, ""))
            return after, Page(assets=(), albums=albums)
        return await self._members(progress, progress.album)

    def past(self, progress: Progress, album: str) -> Progress:
        """Behind an album Apple will not list: the others are read."""
        return cursors.refuse(cursors.on_album(progress, self._next(progress.library, album)), album)

    async def _members(self, progress: Progress, album: str) -> tuple[Progress, Page]:
        library, known = progress.library, progress.anchors
        question = questions.query(
            library,
            questions.ALBUM_RELATIONS,
            rank=window.start_of(progress, full=FULL_ALBUM),
            parent=album.partition("/")[2],
            keys=_RELATION_KEYS,
            marker=progress.marker,
        )
        answer = await self._cloud.query(library, question)
        found = records.sort(answer.records).relations
        names = [record.record_name for record in found]
        after, is_end = window.advance(progress, names, full=FULL_ALBUM, marker=answer.marker)
        if is_end or (len(names) < FULL_ALBUM and answer.marker is None):  # a word too few is worth no second call
            after = cursors.on_album(after, self._next(library, album))
        new = (record for record in found if record.record_name not in known)
        members = [each for one in new for each in records.memberships_of(library.name, one, among=self.libraries)]
        return after, Page(assets=(), memberships=tuple(members))

    def _next(self, library: Library, after: str) -> str | None:
        return next((album for album in self._known.get(library.name, ()) if album > after), None)


async def all_albums(cloud: CloudKit, library: Library) -> tuple[RemoteAlbum, ...]:
    """All albums and folders, folder by folder."""
    found: dict[str, RemoteAlbum] = {}
    open_pages: list[tuple[str | None, str | None, int]] = [(None, None, 0)]  # folder, marker in it, pages of nothing
    while open_pages:
        parent, marker, empties = open_pages.pop()
        question = questions.query(library, questions.ALBUMS, parent=parent, marker=marker)
        answer = await cloud.query(library, question)
        known = len(found)
        for record in answer.records:
            album = records.album_of(library.name, record)
            if album is None or album.remote_id in found or album.is_gone:
                continue
            found[album.remote_id] = album
            if album.is_folder:
                open_pages.append((record.record_name, None, 0))
        empties = 0 if len(found) > known else empties + 1
        if answer.marker not in (None, marker) and empties < window.MOST_PROMISED:
            open_pages.append((parent, answer.marker, empties))
    return tuple(found.values())
