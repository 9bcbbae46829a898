"""What leaves the phone, by two real Syncthings and a real catalogue: what has left, and what is unverified."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from core.delivering.wishing import PIXEL, Shelf, delivered, still

from destinations.conftest import Two
from destinations.making_of import Archive, TableFitter
from destinations.real_syncthing import eventually
from mediabox.clock import Clock
from mediabox.config.fields import Secret
from mediabox.contracts import Capabilities, DestinationTools, Outbox
from mediabox.core.delivering import orders, record
from mediabox.destinations.pixel import withholding
from mediabox.destinations.pixel.folder import PhoneFolder
from mediabox.destinations.pixel.pixel import Pixel
from mediabox.destinations.pixel.settings import Settings
from mediabox.durable.outbox import PHOTOS, OutboxFolder
from mediabox.durable.volume import Volume
from mediabox.model.delivery import Delivery, DeliveryState, Sighting
from mediabox.model.ledger import CopyState, Evidence
from mediabox.store import deliveries, issues
from mediabox.store.database import Database

STORED, FREED, DOUBTED = DeliveryState.STORED, DeliveryState.FREED, DeliveryState.DOUBTED
DAY_S = 86_400
A, B, C = "IMG_1_3f9a21c0.JPG", "IMG_2_3f9a21c0.MP.HEIC", "IMG_3_3f9a21c0.MP4"


class ShiftedClock(Clock):
    """The real one, so many seconds off."""

    shift_s = 0

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.shift_s * 1000


class Home:
    """A box and a phone. The box looks when it is told to."""

    def __init__(self, root: Path, two: Two, database: Database) -> None:
        self.shelf, self.two = Shelf(database), two
        self.clock = ShiftedClock()
        self._names: set[str] = set()
        self.folder_id = f"leaving-{next(two.numbers)}"
        self.camera, self._root = root / "DCIM", root
        self._volume = Volume.enroll(root / "outbox", now_ms=1, name="outbox:anna", reserve_percent=0)
        self.photos = root / "outbox" / PHOTOS
        self.photos.mkdir()
        two.box.share(self.folder_id, self.photos, two.phone)
        two.phone.share(self.folder_id, self.camera, two.box)
        self.start()

    def start(self) -> None:
        """Of the box's program, with nothing in its memory."""
        self.service = self.shelf.deliveries(self.clock)
        settings = Settings(
            url=self.two.box.url, key=Secret(self.two.box.key), folder_id=self.folder_id, device=self.two.phone.id
        )
        tools = DestinationTools(
            name=PIXEL,
            home=self._root,
            clock=self.clock,
            fitter=TableFitter(),
            originals=Archive(self._root / "archive"),
            open_outbox=self._open_outbox,
        )
        self.pixel = Pixel(settings, tools)

    async def _open_outbox(self, root: Path) -> Outbox:
        outbox = OutboxFolder(self._volume)
        await outbox.prepare()
        return outbox

    async def close(self) -> None:
        await self.pixel.close()
        self._volume.close()

    # ------------------------------------------------------------ what happens

    async def send(self, *names: str, ago_s: int, seen: bool = True) -> None:
        """Delivered and fetched so long ago; `seen`: the box has looked since."""
        self.clock.shift_s = -ago_s
        self._names |= set(names)
        for name in names:
            await self.shelf.put(name, still(name, size_bytes=len(name), file=name))
        await self.shelf.plan_all()
        for name in names:
            await self._publish(await self.shelf.the(name), name.encode())
        await self._arrive(*names, seen=seen)

    async def send_queued(self, delivery: Delivery, content: bytes, *, ago_s: int) -> None:
        """What a person ordered."""
        self.clock.shift_s = -ago_s
        self._names.add(delivery.name)
        await self._publish(delivery, content)
        await self._arrive(delivery.name, seen=True)

    async def _publish(self, delivery: Delivery, content: bytes) -> None:
        (self.photos / delivery.name).write_bytes(content)
        await self.shelf.box.database.write(lambda connection: self._accept(connection, delivery))

    async def _arrive(self, *names: str, seen: bool) -> None:
        self.two.box.scan(self.folder_id)
        eventually(lambda: all(self._is_held(name) for name in names), f"the phone to have {names}")
        if seen:
            await self.look()
            assert {(await self.shelf.the(name)).state for name in names} == {STORED}
        self.clock.shift_s = 0

    def _accept(self, connection, one) -> None:
        record.admitted(connection, one, now_ms=self.clock.wall_ms())
        deliveries.set_accepted(connection, delivered(one), at_ms=self.clock.wall_ms())

    def _is_held(self, name: str) -> bool:
        known = self.two.box.file(self.folder_id, name) or {}
        return any(one["id"] == self.two.phone.id for one in known.get("availability") or ())

    def on_phone(self, *steps: Callable[[Path], object]) -> None:
        """Do it in the phone's folder, and have both sides know of it."""
        for step in steps:
            step(self.camera)
        self.two.phone.scan(self.folder_id)
        eventually(self._is_alike, "the box to follow the phone")

    def _is_alike(self) -> bool:
        return _listed(self.camera) == _listed(self.photos) and not self._deleting()

    def _deleting(self) -> bool:
        return any(
            one["local"]["deleted"] != one["global"]["deleted"]
            for path in _listed(self.camera).keys() | self._names
            if (one := self.two.box.file(self.folder_id, path)) is not None
        )

    async def look(self) -> None:
        await self.service.look(self.pixel)

    async def states(self) -> Counter[DeliveryState]:
        return Counter(one.state for one in await self.shelf.all())

    async def notes(self) -> dict[str, str]:
        return {one.name: one.note for one in await self.shelf.all()}


def _listed(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # Syncthing is at work there
            if path.is_file() and ".stfolder" not in path.parts and not path.name.startswith(".syncthing."):
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found


@pytest.fixture
async def home(tmp_path: Path, two: Two) -> AsyncIterator[Home]:
    async with Database(tmp_path / "catalogue.db") as database:
        home = Home(tmp_path, two, database)
        yield home
        await home.close()


# ---------------------------------------------------------------- the phone's side


def delete(*names: str) -> Callable[[Path], None]:
    return lambda camera: [(camera / name).unlink() for name in names]


def rename(name: str, to: str) -> Callable[[Path], None]:
    def work(camera: Path) -> None:
        (camera / to).parent.mkdir(parents=True, exist_ok=True)
        (camera / name).rename(camera / to)

    return work


def bin_(name: str) -> Callable[[Path], None]:
    return rename(name, trashed(name))


def trashed(name: str) -> str:
    return f".trashed-1795000000-{name}"


def write(name: str, content: bytes) -> Callable[[Path], None]:
    def work(camera: Path) -> None:
        (camera / name).parent.mkdir(parents=True, exist_ok=True)
        (camera / name).write_bytes(content)

    return work


# ---------------------------------------------------------------- never "left"


async def test_what_is_there_under_another_name_is_unverified_and_says_which(home: Home) -> None:
    names = [f"{number}_{A}" for number in range(6)]
    paths = [trashed(names[0]), "holiday.JPG", f"holiday/{names[2]}", "holiday/one.JPG", f"a/b/{trashed(names[4])}"]
    await home.send(*names, ago_s=90 * DAY_S)

    home.on_phone(*(rename(name, path) for name, path in zip(names, paths, strict=False)))
    await home.look()

    assert await home.states() == {STORED: 1, DOUBTED: 5}
    notes = await home.notes()
    assert all(notes[name].endswith(f": {path}") for name, path in zip(names, paths, strict=False))


async def test_what_comes_and_goes_within_a_second_is_unverified(home: Home) -> None:
    await home.send(A, B, C, ago_s=0)

    home.on_phone(delete(A, B, C))
    await home.look()

    assert await home.states() == {DOUBTED: 3}
    assert all("too early" in note for note in (await home.notes()).values())


async def test_also_when_nobody_looked_in_between(home: Home) -> None:
    await home.send(C, ago_s=90 * DAY_S)  # the phone has shown that it takes what it is sent
    await home.send(A, B, ago_s=0, seen=False)

    home.on_phone(delete(A, B))
    await home.look()

    assert await home.states() == {STORED: 1, DOUBTED: 2}


async def test_what_waited_for_the_phone_for_days_and_goes_at_once_is_unverified(home: Home) -> None:
    await home.send(C, ago_s=90 * DAY_S)
    home.two.phone.patch(f"config/folders/{home.folder_id}", {"paused": True})
    names, home._is_held = [A, B], lambda name: True  # nobody fetches them yet
    await home.send(*names, ago_s=3 * DAY_S, seen=False)
    del home._is_held
    await home.look()
    home.two.phone.patch(f"config/folders/{home.folder_id}", {"paused": False})
    eventually(lambda: all(home._is_held(name) for name in names), "the phone to fetch them at last")

    home.on_phone(delete(*names))
    await home.look()

    assert await home.states() == {STORED: 1, DOUBTED: 2}


@pytest.mark.parametrize("is_looked_at", [False, True])
@pytest.mark.parametrize("content", [b"another picture", A.encode()])
async def test_what_was_changed_in_place_before_it_went_is_unverified(home: Home, is_looked_at, content) -> None:
    """Also when it had the original's bytes again."""
    await home.send(A, B, ago_s=90 * DAY_S)
    await home.look()  # no sweep

    home.on_phone(write(A, b"edited"))
    if is_looked_at:
        await home.look()
    home.on_phone(write(A, content))
    home.on_phone(delete(A))
    await home.look()

    assert await home.states() == {STORED: 1, DOUBTED: 1}


async def test_nine_at_a_time_in_batches_are_unverified(home: Home) -> None:
    names = [f"{number}_{A}" for number in range(36)]
    await home.send(*names, ago_s=65)

    for first in range(0, 36, 9):
        home.on_phone(delete(*names[first : first + 9]))
        await home.look()

    assert await home.states() == {DOUBTED: 36}


async def test_all_after_65_seconds_are_unverified(home: Home) -> None:
    names = [f"{number}_{A}" for number in range(23)]
    await home.send(*names, ago_s=65)

    home.on_phone(delete(*names))
    await home.look()

    assert await home.states() == {DOUBTED: 23}
    assert "after it came, too early to have been backed up" in (await home.notes())[names[0]]


@pytest.mark.parametrize("is_looked_at", [False, True])
async def test_the_bin_emptied_later_changes_nothing(home: Home, is_looked_at) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)

    home.on_phone(bin_(A))
    if is_looked_at:
        await home.look()
    home.on_phone(delete(trashed(A)))
    await home.look()

    assert await home.states() == {STORED: 1, DOUBTED: 1}
    assert ".trashed-1795000000" in (await home.notes())[A]


async def test_what_was_put_into_the_bin_while_the_box_was_down_is_unverified(home: Home) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)
    await home.pixel.close()

    home.on_phone(bin_(A))
    home.on_phone(delete(trashed(A)))
    home.start()
    await home.look()

    assert await home.states() == {STORED: 1, DOUBTED: 1}


@pytest.mark.parametrize("is_looked_at", [False, True])
async def test_what_is_restored_from_the_bin_never_was_gone(home: Home, is_looked_at) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)

    home.on_phone(bin_(A))
    if is_looked_at:
        await home.look()
    home.on_phone(rename(trashed(A), A))
    await home.look()

    assert (await home.states())[FREED] == 0
    assert (await home.states())[DOUBTED] == 1


async def test_what_had_left_and_is_there_again_becomes_unverified(home: Home) -> None:
    names = [f"{number}_{A}" for number in range(5)]
    paths = [trashed(names[0]), names[1], f"holiday/{names[2]}", "holiday.JPG"]
    await home.send(*names, ago_s=90 * DAY_S)
    home.on_phone(delete(*names))
    await home.look()
    assert await home.states() == {FREED: 5}

    home.on_phone(*(write(path, name.encode()) for name, path in zip(names, paths, strict=False)))
    await home.look()
    await home.look()

    assert await home.states() == {FREED: 1, DOUBTED: 4}
    notes = await home.notes()
    assert [notes[name] for name in names[:4]] == [f"it left the phone, and is there as {path}" for path in paths]


async def test_what_is_only_seen_there_again_and_gone_counts_as_well(home: Home) -> None:
    """The bin may be emptied before anybody looks; Syncthing's events tell of it."""
    await home.send(A, B, ago_s=90 * DAY_S)
    home.on_phone(delete(A, B))
    await home.look()

    home.on_phone(write(trashed(A), b"whatever"))
    home.on_phone(delete(trashed(A)))
    await home.look()

    assert await home.states() == {FREED: 1, DOUBTED: 1}


async def test_what_is_sent_again_leaves_alone_what_somebody_made_of_it_on_the_phone(home: Home) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)
    home.on_phone(write(A, b"edited"))
    home.start()  # its first look asks for everything
    await home.look()
    assert await home.states() == {STORED: 1, DOUBTED: 1}

    await home.shelf.box.database.write(lambda connection: orders.resend(connection, PIXEL, A, now_ms=1))
    await home.look()

    assert (home.photos / A).read_bytes() == b"edited"


async def test_a_deletion_syncthing_has_forgotten_is_neither_sent_again_nor_taken_for_anything(home: Home) -> None:
    await home.send(A, B, C, ago_s=90 * DAY_S)
    home.on_phone(delete(A))
    await home.look()
    home.on_phone(delete(B))
    box = home.two.box
    await home.pixel.close()
    box.stop()
    box.forget_database()
    box.start()
    eventually(lambda: box.is_connected_to(home.two.phone), "a connection")
    eventually(lambda: home._is_held(C), "the phone to be known again")
    home.start()

    await home.look()
    await home.look()

    assert {one.name: one.state for one in await home.shelf.all()} == {A: FREED, B: DOUBTED, C: STORED}
    assert "lost its memory" in (await home.notes())[B]
    assert set(_listed(home.photos)) == set(_listed(home.camera)) == {C}


@pytest.mark.parametrize("to", ["holiday.JPG", A.lower(), f"x-{A}"])
async def test_what_is_renamed_and_deleted_before_anybody_looks_is_unverified(home: Home, to: str) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)
    await home.pixel.close()

    home.on_phone(rename(A, to))
    home.on_phone(delete(to))
    home.start()
    await home.look()

    assert await home.states() == {STORED: 1, DOUBTED: 1}
    assert (await home.notes())[A].endswith(f": {to}")


@pytest.mark.parametrize("is_looked_at", [False, True])
async def test_what_is_moved_away_and_back_was_changed(home: Home, is_looked_at) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)
    await home.look()

    for step in (rename(A, f"holiday/{A}"), rename(f"holiday/{A}", A)):
        home.on_phone(step)
        if is_looked_at:
            await home.look()
    await home.look()

    assert await home.states() == {STORED: 1, DOUBTED: 1}


@pytest.mark.parametrize("is_there", [False, True])
async def test_what_both_sides_changed_is_unverified_when_it_goes(home: Home, is_there) -> None:
    conflict = A.replace(".JPG", ".sync-conflict-20261130-101010-ABCDEFG.JPG")
    await home.send(A, B, ago_s=90 * DAY_S)

    home.on_phone(write(conflict, b"edited"))
    home.on_phone(delete(A, *[] if is_there else [conflict]))
    await home.look()

    assert await home.states() == {STORED: 1, DOUBTED: 1}
    assert conflict in (await home.notes())[A]


async def test_a_folder_in_its_place_is_unverified_and_is_left_alone_when_it_goes_again(home: Home) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)
    await home.look()

    home.on_phone(delete(A), write(f"{A}/notes.txt", b"a folder now"))
    await home.look()
    assert await home.states() == {STORED: 1, DOUBTED: 1}
    await home.shelf.box.database.write(lambda connection: orders.resend(connection, PIXEL, A, now_ms=1))
    await home.look()

    assert (home.photos / A / "notes.txt").read_bytes() == b"a folder now"
    assert (await home.states())[DeliveryState.WITHDRAWN] == 1


@pytest.mark.parametrize(("stayed_s", "state"), [(60, DOUBTED), (29 * 60, DOUBTED), (31 * 60, FREED)])
async def test_half_an_hour_is_what_a_backup_may_need(home: Home, stayed_s: int, state: DeliveryState) -> None:
    await home.send(A, B, ago_s=stayed_s)

    home.on_phone(delete(A))
    await home.look()

    assert await home.states() == {STORED: 1, state: 1}


async def test_a_phone_that_drops_its_folder_and_takes_it_again_has_left_nothing(home: Home) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)
    phone = home.two.phone
    phone.delete(f"config/folders/{home.folder_id}")
    await home.look()
    (home.camera / A).unlink()

    phone.share(home.folder_id, home.camera, home.two.box)
    eventually(lambda: (home.camera / A).exists() and home._is_held(A) and home._is_held(B), "the phone to fetch it")
    await home.look()

    assert await home.states() == {STORED: 2}


async def test_what_is_sent_again_and_leaves_honestly_has_left(home: Home) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)
    home.on_phone(bin_(A))
    await home.look()
    await home.shelf.box.database.write(lambda connection: orders.resend(connection, PIXEL, A, now_ms=1))
    (again,) = [one for one in await home.shelf.all() if one.state is DeliveryState.QUEUED]
    await home.send_queued(again, A.encode(), ago_s=3 * DAY_S)

    home.on_phone(delete(again.name))
    await home.look()

    assert (await home.shelf.the(again.name)).state is FREED
    assert await home.states() == {STORED: 1, FREED: 1, DeliveryState.WITHDRAWN: 1}


def receive_only(home: Home) -> None:
    home.two.phone.patch(f"config/folders/{home.folder_id}", {"type": "receiveonly"})
    (home.camera / A).unlink()


def ignoring(home: Home) -> None:
    home.two.phone.post("db/ignores", {"ignore": ["*.JPG"]}, folder=home.folder_id)
    (home.camera / A).unlink()


@pytest.mark.parametrize(("how", "words"), [(receive_only, "only receives"), (ignoring, "ignores them")])
async def test_a_phone_that_keeps_its_deletions_to_itself_is_named(home: Home, monkeypatch, how, words) -> None:
    monkeypatch.setattr(withholding, "SURE_S", 0.1)
    await home.send(A, B, ago_s=3600)
    how(home)
    home.two.phone.scan(home.folder_id)
    eventually(lambda: not home._is_held(A), "the phone to say so")

    for _ in range(3):
        await asyncio.sleep(0.1)
        await home.look()

    assert await home.states() == {STORED: 2}
    told = await home.shelf.box.database.read(issues.open_issues)
    assert [words in one.message for one in told if one.key == "destination.withheld"] == [True]


# ---------------------------------------------------------------- honest


@pytest.mark.parametrize("kept", [0, 1, 8])  # younger than the age that was chosen, or not backed up yet
async def test_a_free_up_leaves_none_unverified_whatever_stays(home: Home, kept: int) -> None:
    names = [f"{number}_{A}" for number in range(12)]
    await home.send(*names, ago_s=2 * DAY_S)

    home.on_phone(delete(*names[kept:]))
    await home.look()

    assert await home.states() == Counter({FREED: 12 - kept, STORED: kept}) - Counter()


async def test_a_free_up_in_batches_with_a_restart_in_between_leaves_none_unverified(home: Home) -> None:
    names = [f"{number}_{A}" for number in range(24)]
    await home.send(*names, ago_s=3600)

    for first in range(0, 24, 6):
        home.on_phone(delete(*names[first : first + 6]))
        if first == 12:
            await home.pixel.close()
            home.start()
        await home.look()

    assert await home.states() == {FREED: 24}


async def test_smart_storages_trickle_is_ordinary(home: Home) -> None:
    """It removes what is older than 60 days, a few each day."""
    names = [f"{number}_{A}" for number in range(6)]
    for number, name in enumerate(names):
        await home.send(name, ago_s=(60 + len(names) - number) * DAY_S)

    for name in names:
        home.on_phone(delete(name))
        await home.look()
        assert (await home.states())[DOUBTED] == 0

    assert await home.states() == {FREED: 6}


async def test_what_left_while_nobody_looked_has_left(home: Home) -> None:
    """The box's program was stopped for days; Syncthing went on."""
    await home.send(C, ago_s=90 * DAY_S)
    await home.send(A, B, ago_s=3 * DAY_S, seen=False)
    await home.pixel.close()

    home.on_phone(delete(A, B))
    home.start()
    await home.look()

    assert await home.states() == {STORED: 1, FREED: 2}


async def test_what_left_is_no_copy_any_more_and_what_is_unverified_neither(home: Home) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)
    home.on_phone(delete(A), bin_(B))
    await home.look()

    (left,), (unverified,) = [await home.shelf.copies(f"{name}/original") for name in (A, B)]
    assert (left.evidence, left.state) == (Evidence.FREED, CopyState.MISSING)
    assert (unverified.evidence, unverified.state) == (Evidence.PEER, CopyState.MISSING)


# ---------------------------------------------------------------- what a person decided outlives the box


class Death(BaseException):
    """The box's program ends here."""


@pytest.mark.parametrize(("where", "name"), [(OutboxFolder, "remove"), (PhoneFolder, "announce"), (Pixel, "withdraw")])
async def test_what_was_to_go_again_goes_once_however_the_box_dies(home: Home, monkeypatch, where, name) -> None:
    await home.send(A, B, ago_s=90 * DAY_S)
    await home.shelf.box.database.write(record_doubt)
    await home.shelf.box.database.write(lambda connection: orders.resend(connection, PIXEL, A, now_ms=1))
    carried_out = getattr(where, name)

    async def die(*arguments: object, **more: object) -> None:
        await carried_out(*arguments, **more)
        raise Death

    with monkeypatch.context() as patched, pytest.raises(Death):
        patched.setattr(where, name, die)
        await home.look()
    await home.pixel.close()
    home.start()
    await home.look()

    assert A not in _listed(home.photos)
    assert await home.shelf.box.database.read(lambda one: deliveries.to_withdraw(one, PIXEL)) == []
    assert {one.name: one.state for one in await home.shelf.all()} == {
        A: DeliveryState.WITHDRAWN,
        B: STORED,
        A.replace(".JPG", "-2.JPG"): DeliveryState.ADMITTED,
    }


def record_doubt(connection) -> None:
    one = deliveries.by_name(connection, PIXEL, A)
    assert one is not None
    doubt = Sighting(delivery_id=one.id, state=DOUBTED, proof="", note="too early")
    record.seen(connection, [doubt], now_ms=1, capabilities=Capabilities())
