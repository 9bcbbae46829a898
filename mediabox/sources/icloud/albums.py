"""The albums of a library, and the folders they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.sources.icloud import questions, records

if TYPE_CHECKING:
    from mediabox.model.asset import RemoteAlbum
    from mediabox.sources.icloud.cloudkit import CloudKit
    from mediabox.sources.icloud.questions import Library


async def all_albums(cloud: CloudKit, library: Library) -> tuple[RemoteAlbum, ...]:
    """All albums and folders, folder by folder."""
    found: dict[str, RemoteAlbum] = {}
    open_pages: list[tuple[str | None, str | None]] = [(None, None)]  # a folder's record, a marker in it
    while open_pages:
        parent, marker = open_pages.pop()
        question = questions.query(library, questions.ALBUMS, parent=parent, marker=marker)
        answer = await cloud.query(library, question)
        known = len(found)
        for record in answer.records:
            album = records.album_of(library.name, record)
            if album is None or album.remote_id in found or album.is_gone:
                continue
            found[album.remote_id] = album
            if album.is_folder:
                open_pages.append((record.record_name, None))
        if answer.marker is not None and len(found) > known:
            open_pages.append((parent, answer.marker))
    return tuple(found.values())
