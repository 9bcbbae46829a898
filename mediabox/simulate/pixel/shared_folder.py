"""The folders that a box shares with the phone, as the phone's own Syncthing keeps them.

Syncthing refuses a file that would leave less than `minDiskFree` on its disk ("insufficient space in
folder"), tries again later, and takes what still fits. The simulated limit is made of that: `minDiskFree` is
what the real disk has free and the phone has not. Others write to that disk too, so it is set anew when it
misleads; a phone without room takes nothing, whatever the disk does.
"""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from mediabox.simulate.pixel.camera_roll import CAMERA

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mediabox.simulate.pixel.syncthing_process import RealSyncthing

FIRST = "mediabox"  # where the first folder goes, under DCIM
_REFUSAL = "insufficient space"
_NOTHING = {"value": 100, "unit": "%"}
_SLACK_SHARE = 100  # a hundredth of what is free: less is not worth starting a folder anew
_PAGE = 1000

Floor = dict[str, Any]  # Syncthing's Size: value and unit


class FolderState(msgspec.Struct, frozen=True, kw_only=True):
    """One shared folder as the phone's Syncthing has it."""

    id: str
    path: str  # relative to the phone's shared storage
    state: str  # idle, scanning, syncing, error …
    error: str  # of the folder as a whole
    files: int
    need_files: int
    need_bytes: int
    refused: tuple[str, ...]  # names that did not fit


class SharedFolders:
    """Accepts what boxes offer and keeps it within the phone's limits."""

    def __init__(self, syncthing: RealSyncthing, root: Path, *, folder_type: str, is_watched: bool) -> None:
        self._syncthing = syncthing
        self._folder_type = folder_type
        self._is_watched = is_watched
        self._root = root
        self._floors: dict[str, Floor] = {}

    async def accept(self, *, room_bytes: int) -> None:
        """Say yes to every device and folder that waits for it, as a person does on the phone."""
        rest = self._syncthing.rest
        for device, offer in (await rest.get("/rest/cluster/pending/devices")).items():
            await self._syncthing.add_device(device, name=str(offer.get("name") or "box"))
        for folder, offer in (await rest.get("/rest/cluster/pending/folders")).items():
            floor = self._floors[folder] = self._floor(room_bytes)
            path = self._root / CAMERA / (folder if await self._ids() else FIRST)
            await self._syncthing.share_folder(
                folder,
                path,
                devices=tuple(offer["offeredBy"]),
                type=self._folder_type,
                minDiskFree=floor,
                fsWatcherEnabled=self._is_watched,
                fsWatcherDelayS=1,
            )

    async def keep_within(self, room_bytes: int) -> None:
        """Let Syncthing take this much more, and say so where it would go by something else."""
        for state in await self.states():
            floor = self._floors.get(state.id)
            wanted = self._floor(room_bytes)
            if floor is None or _misleads(floor, wanted, state, room_bytes=room_bytes):
                await self._syncthing.rest.patch(f"/rest/config/folders/{state.id}", {"minDiskFree": wanted})
                self._floors[state.id] = wanted

    async def change_type(self, folder_type: str) -> None:
        """`sendreceive`, `receiveonly`."""
        for folder in await self._ids():
            await self._syncthing.rest.patch(f"/rest/config/folders/{folder}", {"type": folder_type})

    async def ignore(self, patterns: Sequence[str]) -> None:
        """As `.stignore` has them, one a line."""
        for folder in await self._ids():
            await self._syncthing.rest.post("/rest/db/ignores", {"ignore": list(patterns)}, folder=folder)

    async def rescan(self) -> None:
        """Have Syncthing see now what happened to the files: its watcher holds deletions back for a minute."""
        for folder in await self._ids():
            await self._syncthing.scan(folder)

    async def states(self) -> list[FolderState]:
        return [await self._state(folder) for folder in await self._ids()]

    async def _state(self, folder: str) -> FolderState:
        rest = self._syncthing.rest
        status = await rest.get("/rest/db/status", folder=folder)
        config = await rest.get(f"/rest/config/folders/{folder}")
        errors: list[dict[str, str]] = []
        if status.get("pullErrors"):
            errors = (await rest.get("/rest/folder/errors", folder=folder, perpage=_PAGE)).get("errors") or []
        return FolderState(
            id=folder,
            path=PurePath(config["path"]).relative_to(self._root).as_posix(),
            state=status["state"],
            error=status.get("error") or status.get("invalid") or "",
            files=status["localFiles"],
            need_files=status["needFiles"],
            need_bytes=status["needBytes"],
            refused=tuple(each["path"] for each in errors if _REFUSAL in each["error"]),
        )

    async def _ids(self) -> list[str]:
        return [folder["id"] for folder in await self._syncthing.rest.get("/rest/config/folders")]

    def _floor(self, room_bytes: int) -> Floor:
        if not room_bytes:
            return _NOTHING
        real = os.statvfs(self._root)
        return {"value": max(0, real.f_bavail * real.f_frsize - room_bytes), "unit": ""}


def _misleads(floor: Floor, wanted: Floor, state: FolderState, *, room_bytes: int) -> bool:
    """Whether what Syncthing goes by would make it take too much, or refuse what fits. Pure."""
    if _NOTHING in (floor, wanted):
        return floor != wanted
    off = wanted["value"] - floor["value"]
    slack = room_bytes // _SLACK_SHARE
    is_too_strict = off < -slack and bool(state.refused)
    is_too_lax = off > slack and state.need_bytes > room_bytes
    return is_too_strict or is_too_lax
