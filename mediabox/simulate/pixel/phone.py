"""The phone itself: builds the parts, lets time pass, and is what tests hold in their hands.

Its time passes in `tick` and nowhere else; only its Syncthing lives on the world's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import msgspec

from mediabox.clock import Clock
from mediabox.errors import Retryable
from mediabox.simulate.pixel.battery import Battery
from mediabox.simulate.pixel.bin import Bin
from mediabox.simulate.pixel.camera_roll import CameraRoll
from mediabox.simulate.pixel.cloud import Backup, Cloud
from mediabox.simulate.pixel.generation import Model
from mediabox.simulate.pixel.google_photos import GooglePhotos
from mediabox.simulate.pixel.media_store import MediaStore
from mediabox.simulate.pixel.reception import Reception
from mediabox.simulate.pixel.shared_folder import SharedFolders
from mediabox.simulate.pixel.storage import Storage
from mediabox.simulate.pixel.syncthing_process import RealSyncthing

GB = 1_000_000_000
_LINE_FULL_S = 3600.0 * 24  # `backup`: as much as a day on the line carries, at once


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner has set, and how fast the house's line is."""

    backup_bytes_s: float = 2_000_000.0
    backs_up_by_itself: bool = True
    only_charging: bool = False
    free_up_min_age_days: float = 0.0  # "Free up space" spares what was taken since
    is_watched: bool = True  # Syncthing sees at once what apps do; else (a slow phone) not before it is to `rescan`
    folder_type: str = "sendreceive"  # as the owner accepts the box's folder
    smallest_side: int = 0  # px: Google's page says 257; 0 lets the small pictures of tests pass


class Phone:
    """`async with Phone(home) as phone:` is a Pixel that is switched on. `home` keeps all it has."""

    def __init__(
        self,
        home: Path,
        *,
        model: Model = Model.PIXEL,
        storage: Storage | None = None,
        habits: Habits | None = None,
        clock: Clock | None = None,
        name: str = "Pixel",
        android: int | None = None,
    ) -> None:
        """`clock` says when the phone begins; from then on only `tick` moves its time.

        `android`: its version, the last one of its model where nothing is said.
        """
        home = home.absolute()
        home.mkdir(parents=True, exist_ok=True)
        self.model = model
        self.android = android or model.last_android
        self.storage = storage or Storage(size_bytes=32 * GB, other_bytes=12 * GB)
        self.habits = habits or Habits()
        self.battery = Battery()
        self.reception = Reception()
        self.roll = CameraRoll(home / "storage")
        self.media_store = MediaStore(self.roll.root)
        self.cloud = Cloud(home / "cloud.jsonl")
        self.photos = GooglePhotos(
            self.roll.root,
            self.cloud,
            model=model,
            now_ms=self.now_ms,
            smallest_side=self.habits.smallest_side,
        )
        self.bin = Bin(
            self.roll.root, home / "google-photos/trash_files", self.cloud, android=self.android, now_ms=self.now_ms
        )
        self.syncthing = RealSyncthing(home / "syncthing", name=name)
        self.folders = SharedFolders(
            self.syncthing, self.roll.root, folder_type=self.habits.folder_type, is_watched=self.habits.is_watched
        )
        self.freed = 0
        self._began_ms = (clock or Clock()).wall_ms()
        self._passed_s = 0.0
        self.is_on = False
        self._went_flat = False
        self._is_paused: bool | None = None  # as Syncthing was told last
        self._one_at_a_time = asyncio.Lock()

    # -- life

    async def start(self) -> None:
        """Switch on: Syncthing comes up, and Android looks through its storage. Raises Fatal."""
        self.is_on = True
        self._is_paused = None
        await self.syncthing.start()
        self.media_store.scan(await self.files())
        await self._settle()

    async def stop(self) -> None:
        self.is_on = False
        await self.syncthing.stop()

    async def reboot(self) -> None:
        await self.stop()
        await self.start()

    async def kill_syncthing(self) -> None:
        """As Android does when it wants the memory. `launch` brings it back."""
        await self.syncthing.kill()

    async def launch(self) -> None:
        """Open Syncthing again."""
        if self.is_on and not self.syncthing.is_running:
            await self.syncthing.start()
            self._is_paused = None
            await self._settle()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def now_ms(self) -> int:
        """The phone's own clock, Unix ms."""
        return self._began_ms + round(self._passed_s * 1000)

    async def tick(self, seconds: float = 1.0) -> None:
        """Let time pass: charge, scan, back up, and whatever Syncthing has to be told."""
        async with self._one_at_a_time:
            self._passed_s += seconds
            self.reception.pass_time(seconds)
            is_working = self.is_on and await asyncio.to_thread(self._live, seconds)
            self.battery.pass_time(seconds, is_working=is_working)
            await self._obey_battery()
            await self._settle()

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Nothing passes meanwhile: for whoever changes the phone beside its ticks."""
        async with self._one_at_a_time:
            yield

    # -- what people and apps do with it

    async def know(self, device_id: str, *, address: str = "dynamic", name: str = "box") -> None:
        """Add a box by hand, as its QR code would."""
        await self.syncthing.add_device(device_id, name=name, address=address)

    async def scan(self) -> int:
        """Order a media scan; how many versions were new."""
        return self.media_store.scan(await self.files())

    async def back_up(self) -> int:
        """Back up everything that is known, now. How many files."""
        budget = _LINE_FULL_S * self.habits.backup_bytes_s
        return await asyncio.to_thread(self.photos.work, self.media_store.known(), budget_bytes=budget)

    async def free_up(self, *, min_age_days: float | None = None, count: int = 0, batches: int = 1) -> list[str]:
        """Tap "Free up space"; what was removed.

        `count`: at most so many, the oldest first; 0: all. `batches`: in so many portions, each of which Syncthing
        sees for itself: a slow phone takes minutes over hundreds of pictures.
        """
        age = self.habits.free_up_min_age_days if min_age_days is None else min_age_days
        files = await self.files()
        names = self.photos.freeable(files, min_age_days=age)
        names.sort(key=lambda name: (files[name].st_mtime_ns, name))
        names = names[: count or None]
        size = max(1, -(-len(names) // batches))
        gone = [
            each for start in range(0, len(names), size) for each in await self._delete(names[start : start + size])
        ]
        self.freed += len(gone)
        return gone

    async def trickle(self, *, count: int = 1, min_age_days: float = 60.0) -> list[str]:
        """Let Smart Storage remove a few of what was backed up so long ago. What was removed."""
        names = self.photos.trickling(await self.files(), min_age_days=min_age_days)
        gone = await self._delete(names[:count])
        self.freed += len(gone)
        return gone

    async def trash(self, names: list[str]) -> None:
        """Delete in Google Photos: into the bin, here and in the account. Raises OSError."""
        for name in names:
            await asyncio.to_thread(self.bin.put, name)
        await self._look_again()

    async def restore(self, names: list[str]) -> list[str]:
        """Take these out of the bin, here and in the account; their names now. Raises OSError."""
        back = [await asyncio.to_thread(self.bin.restore, one) for one in self.bin.pictures() if one.name in names]
        await self.scan()  # MediaProvider itself renamed them
        await self._look_again()
        return back

    async def empty_bin(self) -> list[str]:
        """Delete for good what is in the bin: where it was."""
        gone = await asyncio.to_thread(self.bin.empty)
        await self._look_again()
        return gone

    async def rename(self, name: str, to: str) -> str:
        """Another name, or another folder, relative to the shared storage; which it got. Raises OSError."""
        new = await asyncio.to_thread(self.roll.rename, name, to)
        await self._look_again()
        return new

    async def add(self, name: str) -> None:
        """Another app puts a picture of its own there. Raises OSError."""
        await asyncio.to_thread(self.roll.add, name)
        await self._look_again()

    async def receive_only(self, *, on: bool) -> None:
        """Change the type of the shared folders."""
        await self.folders.change_type("receiveonly" if on else "sendreceive")

    async def ignore(self, *patterns: str) -> None:
        """Set the shared folders' ignore patterns (docs.syncthing.net/users/ignoring.html); none takes them away."""
        await self.folders.ignore(patterns)

    async def rescan(self) -> None:
        """Syncthing looks through its folders, as it does once an hour."""
        await self.folders.rescan()
        await self._settle()

    async def delete(self, names: list[str]) -> list[str]:
        """Delete by hand; those that were there."""
        return await self._delete(names)

    async def wipe(self, *, folders: bool = False) -> list[str]:
        """Delete everything by hand; with `folders` the shared folders themselves."""
        gone = await asyncio.to_thread(self.roll.wipe, folders=folders)
        await self._look_again()
        return gone

    async def edit(self, name: str) -> None:
        """Change a picture in place. Raises OSError."""
        await asyncio.to_thread(self.roll.edit, name)
        await self._look_again()

    async def copy(self, name: str) -> str:
        """Edit it and save a copy beside it; its name. Raises OSError."""
        new = await asyncio.to_thread(self.roll.copy, name)
        await self._look_again()
        return new

    async def fill(self, *, free_bytes: int) -> None:
        """Let other apps leave only this much."""
        self.storage.fill(free_bytes, roll_bytes=await asyncio.to_thread(self._used_bytes))
        await self._settle()

    async def doze(self, *, every_s: float = 0.0, window_s: float = 0.0) -> None:
        """Fall asleep, reachable for `window_s` of each `every_s`; without them until woken."""
        self.reception.doze(every_s=every_s, window_s=window_s)
        await self._settle()

    async def wake(self) -> None:
        self.reception.wake()
        await self._settle()

    async def airplane(self, *, on: bool) -> None:
        self.reception.is_airplane = on
        await self._settle()

    # -- what there is to see

    async def files(self) -> dict[str, os.stat_result]:
        """The picture files on it."""
        return await asyncio.to_thread(self.roll.files)

    def backups(self) -> list[Backup]:
        """What arrived in Google Photos."""
        return self.cloud.backups()

    async def free_bytes(self) -> int:
        return self.storage.free_bytes(await asyncio.to_thread(self._used_bytes))

    @property
    def is_reachable(self) -> bool:
        """Whether boxes can connect."""
        return self.is_on and self.syncthing.is_running and self.reception.is_reachable

    # -- inside

    def _live(self, seconds: float) -> bool:
        """A stretch of the phone's own life. Whether it had work."""
        self.bin.maintain(seconds)
        self.media_store.notice(self.roll.files())
        known = self.media_store.known()
        if not self._backs_up_now or not self.photos.waiting(known):
            return False
        self.photos.work(known, budget_bytes=seconds * self.habits.backup_bytes_s)
        return True

    @property
    def _backs_up_now(self) -> bool:
        may = self.habits.backs_up_by_itself and self.reception.is_reachable
        return may and (self.battery.is_charging or not self.habits.only_charging)

    async def _obey_battery(self) -> None:
        if self.battery.is_flat and self.is_on:
            self.is_on, self._went_flat = False, True
            await self.syncthing.kill()
        elif self._went_flat and not self.battery.is_flat:
            self._went_flat = False
            await self.start()

    async def _settle(self) -> None:
        """Tell Syncthing what the phone's state means for it."""
        if not self.syncthing.is_running:
            return
        wants_pause = not self.reception.is_reachable
        with contextlib.suppress(Retryable):  # it was killed meanwhile, or is starting: the next tick says it again
            if wants_pause is not self._is_paused:
                await self.syncthing.rest.post(f"/rest/system/{'pause' if wants_pause else 'resume'}")
                self._is_paused = wants_pause
            room_bytes = max(0, await self.free_bytes() - self.storage.kept_bytes)
            await self.folders.accept(room_bytes=room_bytes)
            await self.folders.keep_within(room_bytes)

    def _used_bytes(self) -> int:
        return self.roll.used_bytes() + self.bin.used_bytes()

    async def _delete(self, names: list[str]) -> list[str]:
        gone = await asyncio.to_thread(self.roll.delete, names)
        await self._look_again()
        return gone

    async def _look_again(self) -> None:
        if self.syncthing.is_running and self.habits.is_watched:
            with contextlib.suppress(Retryable):  # a folder that is gone cannot be scanned, and says so in its state
                await self.folders.rescan()
            await self._settle()
