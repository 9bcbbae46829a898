"""What the stages that write text files need to know of an asset or a folder, read from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.contracts import Member
from mediabox.core.company import by_rank, capture_time
from mediabox.core.informed import informed
from mediabox.model.asset import ResourceState
from mediabox.model.facts import Facts
from mediabox.model.manifest import Sum
from mediabox.model.said import Said
from mediabox.model.sidecar import Description, SidecarMember, SidecarRecord
from mediabox.model.version import VERSION
from mediabox.store import assets, copies, examined, told

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    from mediabox.store.database import Database

    T = TypeVar("T")

OWNERS_XMP = ".source.xmp"  # how the owner's own sidecars end in the archive


class Catalogue:
    """For the stages `describe` and `manifest`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def description(self, asset_id: int) -> Description | None:
        """What an asset's sidecar has to say, and where; None while none of its files is archived."""
        return await self._database.read(lambda connection: describe(connection, asset_id))

    async def moves(self, resource_id: int) -> tuple[str | None, str | None]:
        """The path a file is to have, and the one it had before and may still be found at."""
        return await self._database.read(lambda connection: assets.moves(connection, resource_id))

    async def sums(self, folder: str) -> Sequence[Sum]:
        """Every archived original directly in a folder."""
        listed = await self._database.read(lambda connection: copies.in_folder(connection, folder))
        return [Sum(name=path.rpartition("/")[2], digest=digest) for path, digest in listed]


def describe(connection: sqlite3.Connection, asset_id: int) -> Description | None:
    """See `Catalogue.description`."""
    filed = archived(connection, asset_id)
    path = next((path for one in filed if (path := assets.sidecar_path(connection, one.resource.id))), None)
    if path is None:
        return None
    owners = _owners_xmps(filed)
    written = {sidecar.path: sidecar for sidecar in copies.sidecars_of(connection, asset_id)}
    return Description(
        record=record_of(connection, asset_id, filed, merged=owners),
        path=path,
        written_digest=written[path].digest if path in written else None,
        source_path=owners[0].resource.path if owners else None,
        stale=tuple(old for old in written.values() if old.path != path),
    )


def archived(connection: sqlite3.Connection, asset_id: int) -> list[Member]:
    """An asset's files in the archive with what their own bytes say, the one that stands for it first."""
    filed = [
        Member(resource=one, facts=examined.facts(connection, one.id))
        for one in assets.members(connection, asset_id)
        if one.state is ResourceState.ARCHIVED
    ]
    return by_rank(filed)


def _owners_xmps(filed: Iterable[Member]) -> list[Member]:
    """The owner's XMP that was changed last, and earlier versions of the same file: nobody hears those any more."""
    owners = [one for one in filed if (one.resource.path or "").endswith(OWNERS_XMP)]
    owners.sort(key=lambda one: one.resource.modified_at_ms or 0, reverse=True)
    return [one for one in owners if one.resource.remote_id == owners[0].resource.remote_id]


def record_of(
    connection: sqlite3.Connection,
    asset_id: int,
    filed: Sequence[Member],
    *,
    merged: Sequence[Member] = (),
    is_listed: bool = True,
) -> SidecarRecord:
    """The members' facts as one: the picture's own words first, then what sidecars add.

    `is_listed`: with the files themselves, too.

    Title and caption at the source come before all of these: there a person wrote them,
    or changed them. The owner's XMP, `merged`, is merged as text, with all it holds, so
    its words are not repeated here.
    """
    said = told.said_of(connection, asset_id)
    taken = capture_time(filed, said)
    known = [informed(one.facts, said) for one in filed if one.facts and one not in merged]
    albums = told.albums_of(connection, asset_id) if said is not None else ()
    said = said or Said()
    return SidecarRecord(
        members=tuple(_member(connection, one) for one in filed if is_listed),
        mediabox_version=VERSION,
        filed_at_ms=min((assets.times(connection, one.resource.id)[1] for one in filed if is_listed), default=0),
        capture_time=taken,
        place=_first(known, lambda facts: facts.place),
        camera=_first(known, lambda facts: facts.camera),
        rating=_first(known, lambda facts: facts.rating),
        title=said.title or _first(known, lambda facts: facts.title),
        caption=said.caption or _first(known, lambda facts: facts.caption),
        keywords=_union((said.keywords, *(facts.keywords for facts in known))),
        people=_union(facts.people for facts in known),
        is_favorite=said.is_favorite or any(facts.is_favorite for facts in known),
        albums=albums,
    )


def _member(connection: sqlite3.Connection, member: Member) -> SidecarMember:
    resource = member.resource
    return SidecarMember(
        path=resource.path or "",
        sha256=resource.digest or "",
        size_bytes=resource.size_bytes or 0,
        role=resource.role,
        kind=resource.kind,
        media_type=member.facts.media_type if member.facts else "application/octet-stream",
        original_name=resource.name,
        source=resource.source,
        remote_id=resource.remote_id,
        version=resource.version,
        taken_in_at_ms=assets.times(connection, resource.id)[0],
        modified_at_ms=resource.modified_at_ms,
    )


def _first(known: Iterable[Facts], of: Callable[[Facts], T | None]) -> T | None:
    return next((value for facts in known if (value := of(facts)) is not None), None)


def _union(words: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for some in words for word in some))
