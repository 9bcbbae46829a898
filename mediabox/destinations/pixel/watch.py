"""What happens in a shared folder, without missing anything: as a hint to look, and for the record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from mediabox.destinations.pixel.answers import Event
    from mediabox.destinations.pixel.syncthing import Syncthing

# Not `FolderCompletion` and `FolderSummary`: asking for them has Syncthing count each folder at every change.
# Not `RemoteDownloadProgress`: it says every few seconds that the phone is still fetching.
KINDS = (
    "LocalIndexUpdated",
    "RemoteIndexUpdated",
    "RemoteChangeDetected",
    "ItemFinished",
    "FolderErrors",
    "FolderPaused",
    "FolderResumed",
    "StateChanged",
    "DeviceConnected",
    "DeviceDisconnected",
)
REMOTE = "RemoteChangeDetected"
FAILED = "error"  # of a folder's states; the others come and go with every scan


class EventMark(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where changes were read. Ids begin anew with each run of Syncthing."""

    run: str = ""  # when that run began
    id: int = 0


class Watch:
    """Follows the events of one folder and of its devices' connections."""

    def __init__(self, client: Syncthing, folder_id: str) -> None:
        self._client = client
        self._folder_id = folder_id
        self._run = ""
        self._seen = 0

    async def wait(self, timeout_s: float) -> bool:
        """Sleep until something may have changed (True) or the time is over (False).

        The first call, and each after Syncthing restarted, returns True at once: whatever happens after
        that is seen by the next one. Raises as `Syncthing` does when it goes away meanwhile.
        """
        if await self._is_another_run():
            return True
        now = asyncio.get_running_loop().time
        deadline = now() + timeout_s
        while (left_s := deadline - now()) > 0:
            events = await self._client.events(self._seen, KINDS, timeout_s=left_s)
            if not events:  # nothing; or a run with smaller ids, which would wait for ours for ever
                return await self._is_another_run()
            missed = events[0].id != self._seen + 1
            self._seen = events[-1].id
            if missed or any(self._matters(event) for event in events):
                return True
        return False

    async def changes(self, since: EventMark) -> tuple[tuple[Event, ...], EventMark]:
        """What others changed after a mark, as far as Syncthing remembers (1000 events, until it restarts).

        And the next mark. Each event has its `data`.
        """
        run = (await self._client.status()).start_time
        after = since.id if since.run == run else 0
        events = await self._client.disk_events(after, timeout_s=0)
        found = tuple(event for event in events if self._is_remote(event))
        return found, EventMark(run=run, id=events[-1].id if events else after)

    async def _is_another_run(self) -> bool:
        """Whether Syncthing was started since the last call; if so, follow it from now on."""
        run = (await self._client.status()).start_time
        if run == self._run:
            return False
        newest = await self._client.events(0, KINDS, timeout_s=0, limit=1)
        self._seen = newest[-1].id if newest else 0
        self._run = run
        return True

    def _matters(self, event: Event) -> bool:
        data = event.data
        if data is None or event.type in ("DeviceConnected", "DeviceDisconnected"):
            return True
        if event.type == "StateChanged" and FAILED not in (data.from_, data.to):
            return False
        # FolderPaused and FolderResumed name the folder in `id`
        return self._folder_id in (data.folder, data.id)

    def _is_remote(self, event: Event) -> bool:
        return event.type == REMOTE and event.data is not None and event.data.folder == self._folder_id
