"""What happens on the phone to a picture that is deleted in Google Photos, by Android's version."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mediabox.simulate.icloud.simulated_clock import SimulatedClock
from mediabox.simulate.pixel.bin import Bin
from mediabox.simulate.pixel.camera_roll import CameraRoll
from mediabox.simulate.pixel.cloud import Cloud
from mediabox.simulate.pixel.generation import Model
from mediabox.simulate.pixel.google_photos import GooglePhotos
from mediabox.simulate.pixel.media_store import MediaStore
from mediabox.simulate.pixel.orders import Edit, EmptyBin, FreeUp, Ignore, Move, Rename, Restore, Trash, Trickle, script

NOW_MS = 1_800_000_000_000
DAY_S = 86_400
DAY_MS = DAY_S * 1000
# Android's own rule for such names (FileUtils.PATTERN_EXPIRES_FILE, MediaProvider, android11-release).
EXPIRES_FILE = re.compile(r"(?i)^\.(pending|trashed)-(\d+)-([^/]+)$")


class Desk:
    """A camera roll with one picture, a bin and an account."""

    def __init__(self, home: Path, jpeg: Path, *, android: int) -> None:
        self.home = home
        self.clock = SimulatedClock(at_ms=NOW_MS)
        self.roll = CameraRoll(home / "storage")
        self.folder = self.roll.root / "DCIM" / "mediabox"
        self.folder.mkdir()
        self.cloud = Cloud(home / "cloud.jsonl")
        self.bin = Bin(self.roll.root, home / "own", self.cloud, android=android, now_ms=self.clock.wall_ms)
        self.photos = GooglePhotos(self.roll.root, self.cloud, model=Model.PIXEL, now_ms=self.clock.wall_ms)
        self.put(jpeg, "IMG_1.JPG")

    def put(self, jpeg: Path, name: str) -> None:
        shutil.copy(jpeg, self.folder / name)

    def back_up(self) -> None:
        store = MediaStore(self.roll.root)
        store.scan(self.roll.files())
        self.photos.work(store.known(), budget_bytes=1e12)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


NAME = "DCIM/mediabox/IMG_1.JPG"


@pytest.fixture
def jpeg(media: Path) -> Path:
    return next((media / "library").rglob("IMG_0101.JPG"))


def test_from_android_11_on_the_bin_is_another_name_in_the_same_folder(tmp_path: Path, jpeg: Path) -> None:
    desk = Desk(tmp_path, jpeg, android=11)

    desk.bin.put(NAME)

    (name,) = desk.names()
    match = EXPIRES_FILE.match(name)
    assert match is not None
    assert match.groups() == ("trashed", str(NOW_MS // 1000 + 30 * DAY_S), "IMG_1.JPG")
    assert (desk.folder / name).read_bytes() == jpeg.read_bytes()
    assert desk.roll.files() == {}  # no app sees it
    assert [one.name for one in desk.bin.pictures()] == [NAME]
    assert desk.bin.used_bytes() == jpeg.stat().st_size


@pytest.mark.parametrize(("is_backed_up", "days"), [(False, 30), (True, 60)])
def test_up_to_android_10_the_file_leaves_the_shared_storage(
    tmp_path: Path, jpeg: Path, *, is_backed_up: bool, days: int
) -> None:
    desk = Desk(tmp_path, jpeg, android=10)
    if is_backed_up:
        desk.back_up()

    desk.bin.put(NAME)

    assert desk.names() == []
    (one,) = desk.bin.pictures()
    assert (one.name, one.expires_s) == (NAME, NOW_MS // 1000 + days * DAY_S)
    assert one.path.is_relative_to(tmp_path / "own")
    assert one.path.read_bytes() == jpeg.read_bytes()


@pytest.mark.parametrize("android", [10, 11])
def test_what_is_restored_is_back_under_its_name_or_the_next_free_one(tmp_path: Path, jpeg: Path, android: int) -> None:
    desk = Desk(tmp_path, jpeg, android=android)
    desk.bin.put(NAME)
    (one,) = desk.bin.pictures()
    assert desk.bin.restore(one) == NAME
    assert desk.names() == ["IMG_1.JPG"]
    desk.bin.put(NAME)
    desk.put(jpeg, "IMG_1.JPG")

    assert desk.bin.restore(*desk.bin.pictures()) == "DCIM/mediabox/IMG_1 (1).JPG"

    assert desk.names() == ["IMG_1 (1).JPG", "IMG_1.JPG"]
    assert desk.bin.pictures() == []


def test_a_long_name_is_cut_in_the_middle_and_comes_back_cut(tmp_path: Path, jpeg: Path) -> None:
    desk = Desk(tmp_path, jpeg, android=14)
    long = "ä" * 120 + ".JPG"  # 244 bytes
    desk.put(jpeg, long)

    desk.bin.put(f"DCIM/mediabox/{long}")

    (name,) = (name for name in desk.names() if EXPIRES_FILE.match(name))
    assert len(name.encode()) <= 255
    (one,) = desk.bin.pictures()
    back = Path(desk.bin.restore(one)).name
    assert back != long
    assert back.endswith(".JPG")
    assert "..." in back


@pytest.mark.parametrize("android", [10, 13])
def test_the_accounts_copy_goes_and_comes_with_the_phones_and_outlives_the_simulator(
    tmp_path: Path, jpeg: Path, android: int
) -> None:
    desk = Desk(tmp_path, jpeg, android=android)
    desk.back_up()
    assert len(desk.cloud.kept()) == 1

    desk.bin.put(NAME)

    assert len(desk.cloud.backups()) == 1
    assert desk.cloud.kept() == []
    assert Cloud(tmp_path / "cloud.jsonl").kept() == []
    desk.bin.restore(*desk.bin.pictures())
    assert len(Cloud(tmp_path / "cloud.jsonl").kept()) == 1


@pytest.mark.parametrize("android", [10, 13])
def test_an_emptied_bin_is_gone_here_and_there(tmp_path: Path, jpeg: Path, android: int) -> None:
    desk = Desk(tmp_path, jpeg, android=android)
    desk.back_up()
    desk.bin.put(NAME)

    assert desk.bin.empty() == [NAME]

    assert desk.names() == []
    assert desk.bin.pictures() == []
    assert desk.cloud.kept() == []


def test_the_night_takes_what_has_just_expired_and_spares_what_a_wrong_clock_says_expired_long_ago(
    tmp_path: Path, jpeg: Path
) -> None:
    desk = Desk(tmp_path, jpeg, android=12)
    desk.bin.put(NAME)
    desk.clock.advance(29 * DAY_S)
    desk.bin.maintain(DAY_S)
    assert len(desk.bin.pictures()) == 1
    desk.clock.advance(20 * DAY_S)  # it lay in a drawer, switched off

    desk.bin.maintain(DAY_S)

    (one,) = desk.bin.pictures()
    assert one.expires_s == desk.clock.wall_ms() // 1000 + 7 * DAY_S
    assert one.name == NAME
    desk.clock.advance(8 * DAY_S)
    desk.bin.maintain(DAY_S)
    assert desk.names() == []


# -- what removes without a bin


def test_smart_storage_takes_what_was_backed_up_sixty_days_ago_the_oldest_first(tmp_path: Path, jpeg: Path) -> None:
    desk = Desk(tmp_path, jpeg, android=12)
    desk.back_up()
    desk.clock.advance(10 * DAY_S)
    desk.put(jpeg, "IMG_2.JPG")
    desk.back_up()
    desk.put(jpeg, "IMG_3.JPG")  # never backed up

    def trickling() -> list[str]:
        return [Path(name).name for name in desk.photos.trickling(desk.roll.files(), min_age_days=60)]

    desk.clock.advance(49 * DAY_S)
    assert trickling() == []
    desk.clock.advance(DAY_S)
    assert trickling() == ["IMG_1.JPG"]
    desk.clock.advance(10 * DAY_S)
    assert trickling() == ["IMG_1.JPG", "IMG_2.JPG"]


def test_a_renamed_picture_never_covers_another_and_a_copy_gets_a_name_of_its_own(tmp_path: Path, jpeg: Path) -> None:
    desk = Desk(tmp_path, jpeg, android=12)
    desk.put(jpeg, "IMG_2.JPG")

    assert desk.roll.rename(NAME, "DCIM/mediabox/IMG_2.JPG") == "DCIM/mediabox/IMG_2 (1).JPG"
    assert desk.roll.rename("DCIM/mediabox/IMG_2.JPG", "DCIM/mediabox/Ferien/IMG_2.JPG") == (
        "DCIM/mediabox/Ferien/IMG_2.JPG"
    )
    copy = desk.roll.copy("DCIM/mediabox/IMG_2 (1).JPG")

    assert copy == "DCIM/mediabox/IMG_2 (1)~2.JPG"
    assert (desk.roll.root / copy).read_bytes() != jpeg.read_bytes()
    assert (desk.folder / "IMG_2 (1).JPG").read_bytes() == jpeg.read_bytes()


def test_every_model_ended_at_its_android() -> None:
    assert [model.last_android for model in Model] == [10, 11, 12, 13, 14, 16]


def test_the_orders_are_read_from_a_script() -> None:
    lines = script(
        """
        0 trash name=IMG_1.JPG
        0 trash count=3
        0 restore
        0 empty-bin
        0 rename name=IMG_1.JPG to=Ferien.JPG
        0 move to=Ferien
        0 edit as_copy=true
        0 trickle count=2 min_age_days=90
        0 free-up count=5 batches=2 min_age_days=30
        0 ignore patterns=*.mp4,*.mov
        """
    )

    assert [line.order for line in lines] == [
        Trash(name="IMG_1.JPG"),
        Trash(count=3),
        Restore(),
        EmptyBin(),
        Rename(name="IMG_1.JPG", to="Ferien.JPG"),
        Move(to="Ferien"),
        Edit(as_copy=True),
        Trickle(count=2, min_age_days=90),
        FreeUp(count=5, batches=2, min_age_days=30),
        Ignore(patterns="*.mp4,*.mov"),
    ]
