"""The albums of a library, the folders they are in, and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.contracts import Page
from mediabox.model.asset import Membership, RemoteAlbum
from mediabox.sources.icloud import cursor as cursors
from mediabox.sources.icloud import questions, records, window
from mediabox.sources.icloud.encoded import number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.sources.icloud.answers import Record
    from mediabox.sources.icloud.cloudkit import CloudKit
    from mediabox.sources.icloud.cursor import LibraryCursor
    from mediabox.sources.icloud.questions import LibraryZone

FULL_ALBUM = questions.PAGE_RECORDS // 3  # an asset, its master and the relation
_RELATION_KEYS = ("containerId", "itemId", "isDeleted")
FOLDER, SMART = 3, 6  # albumType
ROOTS = frozenset({"----Root-Folder----", "----Project-Root-Folder----"})
_IN = "-IN-"


class Albums:
    """Reads the albums of an account's libraries, one page at a step."""

    def __init__(self, cloud: CloudKit) -> None:
        self._cloud = cloud
        self._known: dict[str, tuple[str, ...]] = {}  # by library: the albums that hold assets, in order
        self.libraries: tuple[str, ...] = ()  # in which of them a member may live

    async def step(self, progress: LibraryCursor) -> tuple[LibraryCursor, Page]:
        """First the albums themselves, then a page of one album's members. Raises what CloudKit raises."""
        library = progress.library
        if progress.album is None or library.name not in self._known:
            albums = await all_albums(self._cloud, library)
            self._known[library.name] = tuple(sorted(each.remote_id for each in albums if not each.is_folder))
            after = progress if progress.album else cursors.on_album(progress, self._next(library, ""))
            return after, Page(assets=(), albums=albums)
        return await self._members(progress, progress.album)

    def past(self, progress: LibraryCursor, album: str) -> LibraryCursor:
        """Behind an album Apple will not list: the others are read."""
        return cursors.refuse(cursors.on_album(progress, self._next(progress.library, album)), album)

    async def _members(self, progress: LibraryCursor, album: str) -> tuple[LibraryCursor, Page]:
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
        members = [each for one in new for each in memberships_of(library.name, one, among=self.libraries)]
        return after, Page(assets=(), memberships=tuple(members))

    def _next(self, library: LibraryZone, after: str) -> str | None:
        return next((album for album in self._known.get(library.name, ()) if album > after), None)


async def all_albums(cloud: CloudKit, library: LibraryZone) -> tuple[RemoteAlbum, ...]:
    """All albums and folders, folder by folder."""
    found: dict[str, RemoteAlbum] = {}
    open_pages: list[tuple[str | None, str | None, int]] = [(None, None, 0)]  # folder, marker in it, pages of nothing
    while open_pages:
        parent, marker, empties = open_pages.pop()
        question = questions.query(library, questions.ALBUMS, parent=parent, marker=marker)
        answer = await cloud.query(library, question)
        known = len(found)
        for record in answer.records:
            album = album_of(library.name, record)
            if album is None or album.remote_id in found or album.is_gone:
                continue
            found[album.remote_id] = album
            if album.is_folder:
                open_pages.append((record.record_name, None, 0))
        empties = 0 if len(found) > known else empties + 1
        if answer.marker not in (None, marker) and empties < window.MOST_PROMISED:
            open_pages.append((parent, answer.marker, empties))
    return tuple(found.values())


def album_of(library: str, record: Record) -> RemoteAlbum | None:
    """An album or folder; None for a smart album, which is a search, and for the roots."""
    fields = record.fields
    if record.record_name in ROOTS or number_of(fields.album_type) == SMART:
        return None
    parent = fields.parent_id.value
    return RemoteAlbum(
        remote_id=records.remote_id_of(library, record.record_name),
        name=text_of(fields.album_name_enc) or "",
        folder_id=None if parent is None or parent in ROOTS else records.remote_id_of(library, parent),
        is_folder=number_of(fields.album_type) == FOLDER,
        is_gone=number_of(fields.is_deleted) == 1,
    )


def memberships_of(library: str, record: Record, *, among: Iterable[str]) -> tuple[Membership, ...]:
    """Who is in which album of this library; nothing when the record does not say.

    A relation does not tell in which zone its asset lives (kei #474): it is one of those `among`, or not ours.
    """
    asset, album = record.fields.item_id.value, record.fields.container_id.value
    if asset is None or album is None:
        return memberships_named(library, record.record_name, is_in=not _is_deleted(record), among=among)
    return _memberships(library, asset, album, is_in=not _is_deleted(record), among=among)


def memberships_named(library: str, name: str, *, is_in: bool, among: Iterable[str]) -> tuple[Membership, ...]:
    """What a relation's name says, `<asset>-IN-<album>`: of a tombstone that is all there is."""
    asset, between, album = name.partition(_IN)
    return _memberships(library, asset, album, is_in=is_in, among=among) if between and asset and album else ()


def _memberships(library: str, asset: str, album: str, *, is_in: bool, among: Iterable[str]) -> tuple[Membership, ...]:
    album_id = records.remote_id_of(library, album)
    return tuple(
        Membership(album_id=album_id, asset_id=records.remote_id_of(zone, asset), is_in=is_in)
        for zone in dict.fromkeys((library, *among))
    )


def _is_deleted(record: Record) -> bool:
    return number_of(record.fields.is_deleted) == 1
