"""Two real Syncthings for each test that asks for them: the box's and the phone's."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from destinations import real_syncthing
from destinations.real_syncthing import RealSyncthing, eventually, pair
from mediabox.destinations.pixel.folder import PhoneFolder
from mediabox.destinations.pixel.syncthing import Syncthing

FOLDER = "mediabox-anna"


class World:
    """The two, paired, sharing one folder, with the box's files and the phone's."""

    def __init__(self, root: Path, box: RealSyncthing, phone: RealSyncthing) -> None:
        self.root = root
        self.box = box
        self.phone = phone
        self.outbox = root / "outbox"
        self.camera = root / "DCIM" / "mediabox"

    def share(self, **phones: object) -> None:
        """`phones`: how the phone's folder is set up, besides."""
        self.box.share(FOLDER, self.outbox, self.phone)
        self.phone.share(FOLDER, self.camera, self.box, **phones)

    def put(self, *names: str, size: int = 2000) -> None:
        """Write files into the outbox and let the box's Syncthing see them."""
        for name in names:
            (self.outbox / name).write_bytes(name.encode() * (size // len(name)))
        self.box.scan(FOLDER, *names)

    def deliver(self, *names: str) -> None:
        """Put them there, and wait until the phone has them."""
        self.put(*names)
        eventually(lambda: all(self.holds(name) for name in names), f"the phone to have {names}")

    def free(self, *names: str) -> None:
        """Delete them on the phone, as Free up space does, and let its Syncthing see it."""
        for name in names:
            (self.camera / name).unlink()
        self.phone.scan(FOLDER)

    def holds(self, name: str) -> bool:
        file = self.box.file(FOLDER, name) or {}
        return any(one["id"] == self.phone.id and not one["fromTemporary"] for one in file.get("availability") or ())

    def is_gone(self, name: str) -> bool:
        """Whether a deletion has reached the box, and both agree."""
        return bool(self.box.file(FOLDER, name)["local"]["deleted"]) and self.holds(name)

    def connected(self) -> None:
        eventually(
            lambda: self.box.is_connected_to(self.phone) and self.phone.is_connected_to(self.box), "a connection"
        )

    def settled(self) -> None:
        """Both are idle and miss nothing."""
        eventually(lambda: all(_is_idle(one) for one in (self.box, self.phone)), "both to be idle")

    def agree(self, name: str) -> None:
        """Both have the same version of a file, and know it of each other."""

        def versions() -> set[tuple[str, ...]]:
            files = [one.file(FOLDER, name) or {} for one in (self.box, self.phone)]
            found = [(file.get(which) or {}).get("version") for file in files for which in ("global", "local")]
            return {tuple(one or ()) for one in found}

        self.connected()
        eventually(lambda: len(versions()) == 1 and self.holds(name), f"both to agree on {name}")

    def alone(self) -> None:
        """The box rests, without a phone: nothing will happen by itself any more."""
        self.settled()
        self.phone.stop()
        eventually(lambda: not self.box.is_connected_to(self.phone), "the phone to be gone")


def _is_idle(one: RealSyncthing) -> bool:
    status = one.get("db/status", folder=FOLDER)
    return bool(status["state"] == "idle" and not status["needTotalItems"])


@pytest.fixture
def box(tmp_path: Path) -> Iterator[RealSyncthing]:
    yield from running(tmp_path, "box")


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[RealSyncthing]:
    yield from running(tmp_path, "phone")


def running(root: Path, name: str) -> Iterator[RealSyncthing]:
    if why := real_syncthing.missing():
        pytest.skip(why)
    one = RealSyncthing(root / f"{name}-home", name=name)
    try:
        yield one.start()
    finally:
        one.stop()


@pytest.fixture
def world(tmp_path: Path, box: RealSyncthing, phone: RealSyncthing) -> World:
    """Paired, connected and sharing."""
    pair(box, phone)
    world = World(tmp_path, box, phone)
    world.share()
    return world


@pytest.fixture
async def client(box: RealSyncthing) -> AsyncIterator[Syncthing]:
    """The code under test, talking to the box's."""
    client = Syncthing(box.url, box.key, name="anna")
    yield client
    await client.close()


@pytest.fixture
async def folder(client: Syncthing, world: World) -> PhoneFolder:
    return PhoneFolder(client, FOLDER, outbox=world.outbox)


class Two:
    """The box's Syncthing and the phone's, for a whole module: each test shares a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.box = RealSyncthing(root / "box", name="box")
        self.phone = RealSyncthing(root / "phone", name="phone")
        self.numbers = itertools.count(1)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    if why := real_syncthing.missing():
        pytest.skip(why)
    two = Two(tmp_path_factory.mktemp("syncthings"))
    with two.box, two.phone:
        pair(two.box, two.phone)
        yield two
