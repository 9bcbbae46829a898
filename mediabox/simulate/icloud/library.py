"""What one person has in Photos, and everything they can do to it.

Each method leaves the records behind that Apple leaves (kei, "Delta Data"): trashing
changes asset and original, restoring the asset alone, purging leaves tombstones, leaving
an album leaves the relation's tombstone, and each of them rewrites CPLLibraryInfo.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from mediabox.clock import Clock
from mediabox.model.facts import Place
from mediabox.simulate.icloud.blob import Blob, Vault, of_file
from mediabox.simulate.icloud.lives import Lives
from mediabox.simulate.icloud.photos import Album, AlbumKind, Asset, Burst, Master, Note, Part, Relation
from mediabox.simulate.icloud.synthetic import Mixture, SyntheticStock
from mediabox.simulate.icloud.type_identifiers import type_of
from mediabox.simulate.icloud.zone import Zone

PRIMARY = "PrimarySync"
LIVE, SCREENSHOT = 2, 3  # assetSubtypeV2


class Library:
    """A personal zone and the shared ones. Not for several threads."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        owner: str | None = None,
        vault: Vault | None = None,
        personal: Zone | None = None,
        lives: Lives | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.owner = owner or "_" + uuid.uuid4().hex
        self.vault = vault or Vault()
        self.lives = lives or Lives()
        self.personal = personal or Zone(PRIMARY, owner=self.owner)
        self.shared: dict[str, Zone] = {}
        self.invited: set[str] = set()  # shared zones somebody else owns: listed under /shared
        self.zones_left: set[str] = set()  # listed with "deleted": true
        self.indexing_state = "FINISHED"

    @classmethod
    def synthetic(cls, count: int, *, seed: int = 0, mixture: Mixture | None = None) -> Self:
        """A library of `count` assets that takes no room; the same seed makes the same one."""
        stock = SyntheticStock(count, seed=seed, mixture=mixture)
        vault = Vault()
        vault.keep_stock(stock)
        owner = f"_{seed:032x}"
        return cls(owner=owner, vault=vault, personal=Zone(PRIMARY, owner=owner, stock=stock))

    # -- zones

    def zone(self, name: str) -> Zone:
        """Raises KeyError, which is ZONE_NOT_FOUND."""
        if name == self.personal.name:
            return self.personal
        return self.shared[name]

    def zones(self) -> list[Zone]:
        return [self.personal, *self.shared.values()]

    def start_sharing(self) -> Zone:
        """Make a shared library of one's own."""
        zone = Zone(f"SharedSync-{str(uuid.uuid4()).upper()}", owner=self.owner)
        self.shared[zone.name] = zone
        return zone

    def join(self, zone: Zone) -> None:
        """Take part in somebody else's shared library."""
        self.shared[zone.name] = zone
        self.invited.add(zone.name)

    def zone_of(self, asset: str) -> Zone:
        """Where an asset lives. Raises KeyError."""
        for zone in self.zones():
            row = zone.get(asset)
            if isinstance(row, Asset) and not row.is_moved:
                return zone
        raise KeyError(f"no asset {asset}")

    def asset(self, name: str) -> Asset:
        return self.zone_of(name).asset(name)

    def assets(self) -> list[Asset]:
        """Everything in every zone that is neither trashed nor moved away."""
        return [asset for zone in self.zones() for asset in zone.assets() if not asset.is_trashed]

    def find(self, file_name: str) -> Asset:
        """The first asset whose original is called so. Raises KeyError."""
        for zone in self.zones():
            for asset in zone.assets():
                if not asset.is_moved and zone.master(asset.master).file_name == file_name:
                    return asset
        raise KeyError(f"nothing here is called {file_name}")

    # -- coming in

    def add(
        self,
        original: Path | Blob,
        *,
        file_name: str | None = None,
        live: Path | Blob | None = None,
        alternative: Path | Blob | None = None,
        taken_ms: int | None = None,
        offset_s: int = 0,
        album: str | None = None,
        zone: Zone | None = None,
        is_favorite: bool = False,
        is_hidden: bool = False,
        caption: str | None = None,
        keywords: Sequence[str] = (),
        place: Place | None = None,
        burst: Burst | None = None,
    ) -> Asset:
        """Add one photo or video. The same bytes again make a second asset of the same original, as on the phone."""
        now_ms = self.clock.wall_ms()
        name = file_name or (original.name if isinstance(original, Path) else "IMG_0001.JPG")
        master = Master(
            name="",
            file_name=name,
            original=self.part(original, name),
            live=self.part(live, "x.mov") if live is not None else None,
            alternative=self.part(alternative, _name_of(alternative)) if alternative is not None else None,
            added_ms=now_ms,
        )
        asset = Asset(
            name=new_name(),
            master="",
            taken_ms=now_ms if taken_ms is None else taken_ms,
            added_ms=now_ms,
            offset_s=offset_s,
            is_favorite=is_favorite,
            is_hidden=is_hidden,
            subtype=LIVE if live is not None else 0,
            caption=caption,
            keywords=tuple(keywords),
            place=place,
            burst=burst,
        )
        return self.admit(master, asset, album=album, zone=zone)

    def admit(self, master: Master, asset: Asset, *, album: str | None = None, zone: Zone | None = None) -> Asset:
        """Take in a pair as made; the names of the original and the reference to it are set here."""
        zone = zone or self.personal
        who = self.owner if zone.is_shared else None
        name = master.original.blob.signature
        known = zone.get(name)
        if isinstance(known, Master):
            zone.put(msgspec.structs.replace(known, is_trashed=False))
        else:
            zone.put(msgspec.structs.replace(master, name=name, contributor=who))
        asset = msgspec.structs.replace(asset, master=name, contributor=who)
        zone.put(asset)
        if album is not None:
            self._relate(zone, asset.name, album)
        self._count(zone)
        return asset

    def part(self, content: Path | Blob, name: str, *, width: int = 0, height: int = 0) -> Part:
        blob = of_file(content) if isinstance(content, Path) else content
        self.vault.keep(blob)
        return Part(blob=blob, type=type_of(name), width=width, height=height)

    def duplicate(self, asset: str) -> Asset:
        """The phone's Duplicate: a new asset on the same original."""
        zone = self.zone_of(asset)
        twin = msgspec.structs.replace(zone.asset(asset), name=new_name(), added_ms=self.clock.wall_ms())
        zone.put(zone.master(twin.master))
        zone.put(twin)
        self._count(zone)
        return twin

    def attach_live(self, asset: str, video: Path | Blob) -> None:
        """The Live video arrives after its still."""
        zone = self.zone_of(asset)
        was = zone.asset(asset)
        zone.put(msgspec.structs.replace(zone.master(was.master), live=self.part(video, "x.mov")))
        zone.put(msgspec.structs.replace(was, subtype=LIVE))

    def detach_live(self, asset: str) -> None:
        """The asset says Live Photo, the original has no video (yet)."""
        zone = self.zone_of(asset)
        zone.put(msgspec.structs.replace(zone.master(zone.asset(asset).master), live=None))

    def omit(self, asset: str, *fields: str) -> None:
        """Leave these fields out of both records: itemType, filenameEnc, `resOriginalRes.downloadURL`."""
        zone = self.zone_of(asset)
        row = zone.asset(asset)
        zone.put(msgspec.structs.replace(zone.master(row.master), omitted=fields))
        zone.put(msgspec.structs.replace(row, omitted=fields))

    # -- what people do

    def edit(self, asset: str, picture: Path | Blob, *, name: str = "x.jpg", live: Path | Blob | None = None) -> None:
        """Crop, filter, markup: a new rendition beside the original, on the asset's record only."""
        part = self.part(picture, picture.name if isinstance(picture, Path) else name)
        self._change(asset, edited=part, edited_live=self.part(live, "x.mov") if live is not None else None)

    def revert(self, asset: str) -> None:
        """Back to the original."""
        self._change(asset, edited=None, edited_live=None, adjustment=b"")

    def favorite(self, asset: str, *, on: bool = True) -> None:
        self._change(asset, is_favorite=on)

    def hide(self, asset: str, *, on: bool = True) -> None:
        self._change(asset, is_hidden=on)

    def describe(self, asset: str, *, caption: str | None = None, keywords: Sequence[str] | None = None) -> None:
        """Write a caption, set the keywords; None leaves them."""
        row = self.asset(asset)
        self._change(
            asset,
            caption=row.caption if caption is None else caption,
            keywords=row.keywords if keywords is None else tuple(keywords),
        )

    def trash(self, asset: str) -> None:
        """To Recently Deleted, for 30 days."""
        zone = self.zone_of(asset)
        row = zone.asset(asset)
        if zone.users(row.master) == {asset}:
            zone.put(msgspec.structs.replace(zone.master(row.master), is_trashed=True))
        zone.put(msgspec.structs.replace(
            row, trashed_ms=self.clock.wall_ms(), trash_reason=1, deleted_by=self.owner if zone.is_shared else None
        ))  # fmt: skip
        self._count(zone)

    def restore(self, asset: str) -> None:
        """Back from Recently Deleted: only the asset's record changes."""
        zone = self.zone_of(asset)
        row = zone.asset(asset)
        zone.amend(msgspec.structs.replace(zone.master(row.master), is_trashed=False))
        zone.put(msgspec.structs.replace(row, trashed_ms=None, trash_reason=None, deleted_by=None))
        self._count(zone)

    def purge(self, asset: str) -> None:
        """For ever: tombstones of the asset, of its places in albums, and of an original nobody else stands on."""
        self._purge(self.zone_of(asset), asset)

    def move(self, asset: str, to: Zone, *, is_kept: bool = False) -> Asset:
        """Between personal and shared library. The original keeps its name, the asset gets a new one.

        `is_kept` leaves it in both, as kei saw with a photo taken into both at once.
        """
        zone = self.zone_of(asset)
        row, master = zone.asset(asset), zone.master(zone.asset(asset).master)
        moved = msgspec.structs.replace(row, name=new_name(), trashed_ms=None, trash_reason=None, deleted_by=None)
        moved = self.admit(msgspec.structs.replace(master, is_trashed=False), moved, zone=to)
        if is_kept:
            zone.put(master)
            zone.put(row)
            return moved
        if zone.users(master.name) == {asset}:
            zone.put(msgspec.structs.replace(master, is_trashed=True))
        zone.put(msgspec.structs.replace(
            row, trashed_ms=self.clock.wall_ms(), trash_reason=0, is_moved=True, deleted_by=self.owner
        ))  # fmt: skip
        self._count(zone)
        return moved

    def expire(self) -> None:
        """Purge what has been in Recently Deleted for 30 days. The server calls this before it answers."""
        due_ms = self.clock.wall_ms() - self.lives.trash_s * 1000
        for zone in self.zones():
            for asset in [each for each in zone.trashed() if (each.trashed_ms or 0) <= due_ms]:
                self._purge(zone, asset.name)

    # -- albums

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
        self._relate(self.zone_of(asset), asset, album)
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

    def _change(self, asset: str, **changes: object) -> None:
        zone = self.zone_of(asset)
        zone.put(msgspec.structs.replace(zone.asset(asset), **changes))
        self._count(zone)

    def _change_album(self, album: str, **changes: object) -> None:
        row = msgspec.structs.replace(self.personal.album(album), **changes, modified_ms=self.clock.wall_ms())
        self.personal.put(row)

    def _relate(self, zone: Zone, asset: str, album: str) -> None:
        position = 1024 * (len(zone.relations(album)) + 1)
        zone.put(Relation(asset=asset, album=album, position=position, modified_ms=self.clock.wall_ms()))

    def _purge(self, zone: Zone, asset: str) -> None:
        row = zone.asset(asset)
        for relation in zone.albums_of(asset):
            zone.drop(relation.name)
        zone.drop(asset)
        if not zone.users(row.master):
            zone.drop(row.master)
        self._count(zone)

    def _count(self, zone: Zone) -> None:
        """CPLLibraryInfo comes along with every change; its numbers are counted when it is written."""
        zone.put(Note(
            name=f"{zone.name}-0000-LI", record_type="CPLLibraryInfo", fields={}, modified_ms=self.clock.wall_ms()
        ))  # fmt: skip
        if zone.is_shared:
            quota: dict[str, int | str] = {"contributedQuotaInSharedLibrary": 1}
            zone.put(Note(
                name=f"{zone.name}-quota-{self.owner}",
                record_type="CPLSharedLibraryQuota",
                fields=quota,
                modified_ms=self.clock.wall_ms(),
            ))  # fmt: skip


def new_name() -> str:
    """A record name as Photos makes them."""
    return str(uuid.uuid4()).upper()


def _name_of(content: Path | Blob) -> str:
    return content.name if isinstance(content, Path) else "x.dng"
