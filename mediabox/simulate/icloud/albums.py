"""Albums, folders and the people Photos knows."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from mediabox.simulate.icloud.photos import Album, AlbumKind, Note, Relation
from mediabox.simulate.icloud.zones import Zones, new_name


class Albums(Zones):
    """All albums are in the personal zone; who is in one may live in another (kei #474)."""

    def make_album(
        self, title: str, *, parent: str | None = None, is_folder: bool = False, name: str | None = None
    ) -> Album:
        album = Album(
            name=name or new_name(),
            title=title,
            kind=AlbumKind.FOLDER if is_folder else AlbumKind.ALBUM,
            parent=parent,
            position=1024 * (len(self.personal.albums()) + 1),
            modified_ms=self.clock.wall_ms(),
        )
        self.personal.put(album)
        self._count(self.personal)
        return album

    def rename_album(self, album: str, title: str) -> None:
        self._change_album(album, title=title)

    def delete_album(self, album: str) -> None:
        """The photos in it stay."""
        for relation in self.personal.relations(album):
            self.personal.drop(relation.name)
        self._change_album(album, is_deleted=True)
        self._count(self.personal)

    def add_to_album(self, asset: str, album: str) -> None:
        self._relate(asset, album)
        self._change_album(album)

    def remove_from_album(self, asset: str, album: str) -> None:
        self.personal.drop(Relation(asset=asset, album=album).name)
        self._change_album(album)

    def album(self, title: str) -> Album:
        """The first of this title. Raises KeyError."""
        for album in self.personal.albums():
            if album.title == title:
                return album
        raise KeyError(f"no album {title}")

    # -- people, and whatever else fills a delta

    def add_person(self, full_name: str, assets: Sequence[str] = ()) -> None:
        """A person Photos knows, and their faces."""
        person, now_ms = new_name(), self.clock.wall_ms()
        encoded = base64.b64encode(full_name.encode()).decode()
        fields: dict[str, int | str] = {"fullNameEnc": encoded, "displayNameEnc": encoded, "personType": 1}
        self.personal.put(Note(name=person, record_type="CPLPerson", fields=fields, modified_ms=now_ms))
        for asset in assets:
            face: dict[str, int | str] = {"personRef": person, "assetRef": asset, "faceCropType": 0}
            self.personal.put(Note(name=new_name(), record_type="CPLFaceCrop", fields=face, modified_ms=now_ms))

    # -- within

    def _change_album(self, album: str, **changes: object) -> None:
        row = msgspec.structs.replace(self.personal.album(album), **changes, modified_ms=self.clock.wall_ms())
        self.personal.put(row)

    def _relate(self, asset: str, album: str) -> None:
        zone = self.personal
        position = 1024 * (len(zone.relations(album)) + 1)
        zone.put(Relation(asset=asset, album=album, position=position, modified_ms=self.clock.wall_ms()))
