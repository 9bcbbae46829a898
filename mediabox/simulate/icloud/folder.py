"""A folder of pictures, as Photos would hold them.

Files that belong together are one asset (`grouping`). Folders become albums, folders of
folders album folders, except four whose names say something else: `Hidden`, `Favorites`,
`Recently Deleted`, `Shared Library`.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from pathlib import Path

import msgspec

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, Facts
from mediabox.model.naming import parse_name
from mediabox.model.signature import claimed_kind
from mediabox.native.tags import Reader, read_tags
from mediabox.simulate.icloud.blob import of_file
from mediabox.simulate.icloud.grouping import LIVE_CLIP_S, Found, Group, burst_picks, grouped
from mediabox.simulate.icloud.library import LIVE, SCREENSHOT, Library
from mediabox.simulate.icloud.photos import Asset, Burst, Master, Part
from mediabox.simulate.icloud.zone import Zone
from mediabox.simulate.icloud.zones import new_name

HIDDEN, FAVORITES, DELETED, SHARED = "Hidden", "Favorites", "Recently Deleted", "Shared Library"
_SAID = (HIDDEN, FAVORITES, DELETED, SHARED)
_NAMES = uuid.UUID("6f1a2c52-64f7-4b6f-9a53-0d0c3cf0a6b1")  # record names stay the same when started again
_ADDED_AFTER_MS = 60_000
_BEST_RATING = 5


class Folder:
    """Scans once, and again when asked: what is known by its path is left alone."""

    def __init__(self, path: Path, library: Library) -> None:
        """Raises NotADirectoryError."""
        if not path.is_dir():
            raise NotADirectoryError(f"{path} is not a folder")
        self._path = path
        self._library = library
        self._known: set[Path] = set()
        self._assets: dict[Path, str] = {}  # by the path of the original
        self._stems: dict[tuple[Path, str], str] = {}
        self._albums: dict[Path, str] = {}
        self._album_folders: dict[Path, str] = {}

    def scan(self) -> int:
        """Look and take in. Blocking."""
        return self.take_in(self.look())

    def look(self) -> list[Found]:
        """What is new. Reads files, touches no library: may run in a thread. Blocking."""
        return [each for path in self._files() if (each := _look(path)) is not None]

    def take_in(self, found: list[Found]) -> int:
        """Add what was found, trash what is gone. How many assets that made or changed."""
        late = [each for each in found if self._join(each)]
        new = [each for each in found if each not in late]
        groups = grouped(new)
        picks = burst_picks(groups)
        is_first = not self._assets
        for group in sorted(groups, key=_admission):
            self._admit(group, is_pick=group.original.path in picks, is_first=is_first)
        return len(groups) + len(late) + self._drop_lost()

    def _join(self, late: Found) -> bool:
        """An edit or a Live video that comes after its still: whether it found one."""
        asset = self._stems.get((late.path.parent, late.name.stem))
        if asset is None or self._library.asset(asset).is_trashed:
            return False
        if late.kind is Kind.PICTURE and late.name.is_edited:
            self._library.edit(asset, late.blob, name=late.path.name)
            return True
        is_clip = late.kind is Kind.VIDEO and self._library.asset(asset).subtype != LIVE
        if is_clip and (late.facts.duration_s or 0) <= LIVE_CLIP_S:
            self._library.attach_live(asset, late.blob)
            return True
        return False

    def _drop_lost(self) -> int:
        """What was taken out of the folder goes to Recently Deleted; back in the folder, it is a new photo."""
        lost = [path for path in self._assets if not path.exists()]
        for path in lost:
            asset = self._assets.pop(path)
            self._known.discard(path)
            self._stems = {key: name for key, name in self._stems.items() if name != asset}
            if not self._library.asset(asset).is_trashed:
                self._library.trash(asset)
        return len(lost)

    def _files(self) -> list[Path]:
        new = []
        for folder, names, files in os.walk(self._path):
            names[:] = sorted(name for name in names if not name.startswith("."))
            for file in sorted(files):
                path = Path(folder, file)
                if not file.startswith(".") and path not in self._known and path.is_file():
                    new.append(path)
        self._known.update(new)
        return new

    def _admit(self, group: Group, *, is_pick: bool, is_first: bool) -> None:
        facts = _merged(group)
        original = group.original
        folder = original.path.parent.relative_to(self._path)
        said = next((part for part in folder.parts if part in _SAID), None)
        taken_ms = _taken_ms(original)
        now_ms = self._library.clock.wall_ms()
        added_ms = min(taken_ms + _ADDED_AFTER_MS, now_ms) if is_first else now_ms
        master = Master(
            name="",
            file_name=original.path.name,
            original=self._part(original),
            live=self._part(group.live) if group.live else None,
            alternative=self._part(group.alternative) if group.alternative else None,
            orientation=facts.orientation,
            added_ms=added_ms,
        )
        relative = str(original.path.relative_to(self._path))
        is_deleted = said == DELETED
        asset = Asset(
            name=new_name() if not is_first else str(uuid.uuid5(_NAMES, relative)).upper(),
            master="",
            taken_ms=taken_ms,
            added_ms=added_ms,
            offset_s=60 * (facts.capture_time.offset_min or 0) if facts.capture_time else 0,
            is_favorite=facts.is_favorite or said == FAVORITES or facts.rating == _BEST_RATING,
            is_hidden=said == HIDDEN,
            trashed_ms=now_ms if is_deleted else None,
            trash_reason=1 if is_deleted else None,
            subtype=_subtype(group),
            duration_s=(group.live or original).facts.duration_s,
            burst=Burst(id=facts.burst_id, is_pick=is_pick) if facts.burst_id else None,
            place=facts.place,
            title=facts.title,
            caption=facts.caption,
            keywords=facts.keywords,
            edited=self._part(group.edited) if group.edited else None,
            edited_live=self._part(group.edited_live) if group.edited_live else None,
            adjustment=_adjustment(group),
        )
        album = self._album(folder) if said is None and folder.parts else None
        asset = self._library.admit(master, asset, album=album, zone=self._zone(said))
        self._assets[original.path] = asset.name
        self._stems[original.path.parent, original.name.stem] = asset.name

    def _zone(self, said: str | None) -> Zone | None:
        if said != SHARED:
            return None
        return next(iter(self._library.shared.values()), None) or self._library.start_sharing()

    def _part(self, found: Found) -> Part:
        facts = found.facts
        return self._library.part(found.blob, found.path.name, width=facts.width or 0, height=facts.height or 0)

    def _album(self, folder: Path) -> str:
        """The album of a folder. One with folders in it is an album folder, with an album of its name inside."""
        if folder in self._albums:
            return self._albums[folder]
        parent = self._album_folder(folder.parent)
        if self._has_folders(folder):
            parent = self._album_folder(folder)
        name = str(uuid.uuid5(_NAMES, f"album:{folder}")).upper()
        self._albums[folder] = self._library.make_album(folder.name, parent=parent, name=name).name
        return name

    def _album_folder(self, folder: Path) -> str | None:
        if not folder.parts:
            return None
        if folder not in self._album_folders:
            parent = self._album_folder(folder.parent)
            name = str(uuid.uuid5(_NAMES, f"folder:{folder}")).upper()
            self._album_folders[folder] = name
            self._library.make_album(folder.name, parent=parent, name=name, is_folder=True)
        return self._album_folders[folder]

    def _has_folders(self, folder: Path) -> bool:
        return any(each.is_dir() and not each.name.startswith(".") for each in (self._path / folder).iterdir())


def _look(path: Path) -> Found | None:
    """What this file is; None for an empty one, and for what is neither picture, film nor sidecar."""
    status = path.stat()
    kind = claimed_kind(path.name)
    if kind is None or not status.st_size:
        return None
    modified_ms = status.st_mtime_ns // 1_000_000
    request = ExamineRequest(
        name=path.name, kind=kind, size_bytes=status.st_size, modified_at_ms=modified_ms, renditions=False
    )
    with path.open("rb") as file:
        facts = read_tags(Reader(file.fileno()), request)
    blob = of_file(path)
    return Found(
        path=path, blob=blob, name=parse_name(path.name), kind=facts.kind, facts=facts, modified_ms=modified_ms
    )


def _merged(group: Group) -> Facts:
    """What the original says, filled up with what its sidecars say."""
    facts = group.original.facts
    for sidecar in group.sidecars:
        said = sidecar.facts
        facts = msgspec.structs.replace(
            facts,
            keywords=facts.keywords or said.keywords,
            title=facts.title or said.title,
            caption=facts.caption or said.caption,
            rating=said.rating if facts.rating is None else facts.rating,
            is_favorite=facts.is_favorite or said.is_favorite,
            place=facts.place or said.place,
        )
    return facts


def _admission(group: Group) -> tuple[int, bool, Path]:
    """Oldest first. Of copies, the one with a Live video or RAW twin: their common original has them too."""
    is_single = group.live is None and group.alternative is None
    return _taken_ms(group.original), is_single, group.original.path


def _adjustment(group: Group) -> bytes:
    notes = [each.path for each in group.sidecars if each.path.suffix.casefold() == ".aae"]
    return notes[0].read_bytes() if notes and group.edited is not None else b""


def _subtype(group: Group) -> int:
    if group.live is not None:
        return LIVE
    return SCREENSHOT if "screenshot" in group.original.path.name.casefold() else 0


def _taken_ms(found: Found) -> int:
    taken: CaptureTime | None = found.facts.capture_time
    if taken is None:
        return found.modified_ms
    local = dt.datetime.fromisoformat(taken.begins).replace(tzinfo=dt.UTC)
    return round(local.timestamp() * 1000) - 60_000 * (taken.offset_min or 0)
