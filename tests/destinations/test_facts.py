"""What real Syncthings say of a file after everything that can happen to it: the table in `folder.py`, proved.

Should a newer Syncthing answer otherwise, these fail first, and what counts as evidence has to be thought over.
"""

import random
import shutil
import time

from destinations.conftest import FOLDER, World
from destinations.real_syncthing import RealSyncthing, eventually, pair
from mediabox.destinations.pixel.answers import FileState
from mediabox.destinations.pixel.folder import PhoneFolder, counter_of, is_deleted_by, is_held_by, short_id

PHOTO = "IMG_1.JPG"


async def seen(folder: PhoneFolder, name: str = PHOTO) -> FileState:
    return (await folder.files([name]))[name]


def authors(file: FileState) -> set[str]:
    return {one.partition(":")[0] for one in file.agreed.version}


async def test_a_file_is_unknown_until_it_was_announced(folder: PhoneFolder, world: World) -> None:
    world.phone.stop()
    (world.outbox / PHOTO).write_bytes(b"picture")

    before = await folder.files([PHOTO])
    await folder.announce(PHOTO)
    after = await seen(folder)

    assert before == {}
    assert after.is_settled
    assert after.agreed.size == 7
    assert after.agreed.modified_by == short_id(world.box.id)
    assert after.holders == frozenset()


async def test_the_phone_holds_a_file_once_it_has_it_and_while_it_is_connected(folder, world: World) -> None:
    world.deliver(PHOTO)

    with_phone = await seen(folder)
    world.phone.stop()
    eventually(lambda: not world.box.is_connected_to(world.phone), "the phone to be gone")
    without = await seen(folder)

    assert (world.camera / PHOTO).exists()
    assert is_held_by(with_phone, world.phone.id)
    assert with_phone.agreed.version == without.agreed.version
    assert not is_held_by(without, world.phone.id)


async def test_a_file_the_phone_has_only_begun_to_fetch_is_not_held(folder: PhoneFolder, world: World) -> None:
    world.box.patch("config/options", {"maxSendKbps": 50, "limitBandwidthInLan": True})
    world.phone.patch(f"config/folders/{FOLDER}", {"blockPullOrder": "inOrder"})  # only the first block can be told of
    world.phone.restart()  # a folder shared while connected tells of no progress
    world.connected()
    world.settled()
    (world.outbox / "VID_1.MOV").write_bytes(random.Random(1).randbytes(3_000_000))
    world.box.scan(FOLDER)

    begun = eventually(lambda: (world.box.file(FOLDER, "VID_1.MOV") or {}).get("availability"), "a first block")
    file = await seen(folder, "VID_1.MOV")

    assert begun == [{"id": world.phone.id, "fromTemporary": True}]
    assert not is_held_by(file, world.phone.id)
    assert not (world.camera / "VID_1.MOV").exists()


async def test_a_deletion_by_the_phone_keeps_its_author_through_restarts(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO)
    world.free(PHOTO)
    eventually(lambda: world.is_gone(PHOTO), "the deletion to arrive")

    first = await seen(folder)
    world.box.restart()
    world.phone.restart()
    world.connected()
    eventually(lambda: world.holds(PHOTO), "the index to be exchanged")
    again = await seen(folder)

    assert not (world.outbox / PHOTO).exists()
    assert is_deleted_by(first, world.phone.id)
    assert not is_deleted_by(first, world.box.id)
    assert is_deleted_by(again, world.phone.id)
    assert authors(again) == {short_id(world.phone.id), short_id(world.box.id)}
    assert counter_of(again, world.phone.id) == counter_of(first, world.phone.id) is not None


async def test_a_deletion_while_disconnected_counts_as_the_phones(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO)
    world.phone.stop()
    (world.camera / PHOTO).unlink()

    world.phone.start()
    eventually(lambda: world.is_gone(PHOTO), "the deletion to arrive")

    assert is_deleted_by(await seen(folder), world.phone.id)


async def test_a_deletion_by_the_box_is_not_the_phones(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO)
    (world.outbox / PHOTO).unlink()
    world.box.scan(FOLDER)
    eventually(lambda: world.is_gone(PHOTO), "the phone to follow")

    file = await seen(folder)

    assert not (world.camera / PHOTO).exists()
    assert is_deleted_by(file, world.box.id)
    assert not is_deleted_by(file, world.phone.id)


async def test_when_both_delete_apart_the_phone_is_named_that_noticed_later(folder: PhoneFolder, world: World) -> None:
    """Of two deletions the later counts, to the second; within one, the devices' random ids decide."""
    world.deliver(PHOTO)
    world.phone.stop()
    (world.outbox / PHOTO).unlink()
    world.box.scan(FOLDER)
    (world.camera / PHOTO).unlink()
    deleted_s = int(time.time())
    eventually(lambda: int(time.time()) > deleted_s, "the next second")

    world.phone.start()
    world.agree(PHOTO)

    assert is_deleted_by(await seen(folder), world.phone.id)


async def test_a_rename_on_the_phone_looks_like_a_deletion_and_a_new_file(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO)
    (world.camera / PHOTO).rename(world.camera / "Ferien.jpg")
    world.phone.scan(FOLDER)
    eventually(lambda: world.is_gone(PHOTO), "the deletion to arrive")
    eventually((world.outbox / "Ferien.jpg").exists, "the new name to arrive")

    old, new = await seen(folder), await seen(folder, "Ferien.jpg")

    assert is_deleted_by(old, world.phone.id)
    assert authors(new) == {short_id(world.phone.id)}
    assert not new.agreed.deleted


async def test_a_change_on_the_phone_overwrites_the_outbox(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO)
    (world.camera / PHOTO).write_bytes(b"cropped")
    world.phone.scan(FOLDER)
    eventually(lambda: (world.outbox / PHOTO).read_bytes() == b"cropped", "the change to arrive")
    world.settled()

    file = await seen(folder)

    assert file.agreed.modified_by == short_id(world.phone.id)
    assert file.agreed.size == 7
    assert is_held_by(file, world.phone.id)


async def test_a_paused_folder_hides_what_the_phone_has(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO)
    world.phone.patch(f"config/folders/{FOLDER}", {"paused": True})
    eventually(lambda: not world.holds(PHOTO), "the pause to be told")

    file = await seen(folder)
    state = await folder.state()

    assert not file.agreed.deleted
    assert file.holders == frozenset()
    assert state.is_sound
    assert state.phone is not None
    assert state.phone.is_connected


async def test_a_phone_that_lost_its_storage_and_marker_still_says_it_has_the_file(folder, world: World) -> None:
    world.deliver(PHOTO)
    world.phone.stop()
    shutil.rmtree(world.camera)
    world.camera.mkdir()

    world.phone.start()
    eventually(lambda: world.holds(PHOTO), "the index to be exchanged")
    eventually(lambda: world.phone.get("db/status", folder=FOLDER)["state"] == "error", "the phone to notice")
    file = await seen(folder)

    assert is_held_by(file, world.phone.id)  # why P alone is no proof of bytes
    assert not file.agreed.deleted


async def test_a_phone_that_lost_its_index_may_become_the_author_of_what_it_keeps(folder, world: World) -> None:
    """Two versions of the same bytes and time: which of them Syncthing keeps hangs on the devices' random ids."""
    world.deliver(PHOTO)
    world.phone.stop()
    world.phone.forget_database()
    world.box.stop()  # so that the phone scans before it hears what the box has

    world.phone.start()
    eventually(lambda: world.phone.file(FOLDER, PHOTO), "the phone to scan")
    world.box.start()
    world.agree(PHOTO)  # a deletion the other has not heard of loses against the file
    kept = await seen(folder)
    world.free(PHOTO)
    eventually(lambda: world.is_gone(PHOTO), "the deletion to arrive")
    freed = await seen(folder)

    assert authors(kept) in ({short_id(world.phone.id)}, {short_id(world.box.id)})  # never both: nothing joins them
    assert not kept.agreed.deleted
    assert is_deleted_by(freed, world.phone.id)


async def test_a_phone_that_lost_everything_fetches_again_but_not_what_it_had_freed(folder, world: World) -> None:
    world.deliver(PHOTO, "IMG_2.JPG")
    world.free("IMG_2.JPG")
    eventually(lambda: world.is_gone("IMG_2.JPG"), "the deletion to arrive")
    world.phone.stop()
    world.phone.forget_database()
    shutil.rmtree(world.camera)
    world.camera.mkdir()

    world.phone.start()
    eventually(lambda: (world.camera / PHOTO).exists() and world.holds(PHOTO), "it to fetch again")
    kept, freed = await seen(folder), await seen(folder, "IMG_2.JPG")

    assert is_held_by(kept, world.phone.id)
    assert kept.agreed.modified_by == short_id(world.box.id)
    assert is_deleted_by(freed, world.phone.id)
    assert not (world.camera / "IMG_2.JPG").exists()


async def test_a_box_that_lost_its_index_has_no_entry_of_what_was_freed(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO, "IMG_2.JPG")
    world.free("IMG_2.JPG")
    eventually(lambda: world.is_gone("IMG_2.JPG"), "the deletion to arrive")
    world.box.stop()
    world.box.forget_database()

    world.box.start()
    world.connected()
    eventually(lambda: world.holds(PHOTO) and world.holds("IMG_2.JPG"), "the index to be exchanged")
    kept, freed = await seen(folder), await seen(folder, "IMG_2.JPG")

    assert is_held_by(kept, world.phone.id)
    assert freed.agreed.deleted
    assert not freed.local.is_known
    assert not is_deleted_by(freed, world.phone.id)


async def test_what_the_phone_deletes_while_the_box_has_no_index_is_sent_again(folder, world: World) -> None:
    world.deliver(PHOTO)
    world.phone.stop()
    (world.camera / PHOTO).unlink()
    world.box.stop()
    world.box.forget_database()

    world.box.start()  # and scans, before it hears of the phone
    eventually(lambda: world.box.file(FOLDER, PHOTO), "the box to scan")
    world.phone.start()
    eventually(lambda: (world.camera / PHOTO).exists() and world.holds(PHOTO), "it to be sent again")
    file = await seen(folder)

    assert (world.outbox / PHOTO).exists()
    assert file.agreed.modified_by == short_id(world.box.id)


async def test_a_phone_that_only_receives_tells_no_deletion(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO)
    world.phone.patch(f"config/folders/{FOLDER}", {"type": "receiveonly"})
    world.connected()
    eventually(lambda: world.holds(PHOTO), "the folder to be back")
    world.free(PHOTO)
    eventually(lambda: not world.holds(PHOTO), "the phone to tell")

    file = await seen(folder)
    state = await folder.state()

    assert not file.agreed.deleted
    assert (world.outbox / PHOTO).exists()
    assert state.phone is not None
    assert state.phone.need_items == 1


async def test_a_deletion_by_a_third_device_names_it(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO)
    with RealSyncthing(world.root / "tablet-home", name="tablet") as tablet:
        pair(world.phone, tablet)
        both = [{"deviceID": world.box.id}, {"deviceID": tablet.id}]
        world.phone.patch(f"config/folders/{FOLDER}", {"devices": both})
        tablet.share(FOLDER, world.root / "tablet", world.phone)
        eventually((world.root / "tablet" / PHOTO).exists, "the tablet to fetch it")
        eventually(lambda: tablet.get("db/status", folder=FOLDER)["state"] == "idle", "the tablet to rest")
        (world.root / "tablet" / PHOTO).unlink()
        tablet.scan(FOLDER)
        eventually(lambda: world.is_gone(PHOTO), "the deletion to arrive")

        file = await seen(folder)

        assert is_deleted_by(file, tablet.id)
        assert not is_deleted_by(file, world.phone.id)


async def test_a_name_put_back_after_a_deletion_is_the_boxs_again(folder: PhoneFolder, world: World) -> None:
    world.deliver(PHOTO)
    world.free(PHOTO)
    eventually(lambda: world.is_gone(PHOTO), "the deletion to arrive")

    world.deliver(PHOTO)
    file = await seen(folder)

    assert not file.agreed.deleted
    assert file.agreed.modified_by == short_id(world.box.id)
    assert is_held_by(file, world.phone.id)
