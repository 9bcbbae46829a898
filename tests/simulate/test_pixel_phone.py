"""The phone against a real Syncthing of a box: what arrives, what is refused, what travels back."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediabox.simulate.pixel.generation import Model, Quality
from mediabox.simulate.pixel.phone_state import state_of
from mediabox.simulate.pixel.storage import Storage
from tests.simulate.pixel_fixtures import SHARED, Pair, needs_syncthing, paired

pytestmark = needs_syncthing

NAMES = ("IMG_0101.JPG", "IMG_0001.HEIC", "IMG_0130.MOV")


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with paired(tmp_path) as both:
        yield both


@pytest.fixture
def pictures(media: Path) -> list[Path]:
    found = {path.name: path for path in (media / "library").rglob("*") if path.is_file()}
    return [found[name] for name in NAMES]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_every_picture_goes_all_the_way_exactly_once(pair: Pair, pictures: list[Path]) -> None:
    names = await pair.put(*pictures)
    await pair.until_on_phone(*names)
    await pair.phone.scan()
    assert await pair.phone.free_up() == []  # nothing is backed up yet

    assert await pair.phone.back_up() == len(names)
    gone = await pair.phone.free_up()

    assert sorted(gone) == sorted(names)
    await pair.until_gone_from_box(*names)
    sent = pair.phone.backups()
    assert sorted(each.digest for each in sent) == sorted(digest(path) for path in pictures)
    assert not any(each.is_again or each.is_reduced or each.counts_quota for each in sent)
    assert {each.quality for each in sent} == {Quality.ORIGINAL}
    for name in names:
        seen = (await pair.file_on_box(name))["global"]
        assert seen["deleted"] is True
        assert seen["modifiedBy"] == pair.phone.syncthing.short_id


async def test_a_phone_without_room_refuses_and_goes_on_when_some_is_made(pair: Pair, pictures: list[Path]) -> None:
    await pair.phone.fill(free_bytes=0)

    names = await pair.put(*pictures)

    async def is_refused() -> bool:
        await pair.phone.tick(0)
        return {Path(name).name for name in names} == set((await pair.phone.folders.states())[0].refused)

    await pair.phone.syncthing.rest.until(is_refused)
    assert await pair.phone.files() == {}
    await pair.phone.fill(free_bytes=10**9)
    await pair.until_on_phone(*names)


async def test_what_a_full_camera_roll_leaves_decides_what_fits(tmp_path: Path, pictures: list[Path]) -> None:
    wanted = sum(path.stat().st_size for path in pictures)
    just_enough = next(size for size in itertools.count(wanted) if size - size // 100 == wanted)
    async with paired(tmp_path, storage=Storage(size_bytes=just_enough)) as pair:
        names = await pair.put(*pictures)
        await pair.until_on_phone(*names)

        await pair.phone.tick(0)

        assert (await state_of(pair.phone)).free_bytes == pair.phone.storage.kept_bytes
        (pair.outbox / "late.jpg").write_bytes(pictures[0].read_bytes())
        await pair.box.scan("mediabox-anna")

        async def is_refused() -> bool:
            await pair.phone.tick(0)
            return (await pair.phone.folders.states())[0].refused == ("late.jpg",)

        await pair.phone.syncthing.rest.until(is_refused)
        await pair.phone.scan()
        await pair.phone.back_up()
        await pair.phone.free_up()
        await pair.until_on_phone(f"{SHARED}/late.jpg")


async def test_nothing_arrives_while_it_dozes_and_everything_in_its_window(pair: Pair, pictures: list[Path]) -> None:
    await pair.until_connected()
    await pair.phone.doze(every_s=600, window_s=60)

    async def is_away() -> bool:
        return not await pair.box.connected()

    await pair.box.rest.until(is_away)
    names = await pair.put(*pictures)
    await pair.phone.tick(300)
    assert (await state_of(pair.phone)).connected == ()
    assert await pair.phone.files() == {}
    await pair.phone.tick(250)
    assert (await state_of(pair.phone)).is_reachable
    await pair.until_on_phone(*names)
    await pair.phone.tick(60)
    await pair.box.rest.until(is_away)
    await pair.phone.wake()
    await pair.until_connected()


async def test_deletions_made_while_away_arrive_when_it_is_back(pair: Pair, pictures: list[Path]) -> None:
    names = await pair.put(*pictures)
    await pair.until_on_phone(*names)
    await pair.phone.airplane(on=True)

    await pair.phone.delete([names[0]])

    assert (pair.outbox / NAMES[0]).exists()
    await pair.phone.airplane(on=False)
    await pair.until_gone_from_box(names[0])
    assert (await pair.file_on_box(names[0]))["global"]["modifiedBy"] == pair.phone.syncthing.short_id
    assert (pair.outbox / NAMES[1]).exists()


@pytest.mark.parametrize("who", ["box", "phone", "both"])
async def test_either_side_killed_takes_up_where_it_was(pair: Pair, pictures: list[Path], who: str) -> None:
    first = await pair.put(pictures[0])
    await pair.until_on_phone(*first)
    await pair.phone.scan()
    await pair.phone.back_up()

    if who != "box":
        await pair.phone.kill_syncthing()
        await pair.phone.tick(1)  # the phone lives on without it
    if who != "phone":
        await pair.box.kill()
        await pair.box.start()
    await pair.phone.launch()
    rest = await pair.put(*pictures[1:])
    await pair.until_on_phone(*first, *rest)
    await pair.phone.free_up()
    await pair.until_gone_from_box(*first)

    assert [each.name for each in pair.phone.backups()] == first


async def test_a_reboot_finds_what_a_stalled_scanner_missed(pair: Pair, pictures: list[Path]) -> None:
    pair.phone.media_store.is_stalled = True
    names = await pair.put(*pictures)
    await pair.until_on_phone(*names)

    await pair.phone.tick(3600)
    await pair.phone.back_up()
    missed = pair.phone.backups()
    await pair.phone.reboot()
    await pair.phone.back_up()

    assert missed == []
    assert sorted(each.name for each in pair.phone.backups()) == sorted(names)
    await pair.until_connected()


async def test_a_picture_changed_on_the_phone_is_another_and_comes_back_changed(
    pair: Pair, pictures: list[Path]
) -> None:
    (name,) = await pair.put(pictures[0])
    await pair.until_on_phone(name)
    await pair.phone.scan()
    await pair.phone.back_up()

    await pair.phone.edit(name)

    assert await pair.phone.free_up() == []  # as it is now, it is not backed up
    changed = digest(pair.phone.roll.root / name)

    async def has_changed() -> bool:
        return digest(pair.outbox / NAMES[0]) == changed

    await pair.box.rest.until(has_changed)
    assert (await pair.file_on_box(name))["global"]["modifiedBy"] == pair.phone.syncthing.short_id
    await pair.phone.scan()
    await pair.phone.back_up()
    assert [each.digest for each in pair.phone.backups()] == [digest(pictures[0]), changed]


async def test_a_wiped_phone_takes_the_outbox_along_but_lost_folders_do_not(pair: Pair, pictures: list[Path]) -> None:
    names = await pair.put(*pictures)
    await pair.until_on_phone(*names)

    await pair.phone.wipe()

    await pair.until_gone_from_box(*names)
    assert pair.phone.backups() == []
    again = await pair.put(*pictures)
    await pair.until_on_phone(*again)
    await pair.phone.wipe(folders=True)

    async def is_broken() -> bool:
        return bool((await pair.phone.folders.states())[0].error)

    await pair.phone.syncthing.rest.until(is_broken)
    assert all((pair.outbox / name).exists() for name in NAMES)


async def test_an_empty_battery_switches_it_off_until_it_is_charged(pair: Pair) -> None:
    await pair.until_connected()
    pair.phone.battery.percent = 1.01

    await pair.phone.tick(1800)

    assert not pair.phone.syncthing.is_running
    pair.phone.battery.is_charging = True
    await pair.phone.tick(60)
    assert not pair.phone.syncthing.is_running
    await pair.phone.tick(3600)
    await pair.until_connected()


async def test_a_later_generation_backs_up_against_the_quota(tmp_path: Path, pictures: list[Path]) -> None:
    async with paired(tmp_path, model=Model.LATER) as pair:
        names = await pair.put(*pictures)
        await pair.until_on_phone(*names)
        await pair.phone.scan()

        await pair.phone.back_up()

        assert all(each.counts_quota for each in pair.phone.backups())
