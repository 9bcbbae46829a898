"""Pages of an index by rank, and how many it holds."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from mediabox.simulate.icloud import indexes
from mediabox.simulate.icloud.faults import BlankPage, SparsePage, What
from mediabox.simulate.icloud.photos import Album
from mediabox.simulate.icloud.records import Writer
from mediabox.simulate.icloud.wire import Answered, QueryRequest
from mediabox.simulate.icloud.zone import Zone

PAGE = 200  # records at most, whatever resultsLimit says
ROOTS = ("----Root-Folder----", "----Project-Root-Folder----")
Selection = Sequence[str] | indexes.Ranked


class UnknownIndexError(ValueError):
    """A record type CloudKit has no index for."""


class Page:
    """What a query by rank answers: records, and where it goes on."""

    def __init__(self, records: list[Answered | None], marker: str | None) -> None:
        self.records = records
        self.marker = marker

    @property
    def continuation(self) -> dict[str, str]:
        return {} if self.marker is None else {"continuationMarker": self.marker}


def page_of(zone: Zone, given: QueryRequest, writer: Writer, fault: What | None) -> Page:
    """One page. An original shared by two assets of a page stands once. Raises UnknownIndexError.

    A sparse page leaves out some of its photos for good (kei #536: the index counts what it does not list), a blank
    one comes before its records do, with a marker.
    """
    filters = given.query.filters()
    is_album = given.query.record_type in indexes.CONTAINERS
    names = selection(zone, given.query.record_type, filters)
    step = -1 if filters.get("direction") == "DESCENDING" else 1
    rank = _marked(given.continuation_marker)
    if rank is None:
        rank = int(filters.get("startRank", 0))
    if isinstance(fault, BlankPage):
        return Page([], _marker(rank))
    only = filters.get("recordName")
    if only is not None:
        names, rank = [name for name in _each(names) if name == only], 0
    taken = min(given.results_limit or PAGE, PAGE) // (3 if is_album else 2)
    ranks = [at for at in range(rank, rank + step * max(1, taken), step) if 0 <= at < len(names)]
    after = rank + step * len(ranks)
    listed = ranks[: fault.photos] if isinstance(fault, SparsePage) else ranks
    records = _paired(zone, writer, [names[at] for at in listed], filters, is_album=is_album)
    return Page(records, _marker(after) if ranks and 0 <= after < len(names) else None)


def count_of(zone: Zone, name: str) -> int:
    """How many an index holds, named as a count does: `CPLAssetByAddedDate`, or an index, `:` and an album.

    Raises UnknownIndexError.
    """
    plain, _, suffix = name.partition(":")
    return len(selection(zone, plain, {"parentId": suffix, "smartAlbum": suffix}))


def selection(zone: Zone, record_type: str, filters: dict[str, Any]) -> Selection:
    """Names of assets by rank. Raises UnknownIndexError."""
    if record_type in indexes.CONTAINERS:
        by_position = record_type.endswith("ByPosition")
        return indexes.members(zone, str(filters.get("parentId", "")), by_position=by_position)
    plain, _, suffix = record_type.replace("AndMaster", "").partition(":")
    if plain == indexes.SMART:
        index = indexes.smart_index(zone, str(filters.get("smartAlbum") or suffix))
    else:
        index = indexes.index_of(record_type)
    if index is None:
        raise UnknownIndexError(f"unknown record type {record_type}")
    return indexes.Ranked(zone, index)


def children(zone: Zone, parent: str | None) -> list[Album]:
    """Albums and folders of a folder."""
    wanted = None if parent in ROOTS else parent
    return [album for album in zone.albums() if album.parent == wanted]


def _each(names: Selection) -> list[str]:
    return [names[rank] for rank in range(len(names))]


def _paired(
    zone: Zone, writer: Writer, assets: list[str], filters: dict[str, Any], *, is_album: bool
) -> list[Answered | None]:
    """All the originals first, then all the assets, then who is in the album (icloudpd's cassettes).

    An album may hold what lives in another zone (kei #474): of that the relation is all there is here.
    """
    here = [asset for name in assets if (asset := zone.asset_or_none(name)) is not None]
    relations = [f"{name}-IN-{filters.get('parentId', '')}" for name in assets] if is_album else []
    names = (*(asset.master for asset in here), *(asset.name for asset in here), *relations)
    return [writer.write(name) for name in dict.fromkeys(names)]


def _marker(rank: int) -> str:
    return base64.b64encode(b"rank:%d" % rank).decode()


def _marked(marker: str | None) -> int | None:
    if not marker:
        return None
    try:
        return int(base64.b64decode(marker).removeprefix(b"rank:"))
    except (ValueError, binascii.Error) as err:
        raise UnknownIndexError("continuationMarker is not one of ours") from err
