"""A box's Syncthing and a phone on loopback, paired and sharing one folder."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mediabox.simulate.pixel.phone import Habits, Phone
from mediabox.simulate.pixel.syncthing_process import RealSyncthing, is_installed

needs_syncthing = pytest.mark.skipif(not is_installed(), reason="syncthing is not installed")
FOLDER = "mediabox-anna"
SHARED = "DCIM/mediabox"


class Pair:
    """What a test holds: the box's side, the phone, and the folder between them."""

    def __init__(self, box: RealSyncthing, phone: Phone, outbox: Path) -> None:
        self.box = box
        self.phone = phone
        self.outbox = outbox

    async def share(self) -> None:
        """Offer the outbox; the phone accepts at its next tick."""
        await self.box.share_folder(FOLDER, self.outbox, devices=(self.phone.syncthing.device_id,))

    async def put(self, *files: Path) -> list[str]:
        """Into the outbox; their names on the phone."""
        for file in files:
            shutil.copy2(file, self.outbox / file.name)
        await self.box.scan(FOLDER)
        return [f"{SHARED}/{file.name}" for file in files]

    async def until_on_phone(self, *names: str) -> None:
        async def is_there() -> bool:
            await self.phone.tick(0)
            return set(names) <= set(await self.phone.files())

        await self.phone.syncthing.rest.until(is_there)

    async def until_gone_from_box(self, *names: str) -> None:
        async def is_gone() -> bool:
            return not any((self.outbox / Path(name).name).exists() for name in names)

        await self.box.rest.until(is_gone)

    async def until_connected(self) -> None:
        async def is_connected() -> bool:
            return bool(await self.box.connected())

        await self.box.rest.until(is_connected)

    async def until_accepted(self) -> None:
        """The phone's owner has said yes to the folder."""

        async def is_accepted() -> bool:
            await self.phone.tick(0)
            return bool(await self.phone.folders.states())

        await self.phone.syncthing.rest.until(is_accepted)

    async def file_on_box(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.box.rest.get("/rest/db/file", folder=FOLDER, file=Path(name).name)
        return found


@asynccontextmanager
async def paired(home: Path, **settings: Any) -> AsyncIterator[Pair]:
    """Both running and sharing; the phone backs up only when told, unless `habits` says otherwise."""
    settings.setdefault("habits", Habits(backs_up_by_itself=False))
    box = RealSyncthing(home / "box", name="box")
    async with box, Phone(home / "phone", **settings) as phone:
        pair = Pair(box, phone, home / "outbox")
        await box.add_device(phone.syncthing.device_id, name="Pixel")
        await phone.know(box.device_id, address=box.address)
        await pair.share()
        await pair.until_accepted()
        yield pair
