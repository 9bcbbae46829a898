"""What we ask CloudKit, as values: the bodies of its POST requests.

Records are asked for whole, without `desiredKeys` (kei #713: then every field comes): who names
the files he knows never hears of one he does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from mediabox.sources.icloud.answers import ZoneID

if TYPE_CHECKING:
    from collections.abc import Iterable

PERSONAL = "PrimarySync"  # the zone of an account's own photos
Scope = Literal["private", "shared"]
Question = dict[str, object]  # the body of a request
PAGE_RECORDS = 200  # the most Apple gives: 100 photos of two records each

# By the date they reached the library. Read ascending from rank 0 the newest come first (icloudpd's recordings).
ALL_NEWEST_FIRST = "CPLAssetAndMasterByAddedDate"
HIDDEN = "CPLAssetAndMasterHiddenByAssetDate"
ALBUMS = "CPLAlbumByPositionLive"
ALBUM_RELATIONS = "CPLContainerRelationLiveByAssetDate"
INDEXING = "CheckIndexingState"


class LibraryZone(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudKit zone, and the database it is read from: an owner's under private, an invitee's under shared."""

    scope: Scope
    zone: ZoneID

    @property
    def name(self) -> str:
        return self.zone.zone_name

    @property
    def is_shared(self) -> bool:
        return self.name.startswith("SharedSync-")


def query(
    library: LibraryZone,
    record_type: str,
    *,
    rank: int | None = None,
    parent: str | None = None,
    keys: tuple[str, ...] = (),
    marker: str | None = None,
) -> Question:
    """Ask an index for a page that begins at `rank`, or goes on at an answer's `marker`.

    `parent` is the album or folder asked about; `keys` the only fields to answer with.
    """
    filters = []
    if rank is not None:
        filters += [_filter("startRank", rank, "INT64"), _filter("direction", "ASCENDING", "STRING")]
    if parent is not None:
        filters.append(_filter("parentId", parent, "STRING"))
    question = {"query": {"recordType": record_type, "filterBy": filters}, "resultsLimit": PAGE_RECORDS}
    return {"zoneID": library.zone, **question, **_given(desiredKeys=keys or None, continuationMarker=marker)}


def database(token: str | None) -> Question:
    """Which zones changed since `token`."""
    return _given(syncToken=token)


def changes(library: LibraryZone, token: str | None) -> Question:
    """A page of what changed since `token`; "": as if caught up."""
    zone = {"zoneID": library.zone, "resultsLimit": PAGE_RECORDS, "reverse": False, **_given(syncToken=token)}
    return {"zones": [zone]}


def lookup(library: LibraryZone, names: Iterable[str]) -> Question:
    """Records by their names."""
    return {"zoneID": library.zone, "records": [{"recordName": name} for name in names]}


def set_deleted(library: LibraryZone, name: str, *, change_tag: str, is_deleted: int) -> Question:
    """Move an asset to Recently Deleted (1) or back (0), if it still has this tag."""
    record = {
        "recordName": name,
        "recordType": "CPLAsset",
        "recordChangeTag": change_tag,
        "fields": {"isDeleted": {"value": is_deleted}},
    }
    operation = {"operationType": "update", "record": record}
    return {"zoneID": library.zone, "operations": [operation], "atomic": True, "desiredKeys": ["isDeleted"]}


def _filter(field: str, value: int | str, kind: str) -> Question:
    return {"fieldName": field, "comparator": "EQUALS", "fieldValue": {"value": value, "type": kind}}


def _given(**keys: object) -> Question:
    """Of these keys, those that have a value."""
    return {key: value for key, value in keys.items() if value is not None}
