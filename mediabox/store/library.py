"""The catalogue as rules may read it (`contracts.Library`), on the writer's own connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from mediabox.contracts import Member, Near
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.model.naming import parse_name
from mediabox.store.assets import COLUMNS, FROM, path_key, resource_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from mediabox.model.asset import Resource


class Alike(Protocol):
    """The index of perceptual hashes (`core.alike`)."""

    def near(self, hashes: Sequence[int], *, within_bits: int) -> Iterable[tuple[int, int, int]]:
        """(resource id, distance in bits, index into `hashes` of the rotation that matched)."""


_IDENTIFIED = "SELECT resource_id FROM facts WHERE content_identifier = ?1"
_IS_IDENTIFIED = f"resource.id IN ({_IDENTIFIED}) AND duplicate_of IS NULL"
_COPIES_IDENTIFIED = (
    f"digest IN (SELECT digest FROM resource WHERE id IN ({_IDENTIFIED})) AND duplicate_of IN ({_IDENTIFIED})"
)


class StoredLibrary:
    """Reads only. One is made for each transaction."""

    def __init__(self, connection: sqlite3.Connection, alike: Alike) -> None:
        self._connection = connection
        self._alike = alike

    def members(self, asset_id: int) -> list[Member]:
        return self._members("asset_id = ?", (asset_id,))

    def by_content_identifier(self, identifier: str) -> list[Member]:
        """Files of this Apple identifier, and their duplicates, which are found by having their digest."""
        return self._members(f"{_IS_IDENTIFIED} OR {_COPIES_IDENTIFIED}", (identifier,))

    def beside(self, resource: Resource) -> list[Member]:
        source, folder = self._connection.execute(
            "SELECT source_id, folder FROM resource WHERE id = ?", (resource.id,)
        ).fetchone()
        name = parse_name(resource.name)
        stems = name.stems
        if resource.kind is not Kind.SIDECAR:  # `dsc_1_01`: developments of it, by darktable
            stems += self._developments(source, folder, name.stem)
        marks = ",".join("?" * len(stems))
        return self._members(f"source_id = ? AND folder = ? AND stem IN ({marks})", (source, folder, *stems))

    def copies(self, resource: Resource) -> list[Member]:
        """Other files of the same bytes that are kept, or whose keeper is."""
        where = "digest = ? AND resource.id <> ? AND state NOT IN ('quarantined', 'removed')"
        return self._members(where, (resource.digest, resource.id))

    def _developments(self, source: int, folder: str, stem: str) -> tuple[str, ...]:
        rows = self._connection.execute(
            "SELECT DISTINCT stem FROM resource WHERE source_id = ?1 AND folder = ?2 AND kind = 'sidecar' "
            "AND stem >= ?3 || '_00' AND stem <= ?3 || '_99' AND length(stem) = length(?3) + 3",
            (source, folder, stem),
        )
        return tuple(row[0] for row in rows)

    def near(self, hashes: Sequence[int], *, within_bits: int) -> list[Near]:
        found = []
        for resource_id, distance, turn in self._alike.near(hashes, within_bits=within_bits):
            row = self._connection.execute("SELECT asset_id FROM resource WHERE id = ?", (resource_id,)).fetchone()
            if row is not None:
                found.append(Near(resource_id=resource_id, asset_id=row[0], distance_bits=distance, rotation=turn * 90))
        return found

    def is_taken(self, path: str) -> bool:
        key = path_key(path)
        return (
            self._connection.execute(
                "SELECT 1 FROM resource WHERE path_key = ?1 UNION ALL SELECT 1 FROM written WHERE path_key = ?1", (key,)
            ).fetchone()
            is not None
        )

    def _members(self, where: str, values: tuple[object, ...]) -> list[Member]:
        rows = self._connection.execute(
            f"SELECT {COLUMNS}, coalesce(moves_to, path), facts.document {FROM} "
            f"LEFT JOIN facts ON facts.resource_id = coalesce(duplicate_of, resource.id) WHERE {where} "
            "ORDER BY resource.id",
            values,
        )
        return [
            Member(
                resource=msgspec.structs.replace(resource_of(row), path=row[-2]),  # where it is to be
                facts=msgspec.json.decode(row[-1], type=Facts) if row[-1] else None,
            )
            for row in rows
        ]
