"""What we ask CloudKit, as values: the bodies of its POST requests.

Records are asked for whole, without `desiredKeys` (kei #713: then every field comes): who names
the files he knows never hears of one he does not know.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from mediabox.sources.icloud.answers import ZoneID

PERSONAL = "PrimarySync"  # the zone of an account's own photos
Scope = Literal["private", "shared"]
PAGE_RECORDS = 200  # the most Apple gives: 100 photos of two records each

# By the date they reached the library. Read ascending from rank 0 the newest come first (icloudpd's recordings).
ALL_NEWEST_FIRST = "CPLAssetAndMasterByAddedDate"
HIDDEN = "CPLAssetAndMasterHiddenByAssetDate"
ALBUMS = "CPLAlbumByPositionLive"
ALBUM_RELATIONS = "CPLContainerRelationLiveByAssetDate"
INDEXING = "CheckIndexingState"


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudKit zone, and the database it is read from: an owner's under private, an invitee's under shared."""

    scope: Scope
    zone: ZoneID

    @property
    def name(self) -> str:
        return self.zone.zone_name

    @property
    def is_shared(self) -> bool:
        return self.name.startswith("SharedSync-")


class FilterValue(msgspec.Struct, frozen=True):
    value: int | str
    type: Literal["INT64", "STRING"]


class Filter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    field_name: str
    comparator: str = "EQUALS"
    field_value: FilterValue


class Query(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    record_type: str
    filter_by: list[Filter] = []


class QueryQuestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    query: Query
    zone_id: ZoneID = msgspec.field(name="zoneID")
    results_limit: int = PAGE_RECORDS
    desired_keys: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    continuation_marker: str | msgspec.UnsetType = msgspec.UNSET


class ZoneChangesQuestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    zone_id: ZoneID = msgspec.field(name="zoneID")
    sync_token: str | msgspec.UnsetType = msgspec.UNSET
    results_limit: int = PAGE_RECORDS
    reverse: bool = False


class ChangesQuestion(msgspec.Struct, frozen=True, kw_only=True):
    zones: tuple[ZoneChangesQuestion, ...]


class DatabaseQuestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    sync_token: str | msgspec.UnsetType = msgspec.UNSET


class RecordName(msgspec.Struct, frozen=True, rename="camel"):
    record_name: str


class LookupQuestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    records: tuple[RecordName, ...]
    zone_id: ZoneID = msgspec.field(name="zoneID")


class WrittenNumber(msgspec.Struct, frozen=True):
    value: int


class WrittenRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    record_name: str
    record_type: str
    record_change_tag: str
    fields: dict[str, WrittenNumber]


class Operation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    operation_type: Literal["update", "forceDelete"]
    record: WrittenRecord


class ModifyQuestion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    operations: tuple[Operation, ...]
    zone_id: ZoneID = msgspec.field(name="zoneID")
    atomic: bool = True
    desired_keys: tuple[str, ...] = ("isDeleted",)


Question = QueryQuestion | ChangesQuestion | DatabaseQuestion | LookupQuestion | ModifyQuestion


def query(
    library: Library,
    record_type: str,
    *,
    rank: int | None = None,
    parent: str | None = None,
    limit: int = PAGE_RECORDS,
    keys: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET,
    marker: str | None = None,
) -> QueryQuestion:
    """Ask an index for a page that begins at `rank`, or goes on at an answer's `marker`.

    `parent` is the album or folder asked about.
    """
    filters = []
    if rank is not None:
        filters.append(Filter(field_name="startRank", field_value=FilterValue(rank, "INT64")))
        filters.append(Filter(field_name="direction", field_value=FilterValue("ASCENDING", "STRING")))
    if parent is not None:
        filters.append(Filter(field_name="parentId", field_value=FilterValue(parent, "STRING")))
    return QueryQuestion(
        query=Query(record_type=record_type, filter_by=filters),
        zone_id=library.zone,
        results_limit=limit,
        desired_keys=keys,
        continuation_marker=msgspec.UNSET if marker is None else marker,
    )
