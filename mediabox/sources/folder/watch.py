"""Hear from the kernel when something arrives, as far as it can tell (inotify(7))."""

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from mediabox.message import message
from mediabox.model.issue import Issue
from mediabox.model.layouts import Layouts
from mediabox.sources.folder import mounts
from mediabox.sources.folder.tree import Tree

try:
    from asyncinotify import Inotify, Mask
except ImportError:  # not on this box: folders are listed at intervals
    HAS_INOTIFY = False
else:
    HAS_INOTIFY = True
    # What brings a new file or version: written and closed, moved in, made (a folder, a hard link).
    # A tree that goes away tells too; files that go do not matter to a source.
    _ARRIVALS = Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.CREATE | Mask.ONLYDIR | Mask.DONT_FOLLOW | Mask.EXCL_UNLINK
    _TREE = Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.CREATE | Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ONLYDIR
    _ALWAYS = Mask.Q_OVERFLOW | Mask.UNMOUNT | Mask.DELETE_SELF | Mask.MOVE_SELF

_LIMITS = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_LIMIT_FILE = Path("/proc/sys/fs/inotify/max_user_watches")
LONGEST_BURST = 12  # quiet times: a copy that never pauses is looked at all the same


class Watcher:
    """inotify watches on every folder a listing entered. Quiet where the kernel cannot tell: see `is_complete`."""

    def __init__(
        self,
        *,
        mode: str,
        quiet_s: float,
        layouts: Layouts,
        filesystem_of: Callable[[str], str] = mounts.filesystem_of,
    ) -> None:
        self._mode = mode
        self._quiet_s = quiet_s
        self._layouts = layouts
        self._filesystem_of = filesystem_of
        self._inotify: "Inotify | None" = None
        self._watched: frozenset[str] = frozenset()  # keys of trees
        self._refused_at: str | None = None  # the limit that was hit, as the kernel writes it
        self.is_complete = False  # every tree of the last listing is watched

    def begin(self, trees: Sequence[Tree]) -> None:
        """Start a listing: find out where watching makes sense. Blocking."""
        self._watched = frozenset(tree.key for tree in trees if self._is_watchable(tree))
        if self._refused_at is not None and _limit() != self._refused_at:
            self._refused_at = None  # a person raised it: try again
        self.is_complete = self._refused_at is None and len(self._watched) == len(trees)

    def enter(self, tree: Tree, folder: str) -> None:
        """Watch one folder, before it is read. Free when it is watched already. Blocking."""
        if self._refused_at is None and tree.key in self._watched:
            self._watch(os.path.join(tree.path, folder), _ARRIVALS if folder else _TREE)

    async def changed(self, timeout_s: float) -> bool:
        """True once something arrived and all has been quiet for a while; False when the time is over."""
        if not await self._arrival(timeout_s):
            return False
        for _ in range(LONGEST_BURST):
            if not await self._arrival(self._quiet_s):
                break
        return True

    def complaints(self) -> list[Issue]:
        """Says so when the kernel refused further watches."""
        if self._refused_at is None:
            return []
        return [
            Issue(
                key="source.watch_limit",
                subject="inotify",
                message=message(
                    "The system watches only {limit:n} folders for changes; the others are checked at intervals.",
                    limit=self._refused_at,
                ),
                remedy=message(
                    "Run `sudo sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512`, and "
                    "put both settings into /etc/sysctl.d/60-mediabox.conf."
                ),
            )
        ]

    def close(self) -> None:
        """Give all watches back to the kernel."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None

    def _is_watchable(self, tree: Tree) -> bool:
        match self._mode if HAS_INOTIFY else "poll":
            case "poll":
                return False
            case "inotify":
                return True
            case _:
                return mounts.is_watchable(self._filesystem_of(tree.path))

    def _watch(self, path: str, mask: "Mask") -> None:
        try:
            if self._inotify is None:
                self._inotify = Inotify(sync_timeout=0)
            self._inotify.add_watch(path, mask)
        except OSError as err:
            if err.errno in _LIMITS:
                self._refused_at = _limit()
                self.close()
            self.is_complete = False  # or the folder is gone by now, or closed to us: the listing will say so

    async def _arrival(self, timeout_s: float) -> bool:
        if self._inotify is None:
            await asyncio.sleep(timeout_s)
            return False
        try:
            async with asyncio.timeout(timeout_s):
                while not self._drain(self._inotify):
                    await _readable(self._inotify.fd)
        except TimeoutError:
            return False
        return True

    def _drain(self, inotify: "Inotify") -> bool:
        """Take all events that wait; whether one of them matters. Synchronous, so none is lost to a cancellation."""
        matters = False
        while (event := inotify.sync_get()) is not None:
            matters |= bool(event.mask & _ALWAYS) or (event.name is not None and self._is_wanted(str(event.name)))
        return matters

    def _is_wanted(self, name: str) -> bool:
        return self._layouts.reason(name, (), frozenset, is_folder=False) is None


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


def _limit() -> str:
    try:
        return _LIMIT_FILE.read_text(encoding="ascii").strip()
    except OSError:
        return "?"
