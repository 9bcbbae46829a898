"""Syncthing is asked no more than needed, and nothing is missed for it."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import pytest

from destinations.standings import BOX, PHONE, B, P, deleted, delivery, file
from mediabox.contracts import Made
from mediabox.destinations.pixel import looking
from mediabox.destinations.pixel.answers import FileState, NeededFile
from mediabox.destinations.pixel.evidence import Standing
from mediabox.destinations.pixel.folder import Phone
from mediabox.destinations.pixel.looking import Looking
from mediabox.durable.outbox import OutboxFolder
from mediabox.durable.volume import Volume
from mediabox.model.delivery import Delivery, DeliveryState

ACCEPTED, STORED = DeliveryState.ACCEPTED, DeliveryState.STORED
CONTENT = b"a photo"


class AskedClient:
    def __init__(self) -> None:
        self.needed: list[NeededFile] = []

    async def my_id(self) -> str:
        return BOX

    async def remote_need(self, folder_id: str, device_id: str):
        assert (folder_id, device_id) == ("mediabox-anna", PHONE)
        for one in self.needed:
            yield one


class AskedFolder:
    """What `Looking` uses of a `PhoneFolder`; keeps what it was asked for."""

    folder_id = "mediabox-anna"

    def __init__(self) -> None:
        self.client = AskedClient()
        self.shows: dict[str, FileState] = {}
        self.asked: list[str] = []
        self.announced: list[str] = []

    async def files(self, names: Iterable[str]) -> Mapping[str, FileState]:
        self.asked = sorted(names)
        return {name: self.shows[name] for name in self.asked if name in self.shows}

    async def announce(self, *names: str) -> None:
        self.announced += names


def phone(need_items: int = 0) -> Phone:
    return Phone(
        device_id=PHONE,
        is_connected=True,
        is_paused=False,
        last_seen_ms=None,
        has_told=True,
        remote_state="valid",
        percent=100.0,
        need_bytes=0,
        need_items=need_items,
    )


@pytest.fixture
async def outbox(tmp_path: Path):
    with Volume.enroll(tmp_path / "outbox", now_ms=1, name="outbox:anna", reserve_percent=0) as volume:
        outbox = OutboxFolder(volume)
        await outbox.prepare()
        yield outbox


@pytest.fixture
def folder() -> AskedFolder:
    return AskedFolder()


def lying(outbox: OutboxFolder, *deliveries: Delivery) -> None:
    for one in deliveries:
        (outbox.folder / one.name).write_bytes(CONTENT)


async def standings(look: Looking, out: list[Delivery], *, need_items: int = 0) -> dict[int, Standing]:
    return {one.delivery.id: one.standing for one in await look.readings(out, phone(need_items))}


async def test_the_first_look_asks_for_everything(folder, outbox) -> None:
    out = [delivery(1, STORED), delivery(2, ACCEPTED)]
    lying(outbox, *out)
    folder.shows = {"1.JPG": file(), "2.JPG": file(holders=())}

    found = await standings(Looking(folder, outbox), out)

    assert folder.asked == ["1.JPG", "2.JPG"]
    assert found == {1: Standing.HELD, 2: Standing.WAITING}


async def test_the_next_one_only_for_what_has_gone_and_what_may_have_arrived(folder, outbox) -> None:
    here, gone, arrived, coming = delivery(1, STORED), delivery(2, STORED), delivery(3, ACCEPTED), delivery(4, ACCEPTED)
    out = [here, gone, arrived, coming]
    lying(outbox, *out)
    folder.shows = {one.name: file() for one in out}
    look = Looking(folder, outbox)
    await standings(look, out)
    (outbox.folder / gone.name).unlink()
    folder.shows |= {gone.name: deleted(), coming.name: file(holders=())}
    folder.client.needed = [NeededFile(name=coming.name), NeededFile(name=arrived.name, deleted=True)]

    found = await standings(look, out, need_items=2)

    assert folder.asked == ["2.JPG", "3.JPG"]
    assert found == {1: Standing.HELD, 2: Standing.FREED, 3: Standing.HELD, 4: Standing.WAITING}


async def test_what_the_phone_needs_is_not_asked_where_it_needs_nothing(folder, outbox) -> None:
    out = [delivery(1, ACCEPTED)]
    lying(outbox, *out)
    folder.shows = {"1.JPG": file()}
    folder.client.needed = [NeededFile(name="1.JPG")]
    look = Looking(folder, outbox)
    await standings(look, out)

    assert await standings(look, out, need_items=0) == {1: Standing.HELD}
    assert folder.asked == ["1.JPG"]


async def test_everything_is_asked_for_again_now_and_then(folder, outbox, monkeypatch) -> None:
    out = [delivery(1, STORED)]
    lying(outbox, *out)
    folder.shows = {"1.JPG": file()}
    look = Looking(folder, outbox)
    await standings(look, out)
    await standings(look, out)
    assert folder.asked == []

    now_s = asyncio.get_running_loop().time() + looking.SWEEP_S
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now_s)
    folder.shows = {"1.JPG": file(f"{P}:2", f"{B}:1", by=P)}

    assert await standings(look, out) == {1: Standing.CHANGED}


async def test_a_sweep_that_failed_is_made_up_for(folder, outbox) -> None:
    out = [delivery(1, STORED)]
    lying(outbox, *out)
    real = folder.files

    async def away(names: Iterable[str]) -> Mapping[str, FileState]:
        raise ConnectionError

    look = Looking(folder, outbox)
    folder.files = away
    with pytest.raises(ConnectionError):
        await standings(look, out)
    folder.files, folder.shows = real, {"1.JPG": file(f"{P}:2", f"{B}:1", by=P)}

    assert await standings(look, out) == {1: Standing.CHANGED}


async def test_what_was_published_before_a_crash_is_told_to_syncthing(folder, outbox) -> None:
    out = [delivery(1, ACCEPTED), delivery(2, STORED)]
    lying(outbox, *out)

    found = await standings(Looking(folder, outbox), out)

    assert folder.announced == ["1.JPG"]  # what was stored once and is forgotten is not our doing
    assert found == {1: Standing.UNKNOWN, 2: Standing.UNKNOWN}


@pytest.mark.parametrize(("content", "expected"), [(CONTENT, Standing.HELD), (b"another", Standing.CHANGED)])
async def test_after_the_phones_index_was_lost_the_bytes_decide(folder, outbox, content, expected) -> None:

    one = msgspec.structs.replace(
        delivery(1, ACCEPTED), size_bytes=len(CONTENT), digest=hashlib.sha256(CONTENT).hexdigest()
    )
    (outbox.folder / one.name).write_bytes(content)
    folder.shows = {one.name: file(f"{P}:2", by=P)}

    assert await standings(Looking(folder, outbox), [one]) == {1: expected}
    assert await outbox.is_whole(one.name, Made(size_bytes=one.size_bytes, digest=one.digest)) is (content == CONTENT)


async def test_a_version_is_hashed_once(folder, outbox, monkeypatch) -> None:
    """A phone whose index was lost keeps its versions for good: the window must not be read at each sweep."""
    one = msgspec.structs.replace(
        delivery(1, STORED), size_bytes=len(CONTENT), digest=hashlib.sha256(CONTENT).hexdigest()
    )
    lying(outbox, one)
    folder.shows = {one.name: file(f"{P}:2", by=P)}
    monkeypatch.setattr(looking, "SWEEP_S", 0.0)
    look = Looking(folder, outbox)
    await standings(look, [one])
    (outbox.folder / one.name).write_bytes(b"another")

    assert await standings(look, [one]) == {1: Standing.HELD}
    folder.shows = {one.name: file(f"{P}:3", by=P)}
    assert await standings(look, [one]) == {1: Standing.CHANGED}
