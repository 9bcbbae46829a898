"""Decisions over facts, made inside the transaction that stores them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mediabox.model.asset import Resource, Role
    from mediabox.model.facts import Facts


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A resource with its facts, when it has been examined."""

    resource: Resource
    facts: Facts | None


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that looks alike. `distance_bits` 0 to 64; `rotation` degrees it is turned against ours."""

    resource_id: int
    asset_id: int
    distance_bits: int
    rotation: int


class Library(Protocol):
    """The catalogue as a rule may read it, inside the writer's transaction."""

    def members(self, asset_id: int) -> Sequence[Member]: ...
    def by_content_identifier(self, identifier: str) -> Sequence[Member]: ...
    def beside(self, resource: Resource) -> Sequence[Member]:
        """Resources of the same source and folder whose names share a stem with it (`model.naming.FileName.stems`)."""

    def copies(self, resource: Resource) -> Sequence[Member]:
        """Other resources of the same bytes; none of what is quarantined or removed."""

    def near(self, hashes: Sequence[int], *, within_bits: int) -> Sequence[Near]: ...
    def is_taken(self, path: str) -> bool:
        """Whether an archive path is reserved, comparing NFC and case-folded (I6)."""


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """Move resource `resource_id` into asset `asset_id` with this role."""

    resource_id: int
    asset_id: int
    role: Role


class Similar(msgspec.Struct, frozen=True, kw_only=True):
    """Note that a resource looks like one of another asset. Nothing is discarded for it."""

    resource_id: int
    of_resource_id: int
    distance_bits: int
    rotation: int  # degrees the other picture is turned against ours


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """Keep these names of the archive for resource `resource_id`, for good (P5); one that is archived moves there."""

    resource_id: int
    path: str  # relative to the archive, '/'-separated, NFC
    sidecar_path: str | None = None  # where our sidecar goes should this be its asset's primary file


class Duplicate(msgspec.Struct, frozen=True, kw_only=True):
    """Resource `resource_id` is a companion its asset has already, byte for byte, as `of`."""

    resource_id: int
    of: int


Decision = Join | Similar | Reserve | Duplicate


class Rule(Protocol):
    """A pure decision over facts, run in `after` order in the transaction that stores them."""

    name: ClassVar[str]
    summary: ClassVar[str]  # what it decides, for a person; one sentence (`mediabox pipeline`)
    after: ClassVar[tuple[str, ...]]

    def decide(self, resource: Resource, facts: Facts, library: Library) -> Iterable[Decision]: ...
