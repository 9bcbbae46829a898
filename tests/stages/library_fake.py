"""A catalogue in memory that keeps the promises of `contracts.Library`, for the rules' tests."""

import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

from mediabox.contracts import Join, Member, Near, Reserve, Rule
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.naming import home_folder, parse_name

_VIDEO = {"mov": "video/quicktime", "mp4": "video/mp4"}
_RAW = {"cr2": "image/x-canon-cr2", "dng": "image/x-adobe-dng"}
_SIDECAR = {"xmp": "application/rdf+xml", "aae": "application/x-plist", "json": "application/json"}


class FakeLibrary:
    """Holds resources and their facts; applies decisions as the store does."""

    def __init__(self) -> None:
        self.resources: dict[int, Resource] = {}
        self.facts: dict[int, Facts] = {}
        self.taken: set[str] = set()

    # -- contracts.Library

    def members(self, asset_id: int) -> Sequence[Member]:
        return [self._member(resource) for resource in self.resources.values() if resource.asset_id == asset_id]

    def by_content_identifier(self, identifier: str) -> Sequence[Member]:
        return [
            member
            for member in map(self._member, self.resources.values())
            if member.facts is not None and member.facts.content_identifier == identifier
        ]

    def beside(self, resource: Resource) -> Sequence[Member]:
        stems = set(parse_name(resource.name).stems)
        return [
            self._member(other)
            for other in self.resources.values()
            if _folder(other) == _folder(resource) and stems & set(parse_name(other.name).stems)
        ]

    def copies(self, resource: Resource) -> Sequence[Member]:
        others = [other for other in self.resources.values() if other.digest == resource.digest]
        return [self._member(other) for other in others if other.id != resource.id]

    def near(self, hashes: Sequence[int], *, within_bits: int) -> Sequence[Near]:
        return [
            Near(resource_id=key, asset_id=self.resources[key].asset_id, distance_bits=distance, rotation=90 * turn)
            for key, facts in self.facts.items()
            if facts.perceptual_hashes
            for turn, value in enumerate(hashes)
            if (distance := (value ^ facts.perceptual_hashes[0]).bit_count()) <= within_bits
        ]

    def is_taken(self, path: str) -> bool:
        return _path_key(path) in self.taken

    # -- what the store does around it

    def take_in(self, resource: Resource) -> None:
        """Take a resource in; nothing of its bytes is known yet."""
        self.resources[resource.id] = resource

    def examine(self, resource_id: int, facts: Facts, rules: Iterable[Rule]) -> list[msgspec.Struct]:
        """Store facts and let the rules decide, each on the resource as the last one left it."""
        self.facts[resource_id] = facts
        decisions: list[msgspec.Struct] = []
        for rule in rules:
            for decision in rule.decide(self.resources[resource_id], facts, self):
                decisions.append(decision)
                self._apply(decision)
        return decisions

    def groups(self) -> dict[str, tuple[str, Role]]:
        """For each file (by remote id) the original of its asset and its own role."""
        originals = {r.asset_id: r.remote_id for r in self.resources.values() if r.role is Role.ORIGINAL}
        return {r.remote_id: (originals[r.asset_id], r.role) for r in self.resources.values()}

    def _member(self, resource: Resource) -> Member:
        return Member(resource=resource, facts=self.facts.get(resource.duplicate_of or resource.id))

    def _apply(self, decision: msgspec.Struct) -> None:
        match decision:
            case Join():
                self._change(decision.resource_id, asset_id=decision.asset_id, role=decision.role)
            case Reserve():
                assert not self.is_taken(decision.path)
                self.taken.add(_path_key(decision.path))
                if decision.sidecar_path:
                    self.taken.add(_path_key(decision.sidecar_path))
                self._change(decision.resource_id, path=decision.path, state=ResourceState.FILING)

    def _change(self, resource_id: int, **fields: object) -> None:
        self.resources[resource_id] = msgspec.structs.replace(self.resources[resource_id], **fields)


def _folder(resource: Resource) -> tuple[str, str]:
    return resource.source, home_folder(resource.remote_id)


def _path_key(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def kind_of(name: str) -> Kind:
    extension = name.rpartition(".")[2].lower()
    if extension in _SIDECAR:
        return Kind.SIDECAR
    return Kind.VIDEO if extension in _VIDEO else Kind.PICTURE


def resource(identifier: int, path: str, **fields: object) -> Resource:
    """A staged file at `path` of the source `pictures`, an asset of its own."""
    name = path.rpartition("/")[2]
    values = {
        "asset_id": identifier * 100,
        "source": "pictures",
        "remote_id": path,
        "version": "1",
        "name": name,
        "kind": kind_of(name),
        "role": Role.ORIGINAL,
        "state": ResourceState.STAGED,
        "digest": f"{identifier:08x}" * 8,
    }
    return Resource(id=identifier, **(values | fields))


def facts(name: str, taken: str | None = "2024-05-12T18:03:22", **fields: object) -> Facts:
    """What an examination of a file called `name` would say, shot at `taken`."""
    extension = name.rpartition(".")[2].lower()
    kind = kind_of(name)
    values: dict[str, object] = {
        "kind": kind,
        "media_type": (_VIDEO | _RAW | _SIDECAR).get(extension, "image/jpeg"),
        "capture_time": CaptureTime(local=taken, source=TimeSource.EXIF_LOCAL) if taken else None,
        "duration_s": 2.8 if kind is Kind.VIDEO else None,
    }
    return Facts(**(values | fields))
