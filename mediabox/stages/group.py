"""Join the files of one photo into one asset.

A companion (live video, raw twin, edited version, sidecar) points at the file it
belongs to: its host. Which host depends on the files alone, never on the order in
which they came, and hosts are ranked, so a better one that comes later only moves
the companion. Whatever has no host is an asset of its own, and two such are never
joined.

`decide` looks at the whole neighbourhood of a file each time: files beside it with
its stem, files with its Apple ContentIdentifier, and theirs in turn.
"""

from __future__ import annotations

from enum import IntEnum
from operator import itemgetter
from posixpath import commonprefix
from typing import TYPE_CHECKING, ClassVar, assert_never

import msgspec

from mediabox.contracts import Join, Library, Member
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.companions import is_proxy
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.naming import FileName, is_raw, parse_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LIVE_APART_S = 3.0  # still and video of a Live Photo: the still lies within the clip
LIVE_DURATION_S = 6.0  # Apple's clips last about 3 s; longer ones are videos of their own
RAW_APART_S = 2.0  # a camera writes both within one shutter release
EDITED_APART_S = 3.0  # an edited version keeps its original's capture time
# Some exporters stamp one identifier on everything; a neighbourhood stays a neighbourhood.
MOST_MEMBERS = 256

# Times that say when a file was written rather than when the shutter opened.
_WEAK_TIMES = frozenset({TimeSource.EXIF_MODIFIED, TimeSource.FILE_NAME, TimeSource.FOLDER, TimeSource.FILE_MODIFIED})
# Which of two pictures of one shot was there first.
_EXTENSION_ORDER = ("heic", "heif", "hif", "jpg", "jpeg", "dng")


class _Layer(IntEnum):
    """A companion's host is always of a lower layer, so pointers never go round."""

    PICTURE = 0
    RAW = 1
    EDITED = 2
    VIDEO = 3
    EDITED_VIDEO = 4
    SIDECAR = 5


class _Evidence(IntEnum):
    """How sure we are that a companion belongs to a host. Higher wins."""

    NONE = 0
    STEM = 1
    BASE = 2
    FULL_NAME = 3
    IDENTIFIER = 4


class _Node(msgspec.Struct, frozen=True, kw_only=True):
    resource: Resource
    facts: Facts | None
    name: FileName
    layer: _Layer
    beside: frozenset[int]

    @property
    def time(self) -> CaptureTime | None:
        return self.facts.capture_time if self.facts else None

    @property
    def identifier(self) -> str | None:
        return self.facts.content_identifier if self.facts else None


class Group:
    """Which asset a resource belongs to, and as what."""

    name: ClassVar[str] = "group"
    summary: ClassVar[str] = "Decide which files are one photo: Live Photos, edits, RAW and JPEG, bursts."
    after: ClassVar[tuple[str, ...]] = ()

    def decide(self, resource: Resource, facts: Facts, library: Library) -> Iterator[Join]:
        """Yield a Join for every file around `resource` that is not yet where it belongs."""
        nodes = _neighbourhood(Member(resource=resource, facts=facts), library)
        hosts = {key: None if _is_settled(node) else _host(node, nodes) for key, node in nodes.items()}
        for node in nodes.values():
            root = _root(node, hosts)
            if root is node:
                continue
            role = _role(node, root)
            if (node.resource.asset_id, node.resource.role) != (root.resource.asset_id, role):
                yield Join(resource_id=node.resource.id, asset_id=root.resource.asset_id, role=role)


def _neighbourhood(start: Member, library: Library) -> dict[int, _Node]:
    """Every file that may bear on where `start` belongs, by resource id."""
    waiting = [start]
    members: dict[int, Member] = {}
    beside: dict[int, Sequence[Member]] = {}
    while waiting and len(members) < MOST_MEMBERS:
        member = waiting.pop()
        resource = member.resource
        if resource.id in members:
            continue
        members[resource.id], beside[resource.id] = member, library.beside(resource)
        waiting.extend(beside[resource.id])
        if resource.digest is not None and not resource.is_companion:
            waiting.extend(library.copies(resource))
        if member.facts and member.facts.content_identifier:
            waiting.extend(library.by_content_identifier(member.facts.content_identifier))
    return {key: _node(member, beside[key], members) for key, member in members.items()}


def _node(member: Member, beside: Iterable[Member], members: Mapping[int, Member]) -> _Node:
    return _Node(
        resource=member.resource,
        facts=member.facts,
        name=parse_name(member.resource.name),
        layer=_layer(members.get(member.resource.duplicate_of or 0, member)),  # all names of one content share it
        beside=frozenset(other.resource.id for other in beside),
    )


def _layer(member: Member) -> _Layer:
    """What a file can be to an asset, by its kind, its name and what its source said of it."""
    role, name = member.resource.role, parse_name(member.resource.name)
    if role is Role.COMPANION or is_proxy(name.name):
        return _Layer.SIDECAR
    match member.facts.kind if member.facts else member.resource.kind:
        case Kind.SIDECAR:
            return _Layer.SIDECAR
        case Kind.VIDEO:
            return _Layer.EDITED_VIDEO if name.is_edited or role is Role.EDITED_VIDEO else _Layer.VIDEO
        case Kind.PICTURE if name.is_edited or role is Role.EDITED:
            return _Layer.EDITED
        case Kind.PICTURE if is_raw(name.name, member.facts.media_type if member.facts else None):
            return _Layer.RAW
        case Kind.PICTURE:
            return _Layer.PICTURE
        case kind:
            assert_never(kind)


def _is_settled(node: _Node) -> bool:
    """Whether its source says what it belongs to, and as what. It is never asked again; others may belong to it."""
    return node.resource.remote_asset_id is not None


def _host(node: _Node, nodes: Mapping[int, _Node]) -> _Node | None:
    """The file `node` belongs to, the best of those that fit; None for a file that stands for itself.

    What lies beside a copy of a file belongs to that file. A file without a host where it
    lies may have one where a copy of it lies.
    """
    copies = [other for other in nodes.values() if other.resource.duplicate_of == node.resource.id]
    for some in ([node], copies):
        fitting = [
            (_rank(one, host, found), host)
            for one in some
            for host in nodes.values()
            if host.layer < node.layer and (found := _evidence(one, host))
        ]
        if fitting:
            host = max(fitting, key=itemgetter(0))[1]
            return nodes.get(host.resource.duplicate_of or 0, host)
    return None


def _rank(node: _Node, host: _Node, evidence: _Evidence) -> tuple[object, ...]:
    """Order hosts of one companion by what they are, not by when they came. Total: no two share a remote id.

    A source that lists whole assets gives their files remote ids of one folder
    (`<record>/<file>`), so nothing better is ever found elsewhere.
    """
    extension = host.name.extension
    position = _EXTENSION_ORDER.index(extension) if extension in _EXTENSION_ORDER else len(_EXTENSION_ORDER)
    wants_raw = node.name.extension == "xmp" and host.layer is _Layer.RAW  # `IMG_1.xmp` is Adobe's way with raw files
    wants_clip = node.resource.role is Role.COMPANION and host.layer is _Layer.VIDEO  # MVI_1.THM beside MVI_1.JPG
    return (
        evidence,
        host.resource.state is not ResourceState.DUPLICATE,
        host.resource.id in node.beside,
        _folder(node) == _folder(host),  # not only in another part of a split Takeout
        wants_raw or wants_clip,
        -host.layer,
        -position,
        len(commonprefix([node.resource.name, host.resource.name])),  # `IMG_1.JPG` beside `img_1.jpg`
        host.resource.name,
        host.resource.remote_id,
    )


def _folder(node: _Node) -> str:
    return node.resource.remote_id.rpartition("/")[0]


def _root(node: _Node, hosts: dict[int, _Node | None]) -> _Node:
    while (host := hosts[node.resource.id]) is not None:
        node = host
    return node


_ROLES = {
    _Layer.PICTURE: Role.ORIGINAL,
    _Layer.RAW: Role.RAW,
    _Layer.EDITED: Role.EDITED,
    _Layer.VIDEO: Role.LIVE_VIDEO,
    _Layer.EDITED_VIDEO: Role.EDITED_VIDEO,
    _Layer.SIDECAR: Role.SIDECAR,
}


def _role(node: _Node, root: _Node) -> Role:
    if node.layer is _Layer.SIDECAR and (node.resource.role is Role.COMPANION or is_proxy(node.name.name)):
        return Role.COMPANION
    if node.layer is _Layer.EDITED_VIDEO and root.layer is _Layer.EDITED:
        return Role.LIVE_VIDEO  # the clip of an edited version that came alone
    return _ROLES[node.layer]


# ---------------------------------------------------------------- evidence


def _evidence(node: _Node, host: _Node) -> _Evidence:
    """What says that `node` belongs to `host`. A matter of these two files alone."""
    if host.resource.state is ResourceState.QUARANTINED:
        return _Evidence.NONE
    match node.layer:
        case _Layer.SIDECAR:
            return _describes(node, host)
        case _Layer.VIDEO | _Layer.EDITED_VIDEO if host.layer < _Layer.VIDEO:
            return _live(node, host)
        case _Layer.EDITED_VIDEO | _Layer.EDITED:
            return _edited(node, host)
        case _Layer.RAW:
            return _same_shot(node, host, within_s=RAW_APART_S)
        case _:
            return _Evidence.NONE


def _describes(sidecar: _Node, host: _Node) -> _Evidence:
    """A sidecar has no time of its own: its name decides, the whole name first."""
    if host.resource.id not in sidecar.beside:
        return _Evidence.NONE
    about, name = sidecar.name, host.name
    if about.describes == name.name:
        return _Evidence.FULL_NAME
    if about.version_of == name.name:
        return _Evidence.BASE
    if about.base != name.base and not about.begins(name):
        return _Evidence.NONE
    return _Evidence.BASE if about.is_edited == name.is_edited else _Evidence.STEM


def _live(video: _Node, still: _Node) -> _Evidence:
    if video.identifier and still.identifier:
        return _Evidence.IDENTIFIER if video.identifier == still.identifier else _Evidence.NONE
    duration_s = video.facts.duration_s if video.facts else None
    if duration_s is None or duration_s > LIVE_DURATION_S:
        return _Evidence.NONE
    return _same_shot(video, still, within_s=LIVE_APART_S)


def _edited(edited: _Node, original: _Node) -> _Evidence:
    """An edited version may have lost its capture time; one that it kept must agree."""
    times = [node.time for node in (edited, original)]
    if any(time is None or time.source in _WEAK_TIMES for time in times):
        known = edited.facts is not None and original.facts is not None
        return _Evidence.BASE if known and _share_base(edited, original) else _Evidence.NONE
    return _same_shot(edited, original, within_s=EDITED_APART_S)


def _same_shot(node: _Node, host: _Node, *, within_s: float) -> _Evidence:
    if node.time is None or host.time is None or not _share_base(node, host):
        return _Evidence.NONE
    apart_s = node.time.seconds_apart(host.time)
    is_near = apart_s is not None and apart_s <= within_s
    if not is_near:
        return _Evidence.NONE
    return _Evidence.BASE if node.name.is_edited == host.name.is_edited else _Evidence.STEM


def _share_base(node: _Node, host: _Node) -> bool:
    return host.resource.id in node.beside and node.name.base == host.name.base
