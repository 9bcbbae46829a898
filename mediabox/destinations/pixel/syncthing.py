"""Syncthing's REST API, as far as a destination needs it (https://docs.syncthing.net/dev/rest.html).

Every method raises only Away (not there), NeedsHuman (wrong key, address or folder; `remedy`
says what to do), Retryable (Syncthing's own trouble) and Permanent (a bug of ours). All may be repeated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from mediabox.destinations.pixel import answers
from mediabox.destinations.pixel.connection import CALL_S, Connection
from mediabox.errors import NeedsHuman

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

Told = TypeVar("Told")

SCAN_S = 1800.0  # Syncthing hashes before it answers, on a Pi some 50 MB/s: 90 GB of videos copied at once
PAGE = 1000
LATE_S = 10.0  # an answer to a long poll may be so much later than asked
NOT_IN_INDEX = "No such object in the index"


class Syncthing:
    """A Syncthing to talk to. Opens nothing before the first call."""

    def __init__(self, url: str, key: str, *, name: str, fingerprint: str = "") -> None:
        """`name`: of the destination, for what people read. For the rest see `Connection`."""
        self.name = name
        self.url = url
        self._connection = Connection(url, key, name=name, fingerprint=fingerprint)

    async def close(self) -> None:
        """May be repeated; the next call opens anew."""
        await self._connection.close()

    # ---- itself

    async def status(self) -> answers.SystemStatus:
        """Who it is, and since when it runs."""
        return await self._get(answers.SystemStatus, "system/status")

    async def my_id(self) -> str:
        return (await self.status()).my_id

    async def version(self) -> str:
        """Such as `v1.19.2-ds1`."""
        return (await self._get(answers.SystemVersion, "system/version")).version

    # ---- how it is set up

    async def folders(self) -> tuple[answers.FolderConfig, ...]:
        return await self._get(tuple[answers.FolderConfig, ...], "config/folders")

    async def folder(self, folder_id: str) -> answers.FolderConfig | None:
        """How a folder is set up; None when there is none of this id."""
        return next((one for one in await self.folders() if one.id == folder_id), None)

    async def add_folder(self, folder: answers.FolderConfig) -> None:
        """Set up a folder. Syncthing makes it and its marker, where it has no memory of files in it."""
        await self._connection.tell("POST", "config/folders", body=folder)

    async def change_folder(self, folder_id: str, **changes: Any) -> None:
        """Change these fields (in JSON's spelling) of a folder, nothing else."""
        await self._connection.tell("PATCH", f"config/folders/{quote(folder_id, safe='')}", body=changes)

    async def devices(self) -> tuple[answers.DeviceConfig, ...]:
        """Every device it knows, itself among them."""
        return await self._get(tuple[answers.DeviceConfig, ...], "config/devices")

    async def device(self, device_id: str) -> answers.DeviceConfig | None:
        return next((one for one in await self.devices() if one.device_id == device_id), None)

    async def add_device(self, device: answers.DeviceConfig) -> None:
        await self._connection.tell("POST", "config/devices", body=device)

    async def change_device(self, device_id: str, **changes: Any) -> None:
        """Change these fields (in JSON's spelling) of a device, nothing else."""
        await self._connection.tell("PATCH", f"config/devices/{device_id}", body=changes)

    async def spelled(self, device_id: str) -> str:
        """A device id in its usual spelling, its check digits proved. Raises NeedsHuman when it is none."""
        check = await self._get(answers.DeviceIdCheck, "svc/deviceid", {"id": device_id})
        if not check.id:
            message = f"{device_id!r} is no device id ({check.error or 'refused'})"
            remedy = "Copy it whole from the phone: Syncthing-Fork, menu, Show device ID (eight groups of seven)."
            raise NeedsHuman(message, issue="destination.device", subject=self.name, remedy=remedy)
        return check.id

    async def pending_devices(self) -> Mapping[str, answers.PendingDevice]:
        """Devices that asked to connect and are not set up, by id. Kept until they are set up or dismissed."""
        return await self._get(dict[str, answers.PendingDevice], "cluster/pending/devices")

    # ---- who is there

    async def connections(self) -> Mapping[str, answers.DeviceConnection]:
        """Every device that is set up, by id, whether connected or not."""
        return (await self._get(answers.DeviceConnections, "system/connections")).connections

    async def device_stats(self) -> Mapping[str, answers.DeviceStats]:
        return await self._get(dict[str, answers.DeviceStats], "stats/device")

    # ---- what is in a folder

    async def folder_status(self, folder_id: str) -> answers.FolderStatus:
        return await self._get(answers.FolderStatus, "db/status", {"folder": folder_id})

    async def folder_errors(self, folder_id: str) -> tuple[answers.FileProblem, ...]:
        """Files it could not scan or fetch, the first 1000."""
        query = {"folder": folder_id, "page": "1", "perpage": str(PAGE)}
        return (await self._get(answers.FolderProblems, "folder/errors", query)).errors or ()

    async def scan(self, folder_id: str, *names: str) -> None:
        """Have it look at these files (all, without names). It has seen them when this returns."""
        query = [("folder", folder_id), *(("sub", name) for name in names)]
        await self._connection.tell("POST", "db/scan", query, within_s=SCAN_S)

    async def file(self, folder_id: str, name: str) -> answers.FileState | None:
        """What it knows of a file; None when it never saw it, or does not remember."""
        query = {"folder": folder_id, "file": name}
        return await self._connection.ask(answers.FileState, "db/file", query, missing=NOT_IN_INDEX)

    async def completion(self, folder_id: str, device_id: str) -> answers.Completion:
        return await self._get(answers.Completion, "db/completion", {"folder": folder_id, "device": device_id})

    async def remote_need(self, folder_id: str, device_id: str) -> AsyncIterator[answers.NeededFile]:
        """What a device still has to fetch or delete, page by page. Dear on a large folder."""
        page = 1
        while True:
            query = {"folder": folder_id, "device": device_id, "page": str(page), "perpage": str(PAGE)}
            files = (await self._get(answers.NeededPage, "db/remoteneed", query)).files or ()
            for file in files:
                yield file
            if len(files) < PAGE:
                return
            page += 1

    # ---- what happens

    async def events(
        self, since: int, kinds: Sequence[str], *, timeout_s: float, limit: int = 0
    ) -> tuple[answers.Event, ...]:
        """Events after the one with id `since`, oldest first; with `limit` the newest ones only.

        Waits `timeout_s`, in whole seconds, for the first. Each set of kinds is counted for itself from when it is
        first asked for; the last 1000 are kept, so a gap in the ids means that some were missed.
        """
        return await self._events("events", since, timeout_s, limit, kinds)

    async def disk_events(self, since: int, *, timeout_s: float, limit: int = 0) -> tuple[answers.Event, ...]:
        """The same for `LocalChangeDetected` and `RemoteChangeDetected`, counted from when Syncthing started."""
        return await self._events("events/disk", since, timeout_s, limit, ())

    async def _events(
        self, path: str, since: int, timeout_s: float, limit: int, kinds: Sequence[str]
    ) -> tuple[answers.Event, ...]:
        query = {"since": str(since), "timeout": str(max(0, math.ceil(timeout_s)))}
        query |= {"events": ",".join(kinds)} if kinds else {}
        query |= {"limit": str(limit)} if limit else {}
        return await self._get(tuple[answers.Event, ...], path, query, within_s=max(CALL_S, timeout_s + LATE_S))

    async def _get(
        self, kind: type[Told], path: str, query: Mapping[str, str] | None = None, *, within_s: float = CALL_S
    ) -> Told:
        told = await self._connection.ask(kind, path, query or {}, within_s=within_s)
        assert told is not None, "only a question with `missing` may have no answer"
        return told
