"""Files in the folder that are none of those that are out: what the phone renamed, put into its bin, or brought back.

Android's bin renames in place, to `.trashed-<epoch>-NAME` beside the file (AOSP MediaProvider, util/FileUtils.java,
PATTERN_EXPIRES_FILE; Android 11 and later). The Pixel 1 ends at Android 10, where nothing is left behind.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from mediabox.contracts import Foreign
from mediabox.destinations.pixel.watch import EventMark

if TYPE_CHECKING:
    from collections.abc import Container

    from mediabox.contracts import Lying, Outbox
    from mediabox.destinations.pixel.watch import RemoteChange, Watch

_EXPIRES = re.compile(r"\.(?:pending|trashed)-\d+-([^/]+)", re.IGNORECASE)
_SYNCTHINGS = re.compile(
    r"\.st(?:folder|versions|ignore)(?:/.*)?|(?:.*/)?(?:\.syncthing\.|~syncthing~).*\.tmp", re.DOTALL
)


def name_before(path: str) -> str:
    """What a file in the folder was called before, as far as its path tells: out of the bin, out of folders."""
    name = path.rpartition("/")[2]
    found = _EXPIRES.fullmatch(name)
    return found[1] if found else name


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
        self._deletions: dict[str, RemoteChange] = {}
        self._mark = EventMark()

    async def follow(self, watch: Watch) -> None:
        found = await watch.changes(self._mark)
        self._mark = found.mark
        for one in found.changes:
            name = name_before(one.path)
            if name != one.path:
                since_ms = int(datetime.fromisoformat(one.at).timestamp() * 1000)
                self.renamed[name] = Foreign(path=one.path, name=name, since_ms=since_ms)
            elif one.action == "deleted":
                self._deletions[name] = one
            else:
                self.changed.add(name)

    def proof_of(self, name: str) -> str:
        """Syncthing's own record of a deletion, once; "" when it has none any more."""
        event = self._deletions.pop(name, None)
        return f"; RemoteChangeDetected {event.event_id} at {event.at}" if event else ""


def _text(path: str) -> str:
    """Names that are not UTF-8 cannot be written down."""
    return path.encode(errors="surrogateescape").decode(errors="replace")
