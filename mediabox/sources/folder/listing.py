"""List all trees of a source, one after the other; a tree that is away costs only itself."""

import threading
from collections.abc import Generator, Sequence
from itertools import islice

from mediabox.contracts import Page
from mediabox.errors import Away
from mediabox.message import message, plural
from mediabox.model.asset import RemoteAsset, RemoteResource
from mediabox.model.issue import Issue
from mediabox.model.layouts import Layouts
from mediabox.sources.folder.blocking import BlockingCall
from mediabox.sources.folder.settle import Settling
from mediabox.sources.folder.tree import Tree
from mediabox.sources.folder.walk import MAX_COMPLAINTS, Forbidden, Walk, WalkFindings, unreadable
from mediabox.sources.folder.watch import Watcher

PORTION = 500  # files or folders looked at for one page: one transaction of intake


class TreeListing:
    """One pass over all trees, taken in portions by threads, one at a time."""

    def __init__(
        self,
        trees: Sequence[Tree],
        *,
        excluded_roots: Sequence[str],
        layouts: Layouts,
        settling: Settling,
        watcher: Watcher,
        findings: WalkFindings,
    ) -> None:
        self.findings = findings
        self.away: list[Away] = []
        self.reached = 0  # trees listed to their end
        self.identities: dict[str, tuple[int, int] | None] = {}  # by tree key: what stood there when we began
        self._trees = trees
        self._excluded_roots = excluded_roots
        self._layouts = layouts
        self._settling = settling
        self._watcher = watcher
        self._resources = self._all()
        self._inside = threading.Lock()

    def page(self, call: BlockingCall) -> Page | None:
        """The next files, perhaps none; None at the end. Blocking."""
        with self._inside:
            looked_at = list(islice(self._resources, PORTION))
            if call.is_stopped:
                self._resources.close()
        return page_of(looked_at) if looked_at else None

    def close(self) -> None:
        """Let go of open folders, unless a thread is inside: it does so itself once it returns."""
        if self._inside.acquire(blocking=False):
            try:
                self._resources.close()
            finally:
                self._inside.release()

    def complaints(self) -> list[Issue]:
        """What could not be reached, for people."""
        more = self.findings.unreadable - MAX_COMPLAINTS
        if more <= 0:
            return self.findings.complaints
        last = Issue(
            key="source.unreadable",
            subject="more folders",
            message=plural(
                "{count:n} more folder is not readable.", "{count:n} more folders are not readable.", count=more
            ),
            remedy=message("Probably for the same reason as the others."),
        )
        return [*self.findings.complaints, last]

    def _all(self) -> Generator[RemoteResource | None, None, None]:
        self._settling.begin()
        self._watcher.begin(self._trees)
        self.identities = {tree.key: tree.identity() for tree in self._trees}
        archive = Forbidden.of(self._excluded_roots)
        for index, tree in enumerate(self._trees):
            if archive.covers(tree.path):
                self.findings.complaints.append(_inside_archive(tree))
                continue
            if any(_is_same(tree, earlier) for earlier in self._trees[:index]):
                continue  # one folder under two names: its files are listed under the first
            others = Forbidden.of([other.path for other in self._trees if other is not tree])
            yield from self._one(tree, forbidden=archive | others)
        self._settling.end()

    def _one(self, tree: Tree, *, forbidden: Forbidden) -> Generator[RemoteResource | None, None, None]:
        walk = Walk(
            tree,
            layouts=self._layouts,
            forbidden=forbidden,
            settling=self._settling,
            findings=self.findings,
            entered=self._watcher.enter,
        )
        try:
            yield from walk.resources()
            self.reached += 1
        except Away as err:
            self.away.append(err)
            self.findings.complaints.append(_missing(tree, err))
        except PermissionError as err:
            self.findings.complaints.append(unreadable(tree.path, err))


def page_of(looked_at: Sequence[RemoteResource | None]) -> Page:
    """One asset for each file; files whose names do not say what they are go to `undecided`."""
    found = [resource for resource in looked_at if resource is not None]
    return Page(
        assets=tuple(
            RemoteAsset(remote_id=resource.remote_id, resources=(resource,)) for resource in found if resource.kind
        ),
        undecided=tuple(resource for resource in found if not resource.kind),
    )


def _is_same(tree: Tree, other: Tree) -> bool:
    identity = tree.identity()
    return tree.path == other.path or (identity is not None and identity == other.identity())


def _missing(tree: Tree, err: Away) -> Issue:
    return Issue(
        key="source.missing",
        subject=tree.part.partition(":")[2],  # as a fetch from it reports it: one issue for both
        message=message("{reason}. Nothing is treated as deleted.", reason=err.text),
        remedy=message("Reconnect or mount it, or remove the folder from the source's settings."),
    )


def _inside_archive(tree: Tree) -> Issue:
    return Issue(
        key="source.inside_archive",
        subject=tree.shown,
        message=message("{path} is inside the archive or the home folder, so it cannot be a source.", path=tree.shown),
        remedy=message("Choose the folder the photos come from; the archive and the home folder may be inside it."),
    )
