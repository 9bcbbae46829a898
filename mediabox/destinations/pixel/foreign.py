"""Files in the folder that are none of those that are out: what the phone renamed, put into its bin, or brought back.

Android's bin renames in place, to `.trashed-<epoch>-NAME` beside the file (AOSP MediaProvider, util/FileUtils.java,
PATTERN_EXPIRES_FILE; Android 11 and later). The Pixel 1 ends at Android 10, where nothing is left behind.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediabox.contracts import Foreign
from mediabox.destinations.pixel.watch import EventMark

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from mediabox.contracts import Lying, Outbox
    from mediabox.destinations.pixel.answers import Event
    from mediabox.destinations.pixel.watch import Watch

_EXPIRES = re.compile(r"\.(?:pending|trashed)-\d+-([^/]+)", re.IGNORECASE)
# Made where both sides changed a file (Syncthing, lib/model/folder_sendrecv.go, conflictName).
_CONFLICT = re.compile(r"\.sync-conflict-\d{8}-\d{6}-[A-Z2-7]{7}")
_SYNCTHINGS = re.compile(
    r"\.st(?:folder|versions|ignore)(?:/.*)?|(?:.*/)?(?:\.syncthing\.|~syncthing~).*\.tmp", re.DOTALL
)

TOGETHER_MS = 10_000  # Syncthing carries out at once what one scan of the phone found, and writes it down in seconds


def name_before(path: str) -> str:
    """What a file in the folder was called before, as far as its path tells: out of the bin, folders, a conflict."""
    name = path.rpartition("/")[2]
    found = _EXPIRES.fullmatch(name)
    return _CONFLICT.sub("", found[1] if found else name)


class ForeignFiles:
    """Over one outbox. Each is read once, for its digest."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._digests: dict[tuple[str, Lying], str] = {}

    async def find(self, ours: Container[str]) -> list[Foreign]:
        """All there are but `ours` and Syncthing's own. Raises Away, NeedsHuman."""
        files = await self._outbox.files()
        there = [(path, lying) for path, lying in files.items() if path not in ours and not _SYNCTHINGS.fullmatch(path)]
        self._digests = {each: await self._digest(*each) for each in there}
        return [
            Foreign(path=_text(path), name=_text(name_before(path)), digest=digest, since_ms=lying.changed_at_ms)
            for (path, lying), digest in self._digests.items()
        ]

    async def _digest(self, path: str, lying: Lying) -> str:
        known = self._digests.get((path, lying))
        if known is not None:
            return known
        try:
            return (await self._outbox.read(path)).digest
        except FileNotFoundError:  # gone again
            return ""


class Traces:
    """What events tell of names: a hint that may be missing, of what the folder shows no more when we look.

    `changed`: names whose bytes the phone may have changed. `renamed`: what was seen elsewhere, by the name before.
    """

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.renamed: dict[str, Foreign] = {}
        self._came_ms: dict[str, int] = {}
        self._deletions: dict[str, Event] = {}
        self._mark = EventMark()

    async def follow(self, watch: Watch) -> None:
        changes, self._mark = await watch.changes(self._mark)
        self.note(changes)

    def note(self, changes: Iterable[Event]) -> None:
        for one in changes:
            assert one.data is not None, "by `Watch.changes`"
            path, name = one.data.path, name_before(one.data.path)
            if name != path:
                self.renamed[name] = Foreign(path=path, name=name, since_ms=one.at_ms)
            elif one.data.action == "deleted":
                self._deletions[name] = one
            else:
                self.changed.add(name)
                self._came_ms[name] = one.at_ms

    def deleted_ms(self, name: str) -> int | None:
        """When its deletion reached the box; None where no event tells."""
        event = self._deletions.get(name)
        return event.at_ms if event else None

    def renamed_to(self, name: str, known: Container[str]) -> str:
        """A file that came just when this name went, and is gone: renamed, and deleted then. "" where there is none.

        `known`: names that are ours, or lie there still and so tell by their bytes what they are.
        """
        went_ms = self.deleted_ms(name)
        if went_ms is None:
            return ""
        came = (path for path, came_ms in self._came_ms.items() if abs(came_ms - went_ms) <= TOGETHER_MS)
        return next((path for path in came if path != name and path not in known), "")

    def proof_of(self, name: str) -> str:
        """Syncthing's own record of a deletion, once; "" when it has none any more."""
        event = self._deletions.pop(name, None)
        return f"; RemoteChangeDetected {event.id} at {event.time}" if event else ""


def _text(path: str) -> str:
    """Names that are not UTF-8 cannot be written down."""
    return path.encode(errors="surrogateescape").decode(errors="replace")
