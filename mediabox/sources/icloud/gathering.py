"""From a page of records to assets that can be taken in, with whatever has to be looked up for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.sources.icloud import records
from mediabox.sources.icloud.cursor import MOST_WAITING, LibraryCursor, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mediabox.model.asset import RemoteAsset, RemoteResource
    from mediabox.sources.icloud.answers import Record
    from mediabox.sources.icloud.cloudkit import CloudKit
    from mediabox.sources.icloud.questions import LibraryZone

LOOKS = 8  # for something missing at every listing; from then on only when the library changes


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """Assets of a page. `incomplete`: something of them is still to come. `unusable`: names without any original."""

    assets: tuple[RemoteAsset, ...] = ()
    undecided: tuple[RemoteResource, ...] = ()
    complete: frozenset[str] = frozenset()
    incomplete: tuple[Waiting, ...] = ()


async def gather(
    cloud: CloudKit,
    library: LibraryZone,
    assets: dict[str, Record],
    masters: dict[str, Record],
    *,
    keep: Callable[[Iterable[records.RemoteFile]], None],
) -> Gathered:
    """Pair assets with their masters; a master on no or another page is looked up.

    `keep` is given the links that came along: they spare a lookup if the file is fetched within the hour.
    Nothing is carried from page to page, so a cursor says all there is to say.
    """
    wanted = {name for asset in assets.values() if (name := records.master_of(asset)) is not None}
    missing = wanted - masters.keys()
    if missing:
        masters = masters | (await cloud.lookup(library, sorted(missing)))[0]
    found, undecided, complete, incomplete = [], [], set(), []
    for name, asset in assets.items():
        master = masters.get(records.master_of(asset) or "")
        if master is None:
            incomplete.append(Waiting(name))
            continue
        parts = records.parts_of(library.name, asset, master)
        keep(parts)
        found.append(records.asset_of(library.name, asset, master, parts))
        undecided += [part.resource for part in parts if part.url is not None and part.resource.kind is None]
        if records.is_complete(asset, parts):
            complete.add(name)
        else:
            incomplete.append(Waiting(name, has_original=records.has_original(parts)))
    return Gathered(
        assets=tuple(asset for asset in found if asset.resources),
        undecided=tuple(undecided),
        complete=frozenset(complete),
        incomplete=tuple(incomplete),
    )


def remember(progress: LibraryCursor, gathered: Gathered, *, gone: Iterable[str] = ()) -> LibraryCursor:
    """Who is waited for after this page. The newest are kept when there are too many."""
    left = gathered.complete.union(gone)
    waiting = {each.name: each for each in progress.waiting if each.name not in left}
    for each in gathered.incomplete:
        known = waiting.pop(each.name, None)
        waiting[each.name] = each if known is None else Waiting(each.name, known.looks, each.has_original)
    return msgspec.structs.replace(progress, waiting=tuple(waiting.values())[-MOST_WAITING:])


def looked(progress: LibraryCursor) -> LibraryCursor:
    """After a look at all who are waited for. A Live Photo whose video never comes is let go; it has its still."""
    waiting = (Waiting(each.name, each.looks + 1, each.has_original) for each in progress.waiting)
    kept = tuple(each for each in waiting if each.looks < LOOKS or not each.has_original)
    return msgspec.structs.replace(progress, waiting=kept)
