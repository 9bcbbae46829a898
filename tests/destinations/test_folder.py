"""Whether a shared folder can be believed, and what happens in it."""

import asyncio
import shutil
from pathlib import Path

import pytest

from destinations.conftest import FOLDER, World
from destinations.real_syncthing import RealSyncthing, eventually, pair
from mediabox.destinations.pixel.folder import FolderState, PhoneFolder, short_id
from mediabox.destinations.pixel.soundness import FaultKind
from mediabox.destinations.pixel.syncthing import Syncthing
from mediabox.destinations.pixel.watch import EventMark, Watch
from mediabox.errors import Away

LONG_S = 50.0  # a wait that ends long before, because something happened
NOW_S = 0.0


@pytest.fixture
def watch(folder: PhoneFolder) -> Watch:
    return Watch(folder.client, FOLDER)


def kinds(state: FolderState) -> set[FaultKind]:
    return {fault.kind for fault in state.faults}


async def test_a_paired_folder_is_sound_and_shows_its_phone(folder: PhoneFolder, world: World) -> None:
    world.deliver("IMG_1.JPG", "IMG_2.JPG")
    world.settled()

    state = await folder.state()

    assert state.is_sound
    assert state.is_settled
    assert state.others == ()
    assert state.phone is not None
    assert state.phone.device_id == world.phone.id
    assert state.phone.is_connected
    assert state.phone.last_seen_ms is not None
    assert (state.phone.percent, state.phone.need_bytes, state.phone.need_items) == (100, 0, 0)


async def test_what_the_phone_still_needs_is_counted_while_it_is_off(folder: PhoneFolder, world: World) -> None:
    world.deliver("IMG_1.JPG")
    world.phone.stop()
    world.put("IMG_2.JPG", size=5000)
    eventually(lambda: not world.box.is_connected_to(world.phone), "the phone to be gone")

    state = await folder.state()
    needed = [file.name async for file in folder.client.remote_need(FOLDER, world.phone.id)]

    assert state.is_sound
    assert state.phone is not None
    assert not state.phone.is_connected
    assert state.phone.last_seen_ms is not None
    assert state.phone.need_items == 1
    assert needed == ["IMG_2.JPG"]


async def test_a_folder_that_is_not_there_is_a_fault(client: Syncthing, tmp_path: Path) -> None:
    state = await PhoneFolder(client, FOLDER, outbox=tmp_path).state()

    assert kinds(state) == {FaultKind.MISSING}
    assert "mediabox pixel pair anna" in state.faults[0].remedy
    assert state.phone is None


async def test_each_thing_wrong_with_a_folder_is_named(client: Syncthing, world: World, tmp_path: Path) -> None:
    folder = PhoneFolder(client, FOLDER, outbox=world.outbox)
    found: dict[str, set[FaultKind]] = {}
    for what, changes in {
        "wrong type": {"type": "sendonly"},
        "ignores deletions": {"type": "sendreceive", "ignoreDelete": True},
        "paused": {"ignoreDelete": False, "paused": True},
        "well": {"paused": False},
    }.items():
        await client.change_folder(FOLDER, **changes)
        eventually(lambda: world.box.get("db/status", folder=FOLDER)["state"] in ("idle", ""), "it to settle")
        found[what] = kinds(await folder.state())
    found["elsewhere"] = kinds(await PhoneFolder(client, FOLDER, outbox=tmp_path / "other").state())
    world.box.post(f"db/ignores?folder={FOLDER}", {"ignore": ["*.MOV"]})
    found["patterns"] = kinds(await folder.state())

    assert found == {
        "wrong type": {FaultKind.WRONG_TYPE},
        "ignores deletions": {FaultKind.IGNORING},
        "paused": {FaultKind.PAUSED},
        "well": set(),
        "elsewhere": {FaultKind.ELSEWHERE},
        "patterns": {FaultKind.IGNORING},
    }


async def test_a_missing_marker_is_a_fault_and_no_file_counts_as_deleted(folder: PhoneFolder, world: World) -> None:
    world.deliver("IMG_1.JPG")
    shutil.rmtree(world.outbox)
    world.outbox.mkdir()

    with pytest.raises(Away, match="marker missing") as caught:  # as an unmounted disk
        await folder.announce("IMG_1.JPG")
    state = await folder.state()
    world.box.restart()
    restarted = await folder.state()

    assert "Mount" in caught.value.remedy
    assert kinds(state) == kinds(restarted) == {FaultKind.UNMARKED, FaultKind.FAILED}
    assert (world.camera / "IMG_1.JPG").exists()


async def test_files_that_cannot_be_handled_are_a_fault(folder: PhoneFolder, world: World) -> None:
    world.deliver("IMG_1.JPG")
    (world.outbox / "IMG_2.JPG").mkdir()  # in the way of the phone's file
    (world.outbox / "IMG_2.JPG" / "kept").write_bytes(b"x")
    world.box.post(f"db/ignores?folder={FOLDER}", {"ignore": ["IMG_2.JPG"]})
    world.box.post(f"db/ignores?folder={FOLDER}", {"ignore": []})
    (world.camera / "IMG_2.JPG").write_bytes(b"phone's")
    world.phone.scan(FOLDER)
    eventually(lambda: world.box.get("db/status", folder=FOLDER)["errors"], "an error")

    state = await folder.state()

    assert FaultKind.ERRORS in kinds(state)
    assert "IMG_2.JPG" in " ".join(fault.message for fault in state.faults)


async def test_with_a_third_device_the_phone_has_to_be_named(client: Syncthing, world: World, tmp_path: Path) -> None:
    with RealSyncthing(tmp_path / "tablet-home", name="tablet") as tablet:
        pair(world.box, tablet)
        devices = [{"deviceID": world.phone.id}, {"deviceID": tablet.id}]
        world.box.patch(f"config/folders/{FOLDER}", {"devices": devices})

        unnamed = await PhoneFolder(client, FOLDER, outbox=world.outbox).state()
        named = await PhoneFolder(client, FOLDER, outbox=world.outbox, device=world.phone.id).state()

    assert kinds(unnamed) == {FaultKind.UNSHARED}
    assert named.is_sound
    assert named.others == (tablet.id,)
    assert named.phone is not None
    assert named.phone.device_id == world.phone.id


async def test_many_files_are_asked_for_at_once(folder: PhoneFolder, world: World) -> None:
    names = [f"IMG_{number}.JPG" for number in range(120)]
    world.put(*names)

    found = await folder.files([*names, "IMG_none.JPG"])

    assert sorted(found) == sorted(names)
    assert {file.local.modified_by for file in found.values()} == {short_id(world.box.id)}


async def test_a_syncthing_that_goes_away_while_files_are_asked_for_is_away(folder, world: World) -> None:
    world.put("IMG_1.JPG")
    world.box.stop()

    with pytest.raises(Away):
        await folder.files([f"IMG_{number}.JPG" for number in range(20)])


# ---- what happens


async def test_waiting_begins_with_a_look_and_then_sleeps(watch: Watch, world: World) -> None:
    world.deliver("IMG_1.JPG")
    world.alone()

    first = await watch.wait(NOW_S)
    quiet = await watch.wait(1)

    assert first
    assert not quiet


async def test_waiting_ends_when_the_phone_deletes_something(watch: Watch, world: World) -> None:
    world.deliver("IMG_1.JPG")
    world.settled()
    while await watch.wait(1):
        pass

    world.free("IMG_1.JPG")
    woken = await watch.wait(LONG_S)

    assert woken


async def test_what_happened_between_two_waits_is_not_missed(watch: Watch, world: World) -> None:
    world.deliver("IMG_1.JPG")
    world.settled()
    while await watch.wait(1):
        pass

    world.free("IMG_1.JPG")
    eventually(lambda: world.is_gone("IMG_1.JPG"), "the deletion to arrive")

    assert await watch.wait(NOW_S + 1)


async def test_another_folders_events_wake_nobody(watch: Watch, world: World, tmp_path: Path) -> None:
    world.box.share("other", tmp_path / "other")
    eventually(lambda: world.box.get("db/status", folder="other")["state"] == "idle", "the other folder")
    world.alone()
    await watch.wait(NOW_S)

    (tmp_path / "other" / "IMG_9.JPG").write_bytes(b"x")
    world.box.scan("other")

    assert not await watch.wait(1)


async def test_a_restart_between_two_waits_counts_as_a_change(watch: Watch, world: World) -> None:
    while await watch.wait(1):
        pass

    world.box.restart()

    assert await watch.wait(LONG_S)


async def test_a_syncthing_that_stops_while_waited_for_is_away(watch: Watch, world: World) -> None:
    while await watch.wait(1):
        pass

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(ended_by_away(watch))
        await asyncio.to_thread(world.box.stop)

    assert waiting.result()


async def ended_by_away(watch: Watch) -> bool:
    try:
        while await watch.wait(LONG_S):  # the phone's leaving may be told first
            pass
    except Away:
        return True
    return False


async def test_changes_of_others_are_told_once_with_their_author(watch: Watch, world: World) -> None:
    world.deliver("IMG_1.JPG", "IMG_2.JPG")
    before, mark = await watch.changes(EventMark())
    world.free("IMG_1.JPG")
    eventually(lambda: world.is_gone("IMG_1.JPG"), "the deletion to arrive")

    after, mark = await watch.changes(mark)
    again, _ = await watch.changes(mark)

    assert before == again == ()
    assert [(one.data.path, one.data.action, one.data.modified_by) for one in after if one.data] == [
        ("IMG_1.JPG", "deleted", short_id(world.phone.id))
    ]
    assert after[0].time > "2020"


async def test_a_restart_is_a_gap_in_the_changes(watch: Watch, world: World) -> None:
    world.deliver("IMG_1.JPG")
    _, before = await watch.changes(EventMark())
    world.free("IMG_1.JPG")
    eventually(lambda: world.is_gone("IMG_1.JPG"), "the deletion to arrive")
    world.box.restart()

    changes, after = await watch.changes(before)

    assert changes == ()
    assert after.run != before.run
