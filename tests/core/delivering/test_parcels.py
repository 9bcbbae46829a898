"""What a delivery is made of, as the archive has it."""

import os
from pathlib import Path

import pytest
from core.catalogue_of import SAID
from core.delivering.wishing import clip, still

from mediabox.core.delivering import parcels
from mediabox.core.delivering.parcels import ArchivedOriginals, Parcels
from mediabox.durable.volume import Volume
from mediabox.errors import Away, Permanent
from mediabox.model.delivery import DeliveryState
from mediabox.model.facts import TimeSource
from mediabox.store import deliveries


async def test_a_parcel_has_its_files_with_their_own_facts_and_what_is_known_of_the_asset(shelf) -> None:
    await shelf.put("a", still("a"), clip("a"), said=SAID)
    await shelf.plan_all()
    await shelf.admit("a.JPG")
    one = await shelf.the("a.JPG")

    found = await Parcels(shelf.box.database).parcel(one.id)

    assert found is not None
    assert (found.first.resource.name, found.clip.resource.name) == ("a.JPG", "a.MOV")
    assert found.first.facts.capture_time is None  # the file's own word
    assert found.capture_time.source is TimeSource.SOURCE  # the asset's


@pytest.mark.parametrize("state", [state for state in DeliveryState if state is not DeliveryState.ADMITTED])
async def test_only_what_was_admitted_is_made(shelf, state) -> None:
    await shelf.put("a", still("a"))
    await shelf.plan_all()
    one = await shelf.the("a.JPG")
    await shelf.box.database.write(lambda connection: deliveries.set_state(connection, one.id, state, at_ms=1))

    assert await Parcels(shelf.box.database).parcel(one.id) is None
    assert await Parcels(shelf.box.database).parcel(12345) is None


@pytest.mark.parametrize("remote_id", ["a/original", "a/live"])
async def test_a_file_that_has_left_the_archive_is_no_parcel(shelf, remote_id) -> None:
    await shelf.put("a", still("a"), clip("a"))
    await shelf.plan_all()
    await shelf.admit("a.JPG")
    gone, one = await shelf.box.file(remote_id), await shelf.the("a.JPG")
    await shelf.box.database.write(
        lambda connection: connection.execute("UPDATE resource SET state = 'trashed' WHERE id = ?", (gone.id,))
    )

    with pytest.raises(Permanent, match="not in the archive any more"):
        await shelf.box.ask(parcels.parcel, one.id)


async def test_an_original_is_opened_to_be_read_and_not_through_a_link(shelf, tmp_path: Path) -> None:
    await shelf.put("a", still("a"))
    resource = await shelf.box.file("a/original")
    with Volume.enroll(tmp_path / "archive", now_ms=1) as volume:
        path = volume.root / resource.path
        path.parent.mkdir()
        path.write_bytes(b"a photo")
        originals = ArchivedOriginals(volume)

        descriptor = await originals.open(resource)

        assert os.read(descriptor, 100) == b"a photo"
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(descriptor, b"x")
        os.close(descriptor)
        path.rename(path.with_suffix(".bak"))
        path.symlink_to(path.with_suffix(".bak"))
        with pytest.raises(Permanent, match="symbolic link in place of"):
            await originals.open(resource)


async def test_an_absent_archive_is_away(shelf, tmp_path: Path) -> None:
    await shelf.put("a", still("a"))
    resource = await shelf.box.file("a/original")
    with Volume.enroll(tmp_path / "archive", now_ms=1) as volume:
        volume.root.rename(tmp_path / "elsewhere")

        with pytest.raises(Away):
            await ArchivedOriginals(volume).open(resource)
