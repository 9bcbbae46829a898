"""Write down one page of a source: files, what it says of them, what became of them, albums.

Runs inside the transaction that stores the page's cursor. Everything may be told
twice, and in any order: what is known already changes nothing and costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from mediabox.core import deletion, plan
from mediabox.model.asset import ResourceState, Turn
from mediabox.model.naming import stem
from mediabox.model.said import Presence, Said
from mediabox.store import assets, jobs, journal, listings, told, trash

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable, Sequence

    from mediabox.contracts import Page
    from mediabox.model.asset import Membership, RemoteAlbum, RemoteAsset, RemoteChange, RemoteResource
    from mediabox.model.job import JobRequest
    from mediabox.store.told import Told

ALBUMS = "albums"


class Telling:
    """A page on its way into the catalogue. `source`: its row; `mirroring`: sources whose deletions count."""

    def __init__(
        self, connection: sqlite3.Connection, source: int, *, now_ms: int, mirroring: Container[str] = ()
    ) -> None:
        self._connection, self._source, self._now_ms = connection, source, now_ms
        self._mirroring = mirroring
        self._news: dict[int, dict[str, None]] = {}  # asset id -> what is said of it anew, in order

    def take_in(self, page: Page) -> None:
        """All of a page but its undecided files and its cursor."""
        for asset in page.assets:
            self.asset(asset)
        for change in page.changes:
            self._change(change)
        for album in page.albums:
            self._album(album)
        for membership in page.memberships:
            self._membership(membership)
        self._report_news()

    # ------------------------------------------------------------ assets

    def asset(self, asset: RemoteAsset) -> None:
        """Take in one asset's files that are new. Its first telling by a source that says more makes its row."""
        if asset.said is None:
            self._take_files(asset, None)
            return
        row = told.find(self._connection, self._source, asset.remote_id)
        if row is None:
            row = self._welcome(asset, asset.said)
        else:
            self._hear(row, asset.said)
            if row.presence is not Presence.PRESENT:  # a listing has only what is there
                self._restored(row, at_ms=self._now_ms)
        told.set_change_tag(self._connection, row.id, asset.change_tag)
        self._take_files(asset, row)

    def _welcome(self, asset: RemoteAsset, said: Said) -> Told:
        """An asset told of for the first time: ours already under another id, or by its files, or new."""
        connection, remote_ids = self._connection, [each.remote_id for each in asset.resources]
        moved = self._moved_here(said, asset)
        known = moved.asset_id if moved else told.asset_of_files(connection, self._source, remote_ids)
        asset_id = known if known is not None else assets.add_asset(connection)
        row = told.add(connection, self._source, asset, asset_id=asset_id, at_ms=self._now_ms)
        for each in asset.resources:
            told.bind(connection, self._source, row, each.remote_id, role=each.role)
        if moved is not None:
            self._hand_over(moved, row, asset.resources)
        if known is not None:
            self._news.setdefault(asset_id, {})
        return row

    def _hear(self, row: Told, said: Said) -> None:
        """Keep what is said now, and note what of it is new."""
        if row.said == said:
            return
        told.set_said(self._connection, row, said)
        changed = [name for name in Said.__struct_fields__ if getattr(said, name) != getattr(row.said, name)]
        self._news.setdefault(row.asset_id, {}).update({name.removeprefix("is_"): None for name in changed})

    def _take_files(self, asset: RemoteAsset, row: Told | None) -> None:
        connection, asset_id = self._connection, row.asset_id if row else None
        known = listings.known_versions(connection, self._source, [each.remote_id for each in asset.resources])
        for remote in asset.resources:
            if remote.version in known.get(remote.remote_id, ()):
                continue
            resource_id = assets.renew(connection, self._source, remote)
            if resource_id is None:
                asset_id = asset_id or assets.add_asset(connection)
                resource_id = assets.add_resource(
                    connection,
                    asset_id,
                    self._source,
                    remote,
                    stem=stem(remote.name),
                    at_ms=self._now_ms,
                    remote_asset_id=row.id if row else None,
                )
            self._note("taken_in", asset_id, resource_id=resource_id, name=remote.name, from_=remote.remote_id)
            if remote.kind is not None and not (row and self._is_kept(row, resource_id, remote)):
                self._queue(plan.after_taking_in(resource_id, remote.kind))

    def _is_kept(self, row: Told, resource_id: int, remote: RemoteResource) -> bool:
        """Whether the very same version is ours by another of the source's assets: then nothing is fetched."""
        if row.said.content_id is None:
            return False
        twin = told.kept_twin(self._connection, self._source, row.said.content_id, remote.version)
        if twin is None or twin.digest is None or twin.id == resource_id:
            return False
        assets.set_duplicate(
            self._connection, resource_id, of=twin.id, digest=twin.digest, size_bytes=twin.size_bytes or 0
        )
        self._note("duplicate", row.asset_id, resource_id=resource_id, sha256=twin.digest, of=twin.id)
        if twin.state is ResourceState.TRASHED:
            self._queue(deletion.follow(self._connection, twin.asset_id, self._mirroring, now_ms=self._now_ms))
        return True

    # ------------------------------------------------------------ what became of them

    def _change(self, change: RemoteChange) -> None:
        row = told.find(self._connection, self._source, change.remote_id)
        if row is None:
            return
        match change.turn:
            case Turn.RESTORED:
                if row.presence is not Presence.PRESENT:
                    self._restored(row, at_ms=change.at_ms)
            case Turn.TRASHED:
                self._gone(row, Presence.TRASHED, at_ms=change.at_ms)
            case Turn.PURGED:
                if row.presence is not Presence.MOVED:  # what moved is purged where it was; it is elsewhere
                    self._gone(row, Presence.PURGED, at_ms=change.at_ms)
            case Turn.MOVED:
                self._moved(row, at_ms=change.at_ms)
            case turn:
                assert_never(turn)

    def _restored(self, row: Told, *, at_ms: int) -> None:
        self._turn(row, Presence.PRESENT, "restored_at_source", at_ms=at_ms)
        for one in told.files_of(self._connection, row):
            keeper = assets.resource(self._connection, one.duplicate_of) if one.duplicate_of else one
            if keeper is None or keeper.state is ResourceState.REMOVED:
                trash.begin_again(self._connection, one.id)
                self._queue(plan.after_taking_in(one.id, one.kind))
        self._queue(deletion.follow(self._connection, row.asset_id, self._mirroring, now_ms=self._now_ms))

    def _gone(self, row: Told, presence: Presence, *, at_ms: int) -> None:
        if row.presence is presence or (row.presence, presence) == (Presence.PURGED, Presence.TRASHED):
            return
        self._turn(row, presence, f"{presence.value}_at_source", at_ms=at_ms)
        self._queue(deletion.follow(self._connection, row.asset_id, self._mirroring, now_ms=self._now_ms))

    def _turn(self, row: Told, presence: Presence, event: str, *, at_ms: int) -> None:
        told.set_presence(self._connection, row, presence, at_ms=at_ms)
        self._note(event, row.asset_id, source=row.source, remote_id=row.remote_id, since_ms=at_ms)

    # ------------------------------------------------------------ from one library to another

    def _moved_here(self, said: Said, asset: RemoteAsset) -> Told | None:
        """What this asset was before it moved, when that was told first."""
        if said.content_id is None:
            return None
        same = told.of_content(self._connection, self._source, said.content_id)
        left = [one for one in same if one.presence is Presence.MOVED and one.moved_to is None]
        library = asset.remote_id.rpartition("/")[0]
        return next((one for one in left if one.library != library), None)

    def _moved(self, row: Told, *, at_ms: int) -> None:
        """It left its library. What it has become may have been told before, or comes later."""
        if row.presence is Presence.MOVED:
            return
        self._turn(row, Presence.MOVED, "moved_at_source", at_ms=at_ms)
        successor = self._arrived(row)
        if successor is None:
            return
        told.set_moved_to(self._connection, row, successor)
        for one in assets.members(self._connection, successor.asset_id):
            assets.join(self._connection, one.id, row.asset_id, one.role)
            self._note("joined", row.asset_id, resource_id=one.id, role=one.role, left=successor.asset_id)
        self._news.setdefault(row.asset_id, {})

    def _arrived(self, row: Told) -> Told | None:
        """The asset in another library that this one has become. The phone's own Duplicate stays in the same."""
        if row.said.content_id is None:
            return None
        same = told.of_content(self._connection, self._source, row.said.content_id)
        others = [
            one
            for one in same
            if one.presence is Presence.PRESENT
            and one.library != row.library
            and not told.has_predecessor(self._connection, one)
        ]
        alike = [one for one in others if one.said == row.said]
        return next(iter(alike or others), None)

    def _hand_over(self, moved: Told, row: Told, resources: Sequence[RemoteResource]) -> None:
        """The files go by the ids of the place they are in now; the bytes are those we have."""
        known = listings.known_versions(self._connection, self._source, [each.remote_id for each in resources])
        by_version = {each.version: each for each in resources if each.version not in known.get(each.remote_id, ())}
        for one in told.files_of(self._connection, moved):
            now = by_version.pop(one.version, None)
            told.hand_over(self._connection, one.id, row, now.remote_id if now else None)
        told.set_moved_to(self._connection, moved, row)
        self._note("arrived_at_source", row.asset_id, source=row.source, remote_id=row.remote_id)

    # ------------------------------------------------------------ albums

    def _album(self, album: RemoteAlbum) -> None:
        before = told.assets_below(self._connection, self._source, album.remote_id)
        if told.put_album(self._connection, self._source, album):
            for asset_id in before:
                self._news.setdefault(asset_id, {})[ALBUMS] = None

    def _membership(self, membership: Membership) -> None:
        if not told.put_membership(self._connection, self._source, membership):
            return
        row = told.find(self._connection, self._source, membership.asset_id)
        if row is not None:
            self._news.setdefault(row.asset_id, {})[ALBUMS] = None

    def _report_news(self) -> None:
        for asset_id, changed in self._news.items():
            if changed:
                self._note("told", asset_id, changed=list(changed))
            if any(one.state is ResourceState.ARCHIVED for one in assets.members(self._connection, asset_id)):
                self._queue(plan.after_joining(asset_id, now_ms=self._now_ms))

    # ------------------------------------------------------------ rows

    def _queue(self, requests: Iterable[JobRequest]) -> None:
        for request in requests:
            # A fetch under way that is of an older version says so itself when it ends (`commit.is_outdated`).
            jobs.add(self._connection, request, renews=request.step != "fetch")

    def _note(self, event: str, asset_id: int | None, *, resource_id: int | None = None, **fields: object) -> None:
        journal.append(
            self._connection, event, at_ms=self._now_ms, resource_id=resource_id, asset_id=asset_id, **fields
        )
