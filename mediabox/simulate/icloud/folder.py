"""A folder of pictures, as Photos would hold them.

Pairs are found as a person sees them: a still and a clip of one ContentIdentifier, or of
one name and a few seconds, are a Live Photo; a RAW beside its JPEG is the alternative;
`IMG_E…` and `…-edited` are edits. Folders become albums, folders of folders album folders,
except four whose names say something else: `Hidden`, `Favorites`, `Recently Deleted`,
`Shared Library`.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, Facts
from mediabox.model.naming import FileName, is_raw, parse_name
from mediabox.model.signature import kind_of_name
from mediabox.native.tags import Reader, read_tags
from mediabox.simulate.icloud.blob import FileBlob, of_file
from mediabox.simulate.icloud.library import LIVE, SCREENSHOT, Library, new_name
from mediabox.simulate.icloud.photos import Asset, Burst, Master, Part
from mediabox.simulate.icloud.zone import Zone

HIDDEN, FAVORITES, DELETED, SHARED = "Hidden", "Favorites", "Recently Deleted", "Shared Library"
_SAID = (HIDDEN, FAVORITES, DELETED, SHARED)
_LIVE_CLIP_S = 6.0  # a Live Photo's clip lasts 3 s; longer is a film that happens to share a name
_NAMES = uuid.UUID("6f1a2c52-64f7-4b6f-9a53-0d0c3cf0a6b1")  # record names stay the same when started again
_ADDED_AFTER_MS = 60_000
_BEST_RATING = 5


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One file with what its headers say."""

    path: Path
    blob: FileBlob
    name: FileName
    kind: Kind
    facts: Facts
    modified_ms: int


class Group:
    """The files of one asset."""

    def __init__(self, original: Found) -> None:
        self.original = original
        self.live: Found | None = None
        self.alternative: Found | None = None
        self.edited: Found | None = None
        self.edited_live: Found | None = None
        self.sidecars: list[Found] = []


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
        groups = [group for folder in _by_folder(new) for group in _groups(folder)]
        _pair_by_identifier(groups)
        picks = _burst_picks(groups)
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
        if is_clip and (late.facts.duration_s or 0) <= _LIVE_CLIP_S:
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
    kind = kind_of_name(path.name)
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


def _by_folder(found: Iterable[Found]) -> list[list[Found]]:
    folders: dict[Path, list[Found]] = defaultdict(list)
    for each in found:
        folders[each.path.parent].append(each)
    return list(folders.values())


def _groups(folder: list[Found]) -> list[Group]:
    """The assets of one folder, by the stems of their names."""
    stems: dict[str, list[Found]] = defaultdict(list)
    for each in folder:
        stems[each.name.stem].append(each)
    return [group for files in stems.values() for group in _of_stem(files)]


def _of_stem(files: list[Found]) -> list[Group]:
    sidecars = [each for each in files if each.kind is Kind.SIDECAR]
    media = [each for each in files if each.kind is not Kind.SIDECAR]
    plain = [each for each in media if not each.name.is_edited] or media
    edits = [each for each in media if each not in plain]
    stills = [each for each in plain if each.kind is Kind.PICTURE and not is_raw(each.path.name, each.facts.media_type)]
    raws = [each for each in plain if each.kind is Kind.PICTURE and each not in stills]
    clips = [each for each in plain if each.kind is Kind.VIDEO]
    groups = [Group(each) for each in stills or raws]
    if len(stills) == 1 and len(raws) == 1:
        groups[0].alternative = raws[0]
    elif stills:
        groups += [Group(each) for each in raws]
    for clip in clips:
        if len(groups) == 1 and groups[0].live is None and _may_be_live(groups[0].original, clip):
            groups[0].live = clip
        else:
            groups.append(Group(clip))
    for edit in edits:
        _give_edit(groups, edit)
    if groups:
        groups[0].sidecars = sidecars
    return groups


def _give_edit(groups: list[Group], edit: Found) -> None:
    """An edit belongs to the original of its kind; an edited clip beside a still is its Live video."""
    for group in groups:
        if group.original.kind is edit.kind and group.edited is None and group.original is not edit:
            group.edited = edit
            return
    for group in groups:
        if edit.kind is Kind.VIDEO and group.live is not None and group.edited_live is None:
            group.edited_live = edit
            return
    groups.append(Group(edit))


def _may_be_live(still: Found, clip: Found) -> bool:
    one, other = still.facts.content_identifier, clip.facts.content_identifier
    if one or other:
        return one == other
    return (clip.facts.duration_s or 0) <= _LIVE_CLIP_S and clip.facts.media_type == "video/quicktime"


def _pair_by_identifier(groups: list[Group]) -> None:
    """Clips whose still has another name or lies elsewhere: the identifier says it."""
    stills = {
        group.original.facts.content_identifier: group
        for group in groups
        if group.original.kind is Kind.PICTURE and group.live is None and group.original.facts.content_identifier
    }
    for group in [each for each in groups if each.original.kind is Kind.VIDEO and each.edited is None]:
        still = stills.get(group.original.facts.content_identifier or "")
        if still is not None and still.live is None:
            still.live = group.original
            groups.remove(group)


def _burst_picks(groups: list[Group]) -> set[Path]:
    """The first shot of each burst stands for it."""
    picks: dict[str, Path] = {}
    for group in groups:
        burst = group.original.facts.burst_id
        if burst:
            picks.setdefault(burst, group.original.path)
    return set(picks.values())


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
    local = dt.datetime.fromisoformat(taken.local).replace(tzinfo=dt.UTC)
    return round(local.timestamp() * 1000) - 60_000 * (taken.offset_min or 0)
