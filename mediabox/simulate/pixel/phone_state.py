"""The phone as a script sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.simulate.pixel.generation import Model
from mediabox.simulate.pixel.shared_folder import FolderState

if TYPE_CHECKING:
    from mediabox.simulate.pixel.phone import Phone


class PhoneState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a script may want to know. Sizes in bytes."""

    model: Model
    android: int
    now_ms: int
    is_on: bool
    is_running: bool  # Syncthing is
    is_reachable: bool
    is_stalled: bool  # the media scanner finds nothing by itself
    device_id: str
    address: str
    connected: tuple[str, ...]  # device ids of boxes
    storage_bytes: int
    free_bytes: int
    on_phone: int
    in_bin: int
    known: int  # to the media scanner
    waiting: int  # for the backup
    backed_up: int
    freed: int  # by Free up space, since it was started
    battery_percent: float
    battery_celsius: float
    is_charging: bool
    folders: tuple[FolderState, ...]


async def state_of(phone: Phone) -> PhoneState:
    """All of it as it is now. Raises Retryable when its Syncthing is just coming or going."""
    files = await phone.files()
    known = phone.media_store.known()
    is_running = phone.syncthing.is_running
    return PhoneState(
        model=phone.model,
        android=phone.android,
        now_ms=phone.now_ms(),
        is_on=phone.is_on,
        is_running=is_running,
        is_reachable=phone.is_reachable,
        is_stalled=phone.media_store.is_stalled,
        device_id=phone.syncthing.device_id,
        address=phone.syncthing.address,
        connected=tuple(await phone.syncthing.connected()) if is_running else (),
        storage_bytes=phone.storage.size_bytes,
        free_bytes=await phone.free_bytes(),
        on_phone=len(files),
        in_bin=len(phone.bin.pictures()),
        known=len(known),
        waiting=len(phone.photos.waiting(known)),
        backed_up=len(phone.backups()),
        freed=phone.freed,
        battery_percent=round(phone.battery.percent, 1),
        battery_celsius=round(phone.battery.celsius, 1),
        is_charging=phone.battery.is_charging,
        folders=tuple(await phone.folders.states()) if is_running else (),
    )
