"""What one person has in Photos, and everything they can do to it.

Each method leaves the records behind that Apple leaves (kei, "Delta Data"): trashing
changes asset and original, restoring the asset alone, purging leaves tombstones, leaving
an album leaves the relation's tombstone, and each of them rewrites CPLLibraryInfo.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from mediabox.model.place import Place
from mediabox.simulate.icloud.albums import Albums
from mediabox.simulate.icloud.blob import Blob, Vault, of_file
from mediabox.simulate.icloud.photos import Asset, Burst, Master, Part
from mediabox.simulate.icloud.synthetic import Mixture, SyntheticStock
from mediabox.simulate.icloud.type_identifiers import type_of
from mediabox.simulate.icloud.zone import Zone
from mediabox.simulate.icloud.zones import PRIMARY, new_name

LIVE, SCREENSHOT = 2, 3  # assetSubtypeV2


class Library(Albums):
    """A personal zone and the shared ones. Not for several threads."""

    @classmethod
    def synthetic(cls, count: int, *, seed: int = 0, mixture: Mixture | None = None) -> Self:
        """A library of `count` assets that takes no room; the same seed makes the same one."""
        stock = SyntheticStock(count, seed=seed, mixture=mixture)
        vault = Vault()
        vault.keep_stock(stock)
        owner = f"_{seed:032x}"
        return cls(owner=owner, vault=vault, personal=Zone(PRIMARY, owner=owner, stock=stock))

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
            zone.put(msgspec.structs.replace(known, trashed_ms=None))
        else:
            zone.put(msgspec.structs.replace(master, name=name, contributor=who))
        asset = msgspec.structs.replace(asset, master=name, contributor=who)
        zone.put(asset)
        if album is not None:
            self._relate(asset.name, album)
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
            zone.put(msgspec.structs.replace(zone.master(row.master), trashed_ms=self.clock.wall_ms()))
        zone.put(msgspec.structs.replace(
            row, trashed_ms=self.clock.wall_ms(), trash_reason=1, deleted_by=self.owner if zone.is_shared else None
        ))  # fmt: skip
        self._count(zone)

    def restore(self, asset: str) -> None:
        """Back from Recently Deleted: only the asset's record changes."""
        zone = self.zone_of(asset)
        row = zone.asset(asset)
        zone.amend(msgspec.structs.replace(zone.master(row.master), trashed_ms=None))
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
        moved = self.admit(msgspec.structs.replace(master, trashed_ms=None), moved, zone=to)
        if is_kept:
            zone.put(master)
            zone.put(row)
            return moved
        if zone.users(master.name) == {asset}:
            zone.put(msgspec.structs.replace(master, trashed_ms=self.clock.wall_ms()))
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

    # -- within

    def _change(self, asset: str, **changes: object) -> None:
        zone = self.zone_of(asset)
        zone.put(msgspec.structs.replace(zone.asset(asset), **changes))
        self._count(zone)

    def _purge(self, zone: Zone, asset: str) -> None:
        row = zone.asset(asset)
        for relation in self.personal.albums_of(asset):
            self.personal.drop(relation.name)
        zone.drop(asset)
        if not zone.users(row.master):
            zone.drop(row.master)
        self._count(zone)


def _name_of(content: Path | Blob) -> str:
    return content.name if isinstance(content, Path) else "x.dng"
