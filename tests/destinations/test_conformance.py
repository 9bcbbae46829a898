"""The suite of `conformance`, over a phone behind two real Syncthings, and over the smallest destination there is."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faults.mounts import tmpfs

from destinations.conformance import DestinationConformance, accepted, deliver, gone, shown
from destinations.conftest import Two
from destinations.making_of import STILL, TAKEN, Archive, TableFitter, parcel
from destinations.real_syncthing import eventually
from destinations.shelf import ShelfDestination, Taker
from mediabox.clock import Clock
from mediabox.config.fields import Secret
from mediabox.contracts import DestinationTools, Outbox, Parcel
from mediabox.destinations.pixel import local, withholding
from mediabox.destinations.pixel.folder import PhoneFolder
from mediabox.destinations.pixel.local import Search, SyncthingPlace
from mediabox.destinations.pixel.pixel import Pixel
from mediabox.destinations.pixel.settings import Settings
from mediabox.durable import outbox as outbox_module
from mediabox.durable.outbox import MAKING, NOTES, OutboxFolder
from mediabox.durable.volume import Volume
from mediabox.errors import NeedsHuman, Retryable
from mediabox.model.delivery import Delivered, DeliveryState, Form

DISK_BYTES = 4_000_000
# How a parcel is made that asks for each form in which the delivered file is not the original's own bytes.
MADE_ANEW: dict[Form, dict[str, Any]] = {
    Form.ORIGINAL: {"capture_time": TAKEN},  # tags are added
    Form.MOTION: {"clip": {}, "name": "IMG_1_3f9a21c0.MP.JPG"},
    Form.MOTION_H264: {"clip": {}, "name": "IMG_1_3f9a21c0.MP.JPG"},
    Form.CONVERTED: {"media_type": "image/tiff", "name": "scan_3f9a21c0.jpg"},
    Form.REDUCED: {"media_type": "video/mp4", "name": "film_3f9a21c0.mp4"},
}


class Ground:
    """What both have: an archive, and a small disk with an outbox."""

    def __init__(self, root: Path, disk: Path) -> None:
        self.archive, self.disk = Archive(root / "archive"), disk
        self.photos = disk / "outbox" / "photos"
        self._volumes: list[Volume] = []

    def parcel(self, number: int, content: bytes = STILL) -> Parcel:
        return parcel(self.archive, Form.ORIGINAL, number=number, content=content, name=f"IMG_{number}_3f9a21c0.JPG")

    def volume(self) -> Volume:
        self._volumes.append(Volume.enroll(self.disk / "outbox", now_ms=1, name="outbox:anna", reserve_percent=0))
        return self._volumes[-1]

    def close_volumes(self) -> None:
        while self._volumes:
            self._volumes.pop().close()

    def notes(self) -> list[str]:
        return os.listdir(self.disk / "outbox" / NOTES)

    async def offered(self) -> frozenset[str]:
        return frozenset(name for name in os.listdir(self.photos) if not name.startswith("."))

    async def obstruct(self, name: str) -> None:
        self.photos.mkdir(parents=True, exist_ok=True)
        (self.photos / name).write_bytes(b"a stranger's")

    async def fill_disk(self) -> None:
        room = os.statvfs(self.disk)
        (self.disk / "filling").write_bytes(b"x" * (room.f_bavail * room.f_frsize - len(STILL) // 2))

    async def empty_disk(self) -> None:
        (self.disk / "filling").unlink()

    def cancel_inside(self, task: "asyncio.Task[Delivered]") -> None:
        loop = asyncio.get_running_loop()

        def cancel(point: str) -> None:
            if point == "deliver.made":
                outbox_module.fp = self._real_fp
                loop.call_soon_threadsafe(task.cancel)

        self._real_fp: Callable[[str], None] = outbox_module.fp
        outbox_module.fp = cancel


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with tmpfs(tmp_path / "disk", size_bytes=DISK_BYTES) as disk:
        yield disk


# ---------------------------------------------------------------- the smallest


class ShelfPeer(Ground):
    def __init__(self, root: Path, disk: Path) -> None:
        super().__init__(root, disk)
        self._taker = Taker()
        self.photos.mkdir(parents=True)
        self.destination = ShelfDestination(self.volume(), self.archive, self._taker)

    async def restart(self) -> None:
        self.destination = ShelfDestination(self.volume(), self.archive, self._taker)

    async def arrived(self) -> list[str]:
        return list(self._taker.took)

    async def let_go(self, *names: str) -> None:
        for name in names:
            self._taker.let_go.add(name)
            (self.photos / name).unlink()

    async def vanish(self, name: str) -> None:
        (self.photos / name).unlink()

    async def leave(self) -> None:
        self._taker.is_here = False

    async def come_back(self) -> None:
        self._taker.is_here = True


class TestShelf(DestinationConformance):
    @pytest.fixture
    def peer(self, tmp_path: Path, disk: Path) -> Iterator[ShelfPeer]:
        peer = ShelfPeer(tmp_path, disk)
        yield peer
        peer.close_volumes()


# ---------------------------------------------------------------- the Pixel


class PixelPeer(Ground):
    """A phone that keeps a diary of every file that came."""

    def __init__(self, two: Two, root: Path, disk: Path) -> None:
        super().__init__(root, disk)
        self._two, self._root = two, root
        self.folder_id = f"mediabox-{next(two.numbers)}"
        self.camera = root / "DCIM"
        self.edition = b""  # of the box's program
        self._came: dict[str, int] = {}  # by name: the inode that was counted last
        self._diary: list[str] = []
        self.destination = self._built()

    async def begin(self) -> None:
        self.photos.mkdir(parents=True, exist_ok=True)
        self._two.box.share(self.folder_id, self.photos, self._two.phone)
        self._two.phone.share(self.folder_id, self.camera, self._two.box)
        eventually(lambda: self._two.box.is_connected_to(self._two.phone), "a connection")

    def _built(self, **changes: Any) -> Pixel:
        given = {
            "url": self._two.box.url,
            "key": Secret(self._two.box.key),
            "folder_id": self.folder_id,
            "device": self._two.phone.id,
            "smallest_side": 0,
            "backed_up_after_s": 0,
        }
        settings = Settings(**given | changes)
        tools = DestinationTools(
            name="anna",
            home=self._root,
            clock=Clock(),
            fitter=TableFitter(self.edition),
            originals=self.archive,
            open_outbox=self._open_outbox,
        )
        return Pixel(settings, tools)

    async def _open_outbox(self, root: Path) -> Outbox:
        outbox = OutboxFolder(self.volume())
        await outbox.prepare()
        await outbox.clear()
        return outbox

    async def restart(self, **changes: Any) -> None:
        """With other settings, where a test says so."""
        await self.destination.close()
        self.destination = self._built(**changes)

    async def arrived(self) -> list[str]:
        await asyncio.to_thread(eventually, self._is_settled, "both to be idle")
        self._look_at_camera()
        return list(self._diary)

    def _is_settled(self) -> bool:
        states = [one.get("db/status", folder=self.folder_id) for one in (self._two.box, self._two.phone)]
        return all(one["state"] == "idle" and not one["needTotalItems"] for one in states)

    def _look_at_camera(self) -> None:
        for path in self.camera.iterdir():
            inode = path.stat().st_ino
            if not path.name.startswith(".") and self._came.get(path.name) != inode:
                self._came[path.name] = inode
                self._diary.append(path.name)

    @property
    def phone_id(self) -> str:
        return self._two.phone.id

    def forget(self) -> None:
        """The box's Syncthing loses its database, and meets the phone again."""
        self._two.box.stop()
        self._two.box.forget_database()
        self._two.box.start()
        eventually(lambda: self._two.box.is_connected_to(self._two.phone), "a connection")
        eventually(self._is_settled, "both to be idle")

    def pause(self) -> None:
        self._two.box.patch(f"config/folders/{self.folder_id}", {"paused": True})

    async def let_go(self, *names: str) -> None:
        self._look_at_camera()
        for name in names:
            (self.camera / name).unlink()
        await asyncio.to_thread(self._two.phone.scan, self.folder_id)

    async def keep_to_itself(self, name: str, how: str) -> None:
        """The phone's folder only receives when it deletes, or it ignores what it has."""
        phone = self._two.phone
        if how == "ignores":
            phone.post("db/ignores", {"ignore": ["*"]}, folder=self.folder_id)
        else:
            phone.patch(f"config/folders/{self.folder_id}", {"type": "receiveonly"})
            (self.camera / name).unlink()
        await asyncio.to_thread(phone.scan, self.folder_id)
        await asyncio.to_thread(eventually, lambda: self._is_told(name, how), "the phone to tell")

    def _is_told(self, name: str, how: str) -> bool:
        file = self._two.box.file(self.folder_id, name) or {}
        need = self._two.box.get("db/completion", folder=self.folder_id, device=self._two.phone.id)
        return not file.get("availability") and self._is_connected() and bool(need["needItems"]) is (how == "receives")

    def _is_connected(self) -> bool:
        return self._two.box.is_connected_to(self._two.phone)

    async def vanish(self, name: str) -> None:
        (self.photos / name).unlink()
        await asyncio.to_thread(self._two.box.scan, self.folder_id)

    async def leave(self) -> None:
        await asyncio.to_thread(self._two.box.stop)

    async def come_back(self) -> None:
        self._two.box.start()  # not in a thread: it ends with the thread that started it
        await asyncio.to_thread(eventually, lambda: self._two.box.is_connected_to(self._two.phone), "a connection")


class TestPixel(DestinationConformance):
    @pytest.fixture
    async def peer(self, two: Two, tmp_path: Path, disk: Path) -> AsyncIterator[PixelPeer]:
        peer = PixelPeer(two, tmp_path, disk)
        await peer.begin()
        yield peer
        await peer.destination.close()
        peer.close_volumes()

    # ------------------------------------------------------------ what only a Pixel does

    @pytest.mark.parametrize("how", ["receives", "ignores"])
    async def test_a_phone_that_only_receives_or_ignores_is_named(self, peer: PixelPeer, how: str, monkeypatch) -> None:
        monkeypatch.setattr(withholding, "SURE_S", 0.0)
        stored = await shown(peer, await deliver(peer, peer.parcel(1)))
        before = await peer.destination.look([stored], has_stored=True)

        await peer.keep_to_itself(stored.name, how)
        after = await peer.destination.look([stored], has_stored=True)

        assert "destination.withheld" not in [one.key for one in before.complaints]
        assert after.sightings == ()
        (found,) = (one.message for one in after.complaints if one.key == "destination.withheld")
        assert ("only receives" if how == "receives" else "ignores") in found
        assert (peer.photos / stored.name).exists()

    async def test_a_deletion_is_proved_by_version_author_and_event(self, peer: PixelPeer) -> None:
        stored = await shown(peer, await deliver(peer, peer.parcel(1)))
        await peer.let_go(stored.name)

        freed = await shown(peer, stored, has_stored=True)

        phone, counters = peer.phone_id[:7], r"[A-Z0-9]{7}:\d+,[A-Z0-9]{7}:\d+"
        assert re.fullmatch(rf"db/file {counters} by {phone}; RemoteChangeDetected \d+ at \d{{4}}-.*", freed.proof)

    @pytest.mark.parametrize("form", MADE_ANEW)
    async def test_another_edition_of_the_program_goes_on_with_what_was_published(
        self, peer: PixelPeer, form: Form
    ) -> None:
        """It died before anybody wrote it down, and would make other bytes of the same files now."""
        one = parcel(peer.archive, form, number=1, **MADE_ANEW[form])
        first = await peer.destination.deliver(one)
        peer.edition = b"another edition"
        await peer.restart()

        again = await peer.destination.deliver(one)

        assert again == first
        assert again.form is (Form.TAGGED if form is Form.ORIGINAL else form)
        await shown(peer, accepted(one.delivery, again))
        assert await peer.arrived() == [one.delivery.name]
        assert not peer.notes()  # not needed any more, once it is known to be written down

    async def test_what_another_edition_published_and_the_phone_let_go_is_recorded_as_it_was(
        self, peer: PixelPeer
    ) -> None:
        one = parcel(peer.archive, Form.CONVERTED, number=1, **MADE_ANEW[Form.CONVERTED])
        first = await peer.destination.deliver(one)
        await peer.arrived()
        await peer.let_go(one.delivery.name)
        await gone(peer, one.delivery.name)
        peer.edition = b"another edition"
        await peer.restart()

        assert await peer.destination.deliver(one) == first
        assert await peer.offered() == frozenset()
        assert await peer.arrived() == [one.delivery.name]

    async def test_what_was_published_and_not_announced_is_not_made_again(self, peer: PixelPeer, monkeypatch) -> None:
        """Syncthing was restarted in between; encoders need not make the same bytes twice."""
        one = parcel(peer.archive, Form.CONVERTED, number=1, **MADE_ANEW[Form.CONVERTED])

        async def restarting(*_: object) -> None:
            raise Retryable("Syncthing restarts")

        with monkeypatch.context() as patched:
            patched.setattr(PhoneFolder, "announce", restarting)
            with pytest.raises(Retryable):
                await peer.destination.deliver(one)
        peer.destination._tools.fitter.edition = b"other bytes"
        again = await peer.destination.deliver(one)

        await shown(peer, accepted(one.delivery, again))
        assert await peer.arrived() == [one.delivery.name]

    @pytest.mark.parametrize("has_died", [True, False])
    async def test_a_strangers_file_is_neither_replaced_nor_taken_for_what_was_noted(
        self, peer: PixelPeer, monkeypatch, has_died: bool
    ) -> None:
        """The name was free when it was noted; a stranger came before it was published."""
        one = parcel(peer.archive, Form.CONVERTED, number=1, **MADE_ANEW[Form.CONVERTED])

        async def dies(*_: object, **__: object) -> None:
            raise Retryable("the box died")

        with monkeypatch.context() as patched:
            patched.setattr(OutboxFolder, "publish", dies)
            with pytest.raises(Retryable):
                await peer.destination.deliver(one)
        assert one.delivery.name in peer.notes()
        await peer.obstruct(one.delivery.name)
        if has_died:
            peer.edition = b"another edition"
            await peer.restart()

        with pytest.raises(FileExistsError):
            await peer.destination.deliver(one)

        assert (peer.photos / one.delivery.name).read_bytes() == b"a stranger's"
        assert not peer.notes()

    async def test_what_was_noted_of_other_originals_is_not_believed(self, peer: PixelPeer) -> None:
        one = parcel(peer.archive, Form.CONVERTED, number=1, **MADE_ANEW[Form.CONVERTED])
        await peer.destination.deliver(one)
        await peer.restart()
        other = parcel(peer.archive, Form.CONVERTED, number=1, content=STILL[::-1], **MADE_ANEW[Form.CONVERTED])

        with pytest.raises(FileExistsError):
            await peer.destination.deliver(other)

    async def test_what_was_encoded_on_the_way_does_not_stay(self, peer: PixelPeer) -> None:
        tiff = parcel(peer.archive, Form.CONVERTED, media_type="image/tiff", number=1, name="scan_3f9a21c0.jpg")

        delivered = await peer.destination.deliver(tiff)

        assert delivered.form is Form.CONVERTED
        assert os.listdir(peer.disk / "outbox" / MAKING) == []

    async def test_neither_does_what_could_not_be_delivered(self, peer: PixelPeer) -> None:
        first = peer.parcel(1)
        await peer.obstruct(first.delivery.name)

        with pytest.raises(FileExistsError):
            await peer.destination.deliver(first)

        assert os.listdir(peer.disk / "outbox" / MAKING) == []

    async def test_a_later_pixel_delivers_nothing_before_the_owner_accepts_the_cost(self, peer: PixelPeer) -> None:
        await peer.restart(model="later")
        with pytest.raises(NeedsHuman) as quota:
            await peer.destination.room()
        await peer.restart(model="later", accept_quota=True)

        assert quota.value.issue == "destination.quota"
        assert "accept_quota" in quota.value.remedy
        assert (await peer.destination.room()).most_bytes > 0

    @pytest.mark.parametrize(("model", "keeps"), [("pixel", True), ("pixel_3", False), ("later", True)])
    async def test_what_google_keeps_smaller_is_said_and_no_original(self, peer: PixelPeer, model, keeps) -> None:
        await peer.restart(model=model)
        large = parcel(peer.archive, number=1, name="large_3f9a21c0.JPG", width=6000, height=4000)

        delivered = await peer.destination.deliver(large)

        assert peer.destination.capabilities.keeps_originals is keeps
        assert ("keeps it smaller" in delivered.note) is not keeps

    async def test_what_the_boxs_syncthing_has_forgotten_is_doubted_and_never_taken_for_freed(
        self, peer: PixelPeer
    ) -> None:
        """It was deleted by the phone, and then our Syncthing's database was lost."""
        stored = await shown(peer, await deliver(peer, peer.parcel(1)))
        await peer.let_go(stored.name)
        await gone(peer, stored.name)
        peer.forget()

        doubted = await shown(peer, stored, has_stored=True)

        assert doubted.state is DeliveryState.DOUBTED
        assert "lost its memory" in doubted.note

    async def test_a_folder_that_is_paused_shows_nothing(self, peer: PixelPeer) -> None:
        stored = await shown(peer, await deliver(peer, peer.parcel(1)))
        await peer.let_go(stored.name)
        await gone(peer, stored.name)
        peer.pause()

        look = await peer.destination.look([stored], has_stored=True)

        assert look.sightings == ()
        assert [one.key for one in look.complaints] == ["destination.paused"]
        assert "paused" in (await peer.destination.room()).reason

    async def test_a_syncthing_that_comes_back_with_another_key_is_found_again(
        self, peer: PixelPeer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And what was being made meanwhile is not cleared away: the outbox is opened once."""
        box = peer._two.box
        found = [
            SyncthingPlace(box.url, "the key of before", Path("config.xml")),
            SyncthingPlace(box.url, box.key, Path("config.xml")),
        ]
        monkeypatch.setattr(local, "search", lambda: Search(found.pop(0), ()))
        await peer.restart(url="", key=None)
        with pytest.raises(NeedsHuman, match="403"):
            await peer.destination.look([], has_stored=False)
        outbox = peer.destination._outbox

        assert not (await peer.destination.look([], has_stored=False)).complaints
        assert peer.destination._outbox is outbox
