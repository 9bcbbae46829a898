"""The folder source: what `contracts.Source` promises, for files in folders."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from mediabox.clock import Clock
from mediabox.contracts import Page, Sink, SourceTools
from mediabox.errors import Away, Permanent
from mediabox.message import Text, message
from mediabox.model.asset import RemoteResource, Resource
from mediabox.model.issue import Issue
from mediabox.model.layouts import Layouts, Reason
from mediabox.model.survey import Survey
from mediabox.sources.folder import mounts, names, pour
from mediabox.sources.folder.blocking import BlockingCall, BlockingCalls
from mediabox.sources.folder.listing import TreeListing
from mediabox.sources.folder.removal import Remover, remove
from mediabox.sources.folder.schedule import RescanSchedule
from mediabox.sources.folder.settings import Settings
from mediabox.sources.folder.settle import Settling
from mediabox.sources.folder.tree import RECONNECT, Tree, show
from mediabox.sources.folder.walk import WalkFindings
from mediabox.sources.folder.watch import Watcher

# A disk that sleeps takes 10 to 20 s to spin up, a NAS behind Wi-Fi longer; past this it is away.
STALL_S = 120.0

T = TypeVar("T")


class Folder:
    """Pictures in one or several folders. One listing at a time; fetches may run beside it.

    `excluded_roots` (archive, home) are never entered, wherever they are. `remover` is
    what unlinks a file durably; only a source that moves needs it.
    """

    mirrors_deletions = False  # a folder has no bin: what is gone may only be away
    resumes = False  # it has no checksum to hold the beginning of an interrupted fetch against

    def __init__(
        self,
        settings: Settings,
        *,
        name: str,
        excluded_roots: Sequence[Path],
        remover: Remover | None = None,
        clock: Clock | None = None,
        filesystem_of: Callable[[str], str] = mounts.filesystem_of,
    ) -> None:
        clock = clock or Clock()
        self.name = name
        self.removes_after_archiving = settings.mode == "move"
        self._settings = settings
        self._part = f"source:{name}"
        self._trees = {tree.key: tree for tree in _trees(settings.trees, part=self._part)}
        self._excluded_roots = tuple(map(str, excluded_roots))
        self._layouts = Layouts(take_in=map(Reason, settings.take_in), exclude=settings.exclude)
        self._remover = remover
        self._settling = Settling(settings.settle_s, clock=clock)
        self._schedule = RescanSchedule(settings, clock=clock)
        self._watcher = Watcher(
            mode=settings.watch, quiet_s=settings.settle_s, layouts=self._layouts, filesystem_of=filesystem_of
        )
        self._blocking = BlockingCalls(stall_s=STALL_S)
        self._buffers = pour.Buffers()
        self._identities: dict[str, tuple[int, int] | None] = {}
        self._complaints: tuple[Issue, ...] = ()
        self.findings = WalkFindings()  # of the last listing, also while it runs
        self.note: Callable[[Reason, str], None] | None = None  # is given each name a listing leaves out, with its path
        self._is_whole = False

    @classmethod
    def build(cls, settings: Settings, tools: SourceTools) -> Self:
        """As configured."""
        return cls(
            settings, name=tools.name, excluded_roots=tools.excluded_roots, clock=tools.clock, remover=tools.remove
        )

    @property
    def unsettled(self) -> int:
        """Files the last listing left out because somebody may still be writing them: list again before giving up."""
        return self._settling.unsettled

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:  # noqa: ARG002 - see below
        """List every file at rest, tree by tree, names sorted, at most 500 a page.

        A folder keeps no record of its changes, so there is no cursor to continue from:
        every listing is whole, at 5 µs of CPU a file (x86) plus one stat. Folders that changed could be
        listed alone, but a missed event would then lose a picture for good.
        """
        self.findings, self._is_whole = WalkFindings(note=self.note), False
        listing = TreeListing(
            tuple(self._trees.values()),
            excluded_roots=self._excluded_roots,
            layouts=self._layouts,
            settling=self._settling,
            watcher=self._watcher,
            findings=self.findings,
        )
        self._schedule.begin()
        is_watched = False
        try:
            while (page := await self._run(listing.page)) is not None:
                if page.assets or page.undecided:
                    yield page
            self._complaints = tuple(listing.complaints())
            self._is_whole = not listing.away
            is_watched = self._watcher.is_complete and not listing.away
        finally:
            listing.close()
            self._identities = listing.identities
            self._schedule.end(is_watched=is_watched, unsettled=self.unsettled)
        if listing.away and not listing.reached:
            raise Away(joined(listing.away), part=self._part, remedy=RECONNECT)

    async def peek(self, resource: RemoteResource) -> bytes:
        """The first 4 KiB at most."""
        tree, parts = self._resolve(resource.remote_id)
        return await self._run(lambda _: pour.head(tree, parts))

    async def fetch(self, resource: Resource, sink: Sink) -> None:
        """Pour the file into `sink`. A chunk is valid during `sink.write` only: the buffer is used again."""
        tree, parts = self._resolve(resource.remote_id)

        def work(call: BlockingCall) -> None:
            buffer = self._buffers.take()
            pour.pour(tree, parts, version=resource.version, sink=sink, buffer=buffer, call=call)
            self._buffers.give(buffer)

        await self._run(work)

    async def remove(self, resource: Resource) -> None:
        """Remove the file if it is still this version. One that is gone already, from a disk that is there, is done.

        Raises Permanent when it changed since, Away, NeedsHuman when the folder may not be written.
        """
        remover = self._remover
        if remover is None or not self.removes_after_archiving:
            raise Permanent(message("{source} keeps its files; nothing is deleted", source=self.name))
        tree, parts = self._resolve(resource.remote_id)
        await self._run(lambda _: remove(tree, parts, archived=resource, remover=remover, source=self.name))

    async def wait(self, timeout_s: float) -> bool:
        """True when something arrived, a disk came or went, or a listing is due; it may take a quiet time longer."""
        due_in_s = self._schedule.due_in_s()
        left_s = min(timeout_s, due_in_s)
        while left_s > 0:
            slice_s = min(left_s, self._settings.poll_s)
            if await self._watcher.changed(slice_s) or await self._is_tree_replaced():
                return True
            left_s -= slice_s
        return due_in_s <= timeout_s

    def complaints(self) -> Sequence[Issue]:
        """What the last whole listing could not reach, and whether the kernel refused to watch."""
        return (*self._complaints, *self._watcher.complaints())

    def survey(self) -> Survey | None:
        """Every name the last listing met; None when it did not reach each folder."""
        return self.findings.survey() if self._is_whole else None

    async def close(self) -> None:
        """Give the kernel's watches back."""
        self._watcher.close()

    async def _is_tree_replaced(self) -> bool:
        """Whether another folder stands at a tree's path than at the last listing: mounted over, unmounted, renamed."""

        def work(_: BlockingCall) -> bool:
            return any(tree.identity() != self._identities.get(key) for key, tree in self._trees.items())

        try:
            return await self._run(work)
        except Away:
            return False  # nobody answers; the next listing says so

    def _resolve(self, remote_id: str) -> tuple[Tree, tuple[str, ...]]:
        key, parts = names.decode(remote_id)
        tree = self._trees.get(key)
        if tree is None:
            raise Permanent(
                message("{path} was in a folder that is no longer part of {source}", path=show(parts), source=self.name)
            )
        return tree, parts

    async def _run(self, work: Callable[[BlockingCall], T]) -> T:
        try:
            return await self._blocking.run(work)
        except TimeoutError as err:
            raise Away(
                message("{source} has not responded for {time:duration}", source=self.name, time=STALL_S),
                part=self._part,
            ) from err


def joined(away: Sequence[Away]) -> Text:
    """Why each tree is away."""
    return away[0].text if len(away) == 1 else "; ".join(map(str, away))


def _trees(paths: Sequence[str], *, part: str) -> list[Tree]:
    """Each is a part of its own that can be away without the others; an only one is the source."""
    if len(paths) == 1:
        return [Tree(paths[0], part=part)]
    return [Tree(path, part=f"{part}/{names.tree_key(os.path.normpath(path))}") for path in paths]
