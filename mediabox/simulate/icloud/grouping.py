"""Which files are one photo: by identifier, by name, and by what they are.

Pure. A still and a clip of one ContentIdentifier, or of one name and a few seconds, are a
Live Photo; a RAW beside its JPEG is the alternative; `IMG_E…` and `…-edited` are edits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.model.naming import FileName, is_raw
from mediabox.simulate.icloud.blob import FileBlob

LIVE_CLIP_S = 6.0  # a Live Photo's clip lasts 3 s; longer is a film that happens to share a name


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
    return (clip.facts.duration_s or 0) <= LIVE_CLIP_S and clip.facts.media_type == "video/quicktime"


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


def burst_picks(groups: list[Group]) -> set[Path]:
    """The first shot of each burst stands for it."""
    picks: dict[str, Path] = {}
    for group in groups:
        burst = group.original.facts.burst_id
        if burst:
            picks.setdefault(burst, group.original.path)
    return set(picks.values())


def grouped(found: Iterable[Found]) -> list[Group]:
    """The assets these files are."""
    groups = [group for folder in _by_folder(found) for group in _groups(folder)]
    _pair_by_identifier(groups)
    return groups
