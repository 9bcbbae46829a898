"""Each order, and what a box's real Syncthing then has in the folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mediabox.simulate.pixel.generation import Model
from mediabox.simulate.pixel.obeying import carry_out
from mediabox.simulate.pixel.orders import (
    Add,
    Charge,
    Done,
    Edit,
    EmptyBin,
    FreeUp,
    Ignore,
    Move,
    ReceiveOnly,
    Rename,
    Rescan,
    Restore,
    Trash,
    Trickle,
)
from mediabox.simulate.pixel.phone import Habits
from mediabox.simulate.pixel.phone_state import state_of
from tests.simulate.pixel_fixtures import FOLDER, SHARED, Pair, needs_syncthing, paired

pytestmark = needs_syncthing
DAY_S = 86_400


@pytest.fixture
def pictures(media: Path) -> list[Path]:
    return [next((media / "library").rglob(f"IMG_010{number}.JPG")) for number in (1, 2, 3)]


async def delivered(pair: Pair, pictures: list[Path]) -> list[str]:
    names = await pair.put(*pictures)
    await pair.until_on_phone(*names)
    await pair.phone.scan()
    return names


def in_outbox(pair: Pair) -> set[str]:
    return {
        path.relative_to(pair.outbox).as_posix()
        for path in pair.outbox.rglob("*")
        if path.is_file() and not path.name.startswith((".syncthing.", ".stfolder", "syncthing-folder"))
    }


async def until_outbox(pair: Pair, *names: str) -> None:
    async def is_so() -> bool:
        return in_outbox(pair) == set(names)

    await pair.box.rest.until(is_so)


async def test_android_11_bins_renames_moves_and_copies_in_sight_of_the_box(
    tmp_path: Path, pictures: list[Path]
) -> None:
    async with paired(tmp_path, model=Model.PIXEL_2) as pair:
        phone = pair.phone
        await delivered(pair, pictures)
        await phone.back_up()

        binned = await carry_out(phone, Trash(name="IMG_0101.JPG"))

        assert binned == Done(files=1, names=(f"{SHARED}/IMG_0101.JPG",))
        (trashed,) = (path.name for path in phone.roll.root.rglob(".trashed-*"))
        assert re.fullmatch(r"\.trashed-\d{10}-IMG_0101\.JPG", trashed)
        await until_outbox(pair, trashed, "IMG_0102.JPG", "IMG_0103.JPG")
        assert (pair.outbox / trashed).read_bytes() == pictures[0].read_bytes()
        assert (await state_of(phone)).in_bin == 1
        assert len(phone.cloud.kept()) == 2

        await carry_out(phone, Restore())
        await until_outbox(pair, "IMG_0101.JPG", "IMG_0102.JPG", "IMG_0103.JPG")
        assert len(phone.cloud.kept()) == 3

        await carry_out(phone, Trash(name="IMG_0101.JPG"))
        await carry_out(phone, EmptyBin())
        await until_outbox(pair, "IMG_0102.JPG", "IMG_0103.JPG")

        await carry_out(phone, Rename(name="IMG_0102.JPG", to="Ferien.JPG"))
        await carry_out(phone, Move(name="IMG_0103.JPG", to="Alt"))
        await until_outbox(pair, "Ferien.JPG", "Alt/IMG_0103.JPG")

        await carry_out(phone, Edit(name="Ferien.JPG", as_copy=True))
        await carry_out(phone, Add())
        await until_outbox(pair, "Ferien.JPG", "Ferien~2.JPG", "Screenshot_1.png", "Alt/IMG_0103.JPG")


async def test_android_10_bins_where_only_google_photos_looks(tmp_path: Path, pictures: list[Path]) -> None:
    async with paired(tmp_path) as pair:
        phone = pair.phone
        await delivered(pair, pictures)
        assert phone.android == 10

        await carry_out(phone, Trash(name="IMG_0101.JPG"))

        await until_outbox(pair, "IMG_0102.JPG", "IMG_0103.JPG")
        seen = (await pair.file_on_box("IMG_0101.JPG"))["global"]
        assert seen["deleted"]
        assert seen["modifiedBy"] == phone.syncthing.short_id  # as after Free up space
        assert phone.cloud.kept() == []

        await carry_out(phone, Restore())
        await until_outbox(pair, "IMG_0101.JPG", "IMG_0102.JPG", "IMG_0103.JPG")

        await phone.back_up()
        await carry_out(phone, Charge())
        await phone.tick(59 * DAY_S)
        assert (await carry_out(phone, Trickle())).names == ()
        await phone.tick(DAY_S)
        assert (await carry_out(phone, Trickle(count=1))).files == 1
        assert len(in_outbox(pair)) >= 2
        assert (await carry_out(phone, Trickle(count=5))).files == 2
        await until_outbox(pair)
        assert len(phone.cloud.kept()) == 3


async def test_free_up_space_goes_by_age_in_batches_and_a_slow_phone_tells_it_late(
    tmp_path: Path, pictures: list[Path]
) -> None:
    async with paired(tmp_path, habits=Habits(backs_up_by_itself=False, is_watched=False)) as pair:
        phone = pair.phone
        for age_days, path in zip((90, 40, 1), pictures, strict=True):
            copy = tmp_path / path.name
            copy.write_bytes(path.read_bytes())
            taken_s = phone.now_ms() / 1000 - age_days * DAY_S
            os.utime(copy, (taken_s, taken_s))
        await delivered(pair, [tmp_path / path.name for path in pictures])
        await phone.back_up()

        first = await carry_out(phone, FreeUp(min_age_days=30, count=1))
        second = await carry_out(phone, FreeUp(min_age_days=30, batches=2))

        assert first.names == (f"{SHARED}/IMG_0101.JPG",)
        assert second.names == (f"{SHARED}/IMG_0102.JPG",)
        assert in_outbox(pair) == {path.name for path in pictures}  # nobody told Syncthing yet
        await carry_out(phone, Rescan())
        await until_outbox(pair, "IMG_0103.JPG")


async def test_a_phone_that_only_receives_or_ignores_keeps_its_deletions_to_itself(
    tmp_path: Path, pictures: list[Path]
) -> None:
    async with paired(tmp_path) as pair:
        phone = pair.phone
        names = await delivered(pair, pictures)
        await phone.back_up()
        await carry_out(phone, ReceiveOnly())

        assert (await carry_out(phone, FreeUp())).files == 3

        async def needs_three() -> bool:
            device = phone.syncthing.device_id
            told = await pair.box.rest.get("/rest/db/completion", folder=FOLDER, device=device)
            return bool(told["needItems"] == 3)

        await pair.box.rest.until(needs_three)
        assert in_outbox(pair) == {path.name for path in pictures}
        await carry_out(phone, ReceiveOnly(on=False))
        await pair.until_gone_from_box(*names)

        await carry_out(phone, Ignore(patterns="*.JPG"))
        await pair.put(*pictures)
        await pair.box.rest.until(needs_three)
        assert await phone.files() == {}
        await carry_out(phone, Ignore())
        await pair.until_on_phone(*names)
