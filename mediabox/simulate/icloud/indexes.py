"""The indexes CloudKit keeps over a photo zone: which record types can be queried, and in what order.

On ByAddedDate rank 0 is the newest (icloudpd's cassettes). The indexes by asset date run
from the oldest; none of the public sources says otherwise, and pyicloud reads them from the
far end to get the newest first.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from mediabox.simulate.icloud.library import LIVE, SCREENSHOT
from mediabox.simulate.icloud.photos import Asset
from mediabox.simulate.icloud.type_identifiers import is_movie
from mediabox.simulate.icloud.zone import Zone

Order = Callable[[Asset, int], tuple[int, int]]


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """`key` tells the kept orders apart."""

    key: str
    is_in: Callable[[Asset], bool]
    order: Order


def _by_date(asset: Asset, slot: int) -> tuple[int, int]:
    return asset.taken_ms, slot


def _newest_added(asset: Asset, slot: int) -> tuple[int, int]:
    return -asset.added_ms, -slot


def _by_expiry(asset: Asset, slot: int) -> tuple[int, int]:
    return asset.trashed_ms or 0, slot


def _is_seen(asset: Asset) -> bool:
    return asset.trashed_ms is None and not asset.is_hidden


_ADDED = Index(key="added", is_in=_is_seen, order=_newest_added)
_DATED = Index(key="dated", is_in=_is_seen, order=_by_date)
_HIDDEN = Index(key="hidden", is_in=lambda asset: asset.is_hidden and not asset.is_trashed, order=_by_date)
_DELETED = Index(key="deleted", is_in=lambda asset: asset.is_trashed and not asset.is_moved, order=_by_expiry)
_BURSTS = Index(
    key="bursts",
    is_in=lambda asset: _is_seen(asset) and asset.burst is not None and asset.burst.is_pick,
    order=_by_date,
)

# `recordType` of a query, without AndMaster, and `indexCountID` of a count, name the same index.
_INDEXES = {
    "CPLAssetByAddedDate": _ADDED,
    "CPLAssetByAssetDateWithoutHiddenOrDeleted": _DATED,
    "CPLAssetByAssetDate": _DATED,
    "CPLAssetHiddenByAssetDate": _HIDDEN,
    "CPLAssetDeletedByExpungedDate": _DELETED,
    "CPLBurstStackAssetByAssetDate": _BURSTS,
    "CPLAssetBurstStackAssetByAssetDate": _BURSTS,
}
SMART = "CPLAssetInSmartAlbumByAssetDate"
CONTAINERS = (
    "CPLContainerRelationLiveByAssetDate",
    "CPLContainerRelationLiveByPosition",
    "CPLContainerRelationNotDeletedByAssetDate",
)


def index_of(name: str) -> Index | None:
    """The index of this name; None for one CloudKit does not have."""
    return _INDEXES.get(name.replace("AndMaster", ""))


def smart_index(zone: Zone, album: str) -> Index | None:
    """A smart album's index. `album` as in queries (FAVORITE) or counts (Favorite)."""
    match album.upper():
        case "FAVORITE":
            chosen: Callable[[Asset], bool] = _is_favorite
        case "LIVE":
            chosen = _is_live
        case "SCREENSHOT":
            chosen = _is_screenshot
        case "VIDEO":
            chosen = lambda asset: is_movie(zone.master(asset.master).original.type)  # noqa: E731 - it needs the zone
        case "PANORAMA" | "SLOMO" | "TIMELAPSE":
            chosen = _never  # a folder of files does not say so
        case _:
            return None
    return Index(key=f"smart:{album.upper()}", is_in=lambda each: _is_seen(each) and chosen(each), order=_by_date)


class Ranked:
    """Asset names by rank; only as large as what is asked of it."""

    def __init__(self, zone: Zone, index: Index) -> None:
        self._zone = zone
        self._places = zone.ranked(index.key, index.is_in, index.order)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, rank: int) -> str:
        asset = self._zone.at(self._places[rank])
        assert asset is not None, "an index holds no tombstones"
        return asset.name


def members(zone: Zone, album: str, *, by_position: bool) -> list[str]:
    """Assets of an album by rank, without trashed ones. Of those in another zone nothing is known here but the name."""
    known = {each.asset: zone.asset_or_none(each.asset) for each in zone.relations(album)}
    live = {name: asset for name, asset in known.items() if asset is None or not asset.is_trashed}
    if by_position:
        return list(live)
    return sorted(live, key=lambda name: (asset.taken_ms if (asset := live[name]) else 0, name))


def _is_favorite(asset: Asset) -> bool:
    return asset.is_favorite


def _is_live(asset: Asset) -> bool:
    return asset.subtype == LIVE


def _is_screenshot(asset: Asset) -> bool:
    return asset.subtype == SCREENSHOT


def _never(asset: Asset) -> bool:
    del asset
    return False
