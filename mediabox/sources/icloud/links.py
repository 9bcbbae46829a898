"""Where a file's bytes are now. Apple's links live one hour, so they are got just before they are used."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from mediabox.errors import Permanent, Retryable
from mediabox.message import message
from mediabox.sources.icloud import questions, records
from mediabox.sources.icloud.answers import ZoneID
from mediabox.sources.icloud.cloudkit import LOOKUP_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.clock import Clock
    from mediabox.model.asset import RemoteResource, Resource
    from mediabox.sources.icloud.cloudkit import CloudKit
    from mediabox.sources.icloud.questions import LibraryZone, Scope

GOOD_S = 3000.0  # 3597 to 3600 s in four of four recordings; ten minutes are left for a slow start
MOST_KEPT = 4000  # about 3 MiB
MOST_FOLLOWED = 20_000  # about 4 MiB
ASSETS = LOOKUP_NAMES // 2  # in one lookup: each with its master


class DownloadUrl(msgspec.Struct, frozen=True, kw_only=True):
    """`good_until_s` on the monotonic clock."""

    url: str
    version: str
    good_until_s: float


class DownloadUrlCache:
    """Links that came along with a listing or a lookup: most files are fetched without asking again.

    When it is full the newest stay out: what was listed first is fetched first. It also
    remembers who was listed after whom, so that a lookup brings the links that are wanted next.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._links: dict[str, DownloadUrl] = {}
        self._after: dict[str, str] = {}  # an asset's id, and that of the asset listed behind it
        self._last: str | None = None

    def listed(self, parts: Iterable[records.RemoteFile]) -> None:
        """Keep the links of an asset as a listing brings it."""
        parts = tuple(parts)
        if not parts:
            return
        asset = parts[0].resource.remote_id.rpartition("/")[0]
        if self._last is not None and self._last != asset and len(self._after) < MOST_FOLLOWED:
            self._after[self._last] = asset
        self._last = asset
        self.keep(parts)

    def keep(self, parts: Iterable[records.RemoteFile]) -> None:
        """Keep links as far as there is room."""
        now_s = self._clock.monotonic_s()
        self._drop_old(now_s)
        for part in parts:
            remote_id = part.resource.remote_id
            if part.url is not None and (len(self._links) < MOST_KEPT or remote_id in self._links):
                link = DownloadUrl(url=part.url, version=part.resource.version, good_until_s=now_s + GOOD_S)
                self._links.pop(remote_id, None)  # the oldest stand first
                self._links[remote_id] = link

    def put(self, remote_id: str, link: DownloadUrl) -> None:
        """Keep a link for a little longer; it may be of any age."""
        if len(self._links) < MOST_KEPT:
            until_s = min(link.good_until_s, self._clock.monotonic_s() + GOOD_S)
            self._links[remote_id] = msgspec.structs.replace(link, good_until_s=until_s)

    def take(self, remote_id: str) -> DownloadUrl | None:
        """A link that is still good, once."""
        link = self._links.pop(remote_id, None)
        return link if link is not None and self._clock.monotonic_s() < link.good_until_s else None

    def followers(self, asset: str, most: int) -> list[str]:
        """Assets listed behind this one, whose links will be wanted next; told once. None when there is no room."""
        self._drop_old(self._clock.monotonic_s())
        found: list[str] = []
        library = asset.partition("/")[0]
        while len(found) < most and len(self._links) < MOST_KEPT // 2:
            follower = self._after.pop(asset, None)
            if follower is None or not follower.startswith(f"{library}/"):
                break
            found.append(follower)
            asset = follower
        return found

    def _drop_old(self, now_s: float) -> None:
        while self._links:
            oldest = next(iter(self._links))
            if now_s < self._links[oldest].good_until_s:
                return
            del self._links[oldest]


class DownloadUrls:
    """Finds links, for all lanes together: those who wait at the same time are answered by one lookup."""

    def __init__(self, cloud: CloudKit, *, cache: DownloadUrlCache, scopes: tuple[Scope, ...]) -> None:
        self._cloud = cloud
        self._cache = cache
        self._scopes = scopes
        self._libraries: dict[str, LibraryZone] = {}
        self._wanted: dict[str, Resource | RemoteResource] = {}
        self._turn = asyncio.Lock()

    async def link(self, resource: Resource | RemoteResource) -> DownloadUrl:
        """A link to exactly this version.

        Raises Permanent when the file is gone from iCloud, Retryable when it is another
        version by now or has no link yet, and what CloudKit raises.
        """
        link = self._cache.take(resource.remote_id)
        if link is None or link.version != resource.version:
            link = await self._asked(resource)
        if link.version != resource.version:
            raise Retryable(message("{name} changed in iCloud after it was listed", name=resource.name))
        return link

    def give_back(self, remote_id: str, link: DownloadUrl) -> None:
        """A link that did its work, and of which more of the file will be asked."""
        self._cache.put(remote_id, link)

    async def _asked(self, resource: Resource | RemoteResource) -> DownloadUrl:
        self._wanted[resource.remote_id] = resource
        try:
            async with self._turn:
                link = self._cache.take(resource.remote_id)  # somebody else's lookup brought it
                if link is not None and link.version == resource.version:
                    return link
                return await self._looked_up(resource)
        finally:
            self._wanted.pop(resource.remote_id, None)

    async def _looked_up(self, resource: Resource | RemoteResource) -> DownloadUrl:
        """Look up what is wanted of this library, ours among it, and what will be wanted next."""
        name, asset, _ = split_id(resource.remote_id)
        library = await self._library(name)
        mates = [each for each in self._wanted.values() if each.remote_id.startswith(f"{name}/")]
        mates.sort(key=lambda each: each is not resource)
        found, unsaid = await self._found(library, mates[:ASSETS])
        parts = found.pop(asset, ())
        for each in found.values():
            self._cache.keep(each)
        self._cache.keep(part for part in parts if part.resource.remote_id != resource.remote_id)
        mine = next((part for part in parts if part.resource.remote_id == resource.remote_id), None)
        if mine is None and asset in unsaid:
            raise Retryable(message("iCloud gave no answer about {name}", name=resource.name))
        if mine is None:
            raise Permanent(message("{name} is no longer in iCloud", name=resource.name))
        if mine.url is None:
            raise Retryable(message("iCloud does not have the file of {name} yet", name=resource.name))
        return DownloadUrl(url=mine.url, version=mine.resource.version, good_until_s=float("inf"))

    async def _found(
        self, library: LibraryZone, wanted: list[Resource | RemoteResource]
    ) -> tuple[dict[str, tuple[records.RemoteFile, ...]], set[str]]:
        """(the files of these assets and of their followers, by asset; assets of which not enough was said).

        An original's master bears its signature as name, so one call is enough for a lone original.
        """
        assets = dict.fromkeys(split_id(each.remote_id)[1] for each in wanted)
        for asset in tuple(assets):
            followers = self._cache.followers(records.remote_id_of(library.name, asset), ASSETS - len(assets))
            assets |= dict.fromkeys(split_id(follower)[1] for follower in followers)
        guesses = {each.version.rpartition("-")[0] for each in wanted if split_id(each.remote_id)[2] == "original"}
        guesses = {name for name in guesses if name and "." not in name}  # a checksum, not what stands in for one
        held, unsaid = await self._cloud.lookup(library, [*assets, *sorted(guesses)])
        masters = {name: records.master_of(held[name]) for name in assets if name in held}
        more, unsaid_masters = await self._cloud.lookup(
            library, sorted({one for one in masters.values() if one} - held.keys())
        )
        held |= more
        found = {
            name: records.parts_of(library.name, held[name], held[master])
            for name, master in masters.items()
            if master is not None and master in held
        }
        return found, unsaid | {name for name, master in masters.items() if master is None or master in unsaid_masters}

    async def _library(self, name: str) -> LibraryZone:
        """The zone's owner and database; only shared ones need them."""
        if name == questions.PERSONAL:
            return questions.LibraryZone(scope="private", zone=ZoneID(zone_name=name))
        if name not in self._libraries:
            for scope in self._scopes:
                for zone in await self._cloud.zones(scope):
                    library = questions.LibraryZone(scope=scope, zone=zone.zone_id)
                    if not zone.deleted:
                        self._libraries[library.name] = library
        if name not in self._libraries:
            raise Retryable(message("iCloud does not list the library {name}", name=name))
        return self._libraries[name]


def split_id(remote_id: str) -> tuple[str, str, str]:
    """(library, asset, file) of a resource's id."""
    library, _, rest = remote_id.partition("/")
    asset, _, word = rest.partition("/")
    return library, asset, word
