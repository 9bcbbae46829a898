"""Pairing: what it sets up, that it may be repeated, and what it refuses."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from destinations.conftest import FOLDER, running
from destinations.real_syncthing import RealSyncthing, eventually
from mediabox.destinations.pixel import pairing
from mediabox.destinations.pixel.folder import PhoneFolder
from mediabox.destinations.pixel.pairing import Paired
from mediabox.destinations.pixel.syncthing import Syncthing
from mediabox.errors import NeedsHuman


class Home:
    """Where a box keeps things."""

    def __init__(self, root: Path) -> None:
        self.home = root / "box"
        self.archive = root / "archive"
        self.outbox = self.home / "outbox" / "anna" / "photos"
        for folder in (self.archive, self.outbox):
            folder.mkdir(parents=True)

    async def pair(self, client: Syncthing, device: str = "", outbox: Path | None = None) -> Paired:
        return await pairing.pair(
            client,
            folder_id=FOLDER,
            label="mediabox anna",
            outbox=outbox or self.outbox,
            archive=self.archive,
            home=self.home,
            device_id=device,
        )


@pytest.fixture
def place(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def tablet(tmp_path: Path) -> Iterator[RealSyncthing]:
    yield from running(tmp_path, "tablet")


async def test_without_a_phone_the_folder_is_ready_and_empty_handed(client: Syncthing, box, place: Home) -> None:
    paired = await place.pair(client)
    folder = box.get(f"config/folders/{FOLDER}")

    assert paired.box_id == box.id
    assert paired.device_id == ""
    assert not paired.is_connected
    assert (place.outbox / ".stfolder").exists()
    assert folder["type"] == "sendreceive"
    assert (folder["ignorePerms"], folder["fsWatcherEnabled"], folder["paused"]) == (True, True, False)
    assert (folder["rescanIntervalS"], folder["maxConflicts"], folder["order"]) == (3600, 0, "newestFirst")
    assert folder["versioning"]["type"] == ""
    assert folder["minDiskFree"] == {"value": 1, "unit": "%"}


async def test_a_phone_that_asks_is_let_in_and_gets_files(client: Syncthing, box, phone, place: Home) -> None:
    phone.knows(box)
    assert await pairing.wait_for(client, timeout_s=60)
    asking = (await place.pair(client)).asking
    paired = await place.pair(client, asking[0].device_id)
    phone.share(FOLDER, place.home / "DCIM", box)

    connected = await pairing.wait_for(client, device_id=paired.device_id, timeout_s=60)
    (place.outbox / "IMG_1.JPG").write_bytes(b"picture")
    folder = PhoneFolder(client, FOLDER, outbox=place.outbox)
    await folder.announce("IMG_1.JPG")

    assert [(one.device_id, one.name) for one in asking] == [(phone.id, "phone")]
    assert connected
    eventually((place.home / "DCIM" / "IMG_1.JPG").exists, "the phone to have it")
    assert (await folder.state()).is_sound
    assert (await place.pair(client)).is_connected
    assert (await client.pending_devices()) == {}


async def test_pairing_again_changes_nothing(client: Syncthing, box, phone, place: Home) -> None:
    first = await place.pair(client, phone.id)
    before = box.get("config")
    again = await place.pair(client, phone.id)
    without_naming = await place.pair(client)

    assert len(first.did) == 2
    assert again.did == without_naming.did == ()
    assert without_naming.device_id == phone.id
    assert box.get("config") == before


async def test_what_was_set_otherwise_is_put_right_and_the_rest_left(
    client: Syncthing, box, phone, place: Home
) -> None:
    await place.pair(client, phone.id)
    box.patch(f"config/folders/{FOLDER}", {"type": "sendonly", "paused": True, "label": "Anna's", "copiers": 3})
    box.patch(f"config/devices/{phone.id}", {"introducer": True, "name": "Pixel", "compression": "always"})

    paired = await place.pair(client, phone.id)
    folder, device = box.get(f"config/folders/{FOLDER}"), box.get(f"config/devices/{phone.id}")

    assert len(paired.did) == 2
    assert (folder["type"], folder["paused"], folder["label"], folder["copiers"]) == ("sendreceive", False, "Anna's", 3)
    assert (device["introducer"], device["name"], device["compression"]) == (False, "Pixel", "always")


async def test_a_second_device_is_added_and_the_first_kept(client: Syncthing, box, phone, tablet, place: Home) -> None:
    await place.pair(client, phone.id)
    paired = await place.pair(client, tablet.id)
    undecided = await place.pair(client)

    shared = {one["deviceID"] for one in box.get(f"config/folders/{FOLDER}")["devices"]}
    assert shared == {box.id, phone.id, tablet.id}
    assert paired.device_id == tablet.id
    assert undecided.device_id == ""


@pytest.mark.parametrize("which", ["archive", "in archive", "home", "above both", "linked archive"])
async def test_what_must_stay_here_is_never_shared(client: Syncthing, box, place: Home, which: str) -> None:
    link = place.home / "link"
    link.symlink_to(place.archive)
    (place.archive / "2024").mkdir()
    outbox = {
        "archive": place.archive,
        "in archive": place.archive / "2024",
        "home": place.home,
        "above both": place.home.parent,
        "linked archive": link,
    }[which]

    with pytest.raises(NeedsHuman, match="never shared") as caught:
        await place.pair(client, outbox=outbox)

    assert caught.value.issue == "destination.folder"
    assert caught.value.remedy
    assert box.get("config/folders") == []


async def test_an_outbox_that_is_not_there_is_not_made(client: Syncthing, box, place: Home) -> None:
    place.outbox.rmdir()

    with pytest.raises(NeedsHuman, match="is not there"):
        await place.pair(client)

    assert not place.outbox.exists()
    assert box.get("config/folders") == []


@pytest.mark.parametrize("where", ["same", "above", "below"])
async def test_a_place_another_share_uses_is_refused(client: Syncthing, box, place: Home, where: str) -> None:
    other = {"same": place.outbox, "above": place.outbox.parent, "below": place.outbox / "x"}[where]
    box.share("other", other)

    with pytest.raises(NeedsHuman, match=r"shares .* already") as caught:
        await place.pair(client)

    assert "other" in str(caught.value)
    assert [one["id"] for one in box.get("config/folders")] == ["other"]


async def test_a_folder_is_never_moved(client: Syncthing, box, place: Home, tmp_path: Path) -> None:
    box.share(FOLDER, tmp_path / "before")

    with pytest.raises(NeedsHuman, match="lies at") as caught:
        await place.pair(client)

    assert "remove the folder" in caught.value.remedy
    assert box.get(f"config/folders/{FOLDER}")["path"] == str(tmp_path / "before")


async def test_a_marker_that_was_lost_is_not_made_again(client: Syncthing, place: Home) -> None:
    await place.pair(client)
    shutil.rmtree(place.outbox / ".stfolder")  # 1.29 keeps a file in it
    await place.pair(client)

    assert not (place.outbox / ".stfolder").exists()


@pytest.mark.parametrize(
    "wrong", ["nonsense", "P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ3", "box"]
)
async def test_what_is_no_phone_is_not_let_in(client: Syncthing, box, place: Home, wrong: str) -> None:
    with pytest.raises(NeedsHuman) as caught:
        await place.pair(client, box.id if wrong == "box" else wrong)

    assert caught.value.issue == "destination.device"
    assert len(box.get("config/devices")) == 1
    assert box.get("config/folders") == []


async def test_an_id_in_another_spelling_is_the_same_device(client: Syncthing, phone, place: Home) -> None:
    paired = await place.pair(client, phone.id.replace("-", "").lower())

    assert paired.device_id == phone.id


async def test_waiting_for_a_phone_ends_when_it_comes_and_when_the_time_is_over(client, box, phone, place) -> None:
    await place.pair(client, phone.id)
    early = await pairing.wait_for(client, device_id=phone.id, timeout_s=0)

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(pairing.wait_for(client, device_id=phone.id, timeout_s=60))
        await asyncio.to_thread(phone.knows, box)

    assert not early
    assert waiting.result()
