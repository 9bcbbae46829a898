"""Make a Syncthing and a phone work for a destination. Every step may be repeated; nothing is done twice.

The same functions serve the command line, the page and the chat: they ask nobody and print nothing.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mediabox.destinations.pixel.answers import DeviceConfig, FolderConfig, FolderDevice, MinDiskFree, Versioning
from mediabox.destinations.pixel.soundness import SENDS_AND_RECEIVES, is_same_folder
from mediabox.errors import NeedsHuman

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.destinations.pixel.answers import PendingDevice
    from mediabox.destinations.pixel.syncthing import Syncthing

MEETING = ("DeviceConnected", "PendingDevicesChanged")
WAKE_S = 15.0  # an event may be lost while Syncthing restarts: look anyway
DEVICE = "destination.device"
FOLDER = "destination.folder"


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A device that asked to connect."""

    device_id: str
    name: str
    address: str
    at: str  # RFC 3339


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """How far two are."""

    box_id: str  # what the phone has to be told
    folder_id: str
    outbox: str
    device_id: str  # the phone's; "" while it is not known
    is_connected: bool
    did: tuple[str, ...]  # what was changed in Syncthing just now
    asking: tuple[Asking, ...]  # who could be the phone, while it is not known
    unanswered: tuple[str, ...] = ()  # settings only a person can know


async def pair(
    client: Syncthing, *, folder_id: str, label: str, outbox: Path, archive: Path, home: Path, device_id: str = ""
) -> Paired:
    """Share the outbox with the phone, as far as that is known.

    `archive` and `home` are never shared. `device_id`: the phone to take; "" keeps the one the folder has.
    Raises NeedsHuman when the outbox cannot be shared, or that is no device id; else as `Syncthing` does.
    """
    did: list[str] = []
    mine = await client.my_id()
    await asyncio.to_thread(refuse_unsharable, client.name, outbox, archive=archive, home=home)
    folder = await _free_folder(client, wanted(folder_id, label, outbox))
    phone = await _accept(client, device_id, mine, did) if device_id else ""
    phone = await _ensure_folder(client, folder, wanted(folder_id, label, outbox), phone=phone, mine=mine, did=did)
    link = (await client.connections()).get(phone) if phone else None
    return Paired(
        box_id=mine,
        folder_id=folder_id,
        outbox=str(outbox),
        device_id=phone,
        is_connected=link is not None and link.connected,
        did=tuple(did),
        asking=() if phone else await asking(client),
    )


def wanted(folder_id: str, label: str, outbox: Path) -> FolderConfig:
    """How the folder has to be set up."""
    return FolderConfig(
        id=folder_id,
        label=label,
        path=str(outbox),
        type=SENDS_AND_RECEIVES,  # else the phone's deletions would not be seen
        ignore_perms=True,  # a phone's storage has none
        ignore_delete=False,
        fs_watcher_enabled=True,
        rescan_interval_s=3600,
        min_disk_free=MinDiskFree(value=1, unit="%"),
        max_conflicts=0,  # no "sync-conflict" copies: a phone would back them up as photos of their own
        versioning=Versioning(),  # what left the phone is in the archive
        order="newestFirst",
        marker_name=".stfolder",
    )


async def asking(client: Syncthing) -> tuple[Asking, ...]:
    """Devices that asked to connect, the latest first."""
    pending = await client.pending_devices()
    latest = sorted(pending.items(), key=lambda one: one[1].time, reverse=True)
    return tuple(_asking(device_id, device) for device_id, device in latest)


async def wait_for(client: Syncthing, *, device_id: str = "", timeout_s: float) -> bool:
    """Wait until the device is connected or, without one, until somebody asks to connect. False: the time is over."""
    now = asyncio.get_running_loop().time
    deadline = now() + timeout_s
    newest = await client.events(0, MEETING, timeout_s=0, limit=1)
    seen = newest[-1].id if newest else 0
    while not await _met(client, device_id):
        if (left_s := deadline - now()) <= 0:
            return False
        events = await client.events(seen, MEETING, timeout_s=min(left_s, WAKE_S))
        seen = events[-1].id if events else seen
    return True


def refuse_unsharable(name: str, outbox: Path, *, archive: Path, home: Path) -> None:
    """Raises NeedsHuman when sharing this folder would share what must stay here, or it is not there. Blocking."""
    if not outbox.is_dir():
        remedy = "Mount its disk; if it is new, start mediabox once (`mediabox run`): it makes the folder."
        raise _refusal(name, f"the outbox {outbox} is not there", remedy)
    inner = Path(os.path.realpath(outbox))
    for place, what in ((archive, "the archive"), (home, "the home folder")):
        outer = Path(os.path.realpath(place))
        if outer.is_relative_to(inner) or (place is archive and inner.is_relative_to(outer)):
            remedy = "Name a folder of its own in `outbox` of this destination: everything in it goes to the phone."
            raise _refusal(name, f"{what} {place} is never shared, and the outbox {outbox} reaches into it", remedy)


async def _free_folder(client: Syncthing, folder: FolderConfig) -> FolderConfig | None:
    """The folder as it is set up already, if it is. Raises NeedsHuman when id or place serves something else."""
    found = None
    for other in await client.folders():
        if other.id != folder.id:
            if await asyncio.to_thread(_overlap, other.path, folder.path):
                told = f"Syncthing shares {other.path} already, as {other.label or other.id!r}"
                remedy = "Remove that folder in Syncthing (its files stay), or name another `outbox`."
                raise _refusal(client.name, f"the outbox {folder.path} cannot be shared: {told}", remedy)
        elif not await asyncio.to_thread(is_same_folder, other.path, Path(folder.path)):
            # To move it would show the phone an empty folder: everything deleted.
            told = f"Syncthing's folder {folder.id!r} lies at {other.path}, the outbox is {folder.path}"
            remedy = "Give the outbox that path, or remove the folder in Syncthing (its files stay) and pair again."
            raise _refusal(client.name, told, remedy)
        else:
            found = other
    return found


async def _accept(client: Syncthing, device_id: str, mine: str, did: list[str]) -> str:
    """Let a device in, without power to bring others along; its id as it is usually spelled."""
    phone = await client.spelled(device_id)
    if phone == mine:
        remedy = "Give the id the phone shows, not the box's."
        raise NeedsHuman(f"{phone} is this box's own Syncthing", issue=DEVICE, subject=client.name, remedy=remedy)
    known = await client.device(phone)
    if known is None:
        asked = (await client.pending_devices()).get(phone)
        name = asked.name if asked and asked.name else client.name
        await client.add_device(DeviceConfig(device_id=phone, name=name))
        did.append(f"accepted the device {name} ({phone})")
    elif changes := _differences(known, DeviceConfig(device_id=phone), ("introducer", "autoAcceptFolders", "paused")):
        await client.change_device(phone, **changes)
        did.append(f"changed of the device {known.name}: {', '.join(changes)}")
    return phone


async def _ensure_folder(
    client: Syncthing, folder: FolderConfig | None, wish: FolderConfig, *, phone: str, mine: str, did: list[str]
) -> str:
    """Set the folder up and share it with the phone. The phone's id, "" when it is not known."""
    devices = folder.devices if folder else (FolderDevice(device_id=mine),)
    others = [one.device_id for one in devices if one.device_id != mine]
    if phone and phone not in others:
        devices = (*devices, FolderDevice(device_id=phone))
    if folder is None:
        await client.add_folder(msgspec.structs.replace(wish, devices=devices))
        did.append(f"made the folder {wish.id} of {wish.path}")
    elif changes := _differences(folder, msgspec.structs.replace(wish, devices=devices)):
        await client.change_folder(wish.id, **changes)
        did.append(f"changed of the folder {wish.id}: {', '.join(changes)}")
    return phone or (others[0] if len(others) == 1 else "")


def _differences(
    now: msgspec.Struct, wish: msgspec.Struct, only: Sequence[str] = (), *, kept: Sequence[str] = ("path", "label")
) -> dict[str, Any]:
    """Fields, in JSON's spelling, that are not as wished. A person may have named and written things otherwise."""
    is_now = msgspec.to_builtins(now)
    fields = msgspec.to_builtins(wish).items()
    return {
        key: value for key, value in fields if is_now[key] != value and key not in kept and (not only or key in only)
    }


async def _met(client: Syncthing, device_id: str) -> bool:
    if not device_id:
        return bool(await client.pending_devices())
    link = (await client.connections()).get(device_id)
    return link is not None and link.connected


def _overlap(one: str, other: str) -> bool:
    """Whether one folder is, or is inside, the other."""
    first, second = (Path(os.path.realpath(os.path.expanduser(path))) for path in (one, other))
    return first.is_relative_to(second) or second.is_relative_to(first)


def _asking(device_id: str, device: PendingDevice) -> Asking:
    return Asking(device_id=device_id, name=device.name, address=device.address, at=device.time)


def _refusal(name: str, message: str, remedy: str) -> NeedsHuman:
    return NeedsHuman(message, issue=FOLDER, subject=name, remedy=remedy)
