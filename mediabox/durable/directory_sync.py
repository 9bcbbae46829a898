"""Make names durable, one fsync for all threads that wait for the same folder.

Invariant: a caller returns only after an fsync that began after it asked. So whoever
asks while one is running shares the next one, never the running one.
"""

import threading

from mediabox.durable.volume import Volume
from mediabox.failpoints import fp

_Key = tuple[Volume, str]  # and the folder, relative to it


class _Round:
    """One fsync and those who wait for it."""

    def __init__(self) -> None:
        self.is_over = False
        self.error: BaseException | None = None

    def has_ended(self) -> bool:
        return self.is_over


class DirectorySync:
    """Combining fsync of folders. One for the whole process; safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._gathering: dict[_Key, _Round] = {}
        self._running: set[_Key] = set()

    def sync(self, volume: Volume, folder: str) -> None:
        """Return once every name that `folder` (relative, '' for the root) had when this was called is durable.

        A failed fsync raises to all who shared it: Away, NeedsHuman. What they published
        must then not be called archived.
        """
        key = (volume, folder)
        with self._changed:
            shared = self._gathering.get(key)
            is_leader = shared is None
            if shared is None:
                shared = self._begin(key)
            else:
                self._changed.wait_for(shared.has_ended)
        if is_leader:
            self._run(key, shared)
        if shared.error is not None:
            with volume.refusals(f"sync folder {folder or '.'}"):
                raise _again(shared.error)
        fp("file.directory_synced")

    def _begin(self, key: _Key) -> _Round:
        """Open a round for others to join and close it when the running one is over. Called with the lock held."""
        mine = self._gathering[key] = _Round()
        self._changed.wait_for(lambda: key not in self._running)
        del self._gathering[key]
        self._running.add(key)
        return mine

    def _run(self, key: _Key, mine: _Round) -> None:
        volume, folder = key
        try:
            volume.sync_directory(folder)
        except BaseException as err:  # noqa: BLE001 - handed on to everyone who shares this round
            mine.error = err
        finally:
            with self._changed:
                self._running.discard(key)
                mine.is_over = True
                self._changed.notify_all()


def _again(err: BaseException) -> BaseException:
    """An error of its own for each thread: a shared one would collect all their tracebacks."""
    return OSError(err.errno, err.strerror, err.filename) if isinstance(err, OSError) else err
