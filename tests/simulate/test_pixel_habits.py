"""The phone's parts without any Syncthing: what it knows, backs up, frees, and how its battery behaves."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from mediabox.model.asset import Kind
from mediabox.simulate.icloud.simulated_clock import SimulatedClock
from mediabox.simulate.pixel.battery import Battery
from mediabox.simulate.pixel.camera_roll import CameraRoll
from mediabox.simulate.pixel.cloud import Cloud
from mediabox.simulate.pixel.generation import Model, Quality, is_reduced
from mediabox.simulate.pixel.google_photos import GooglePhotos
from mediabox.simulate.pixel.media_store import MediaStore
from mediabox.simulate.pixel.orders import Airplane, Charge, Doze, Edit, FreeUp, Scan, script
from mediabox.simulate.pixel.reception import Reception
from mediabox.simulate.pixel.shared_folder import FolderState, _misleads
from mediabox.simulate.pixel.storage import Storage

NOW_MS = 1_800_000_000_000
DAY_S = 86_400


class Desk:
    """A phone's parts laid out, with pictures in its camera roll."""

    def __init__(self, home: Path, *, model: Model = Model.PIXEL) -> None:
        self.home = home
        self.clock = SimulatedClock(at_ms=NOW_MS)
        self.roll = CameraRoll(home / "storage")
        self.store = MediaStore(self.roll.root)
        self.open(model)

    def open(self, model: Model = Model.PIXEL) -> None:
        """The simulator starts; what was kept is read again."""
        self.store = MediaStore(self.roll.root)
        self.cloud = Cloud(self.home / "cloud.jsonl")
        self.photos = GooglePhotos(self.roll.root, self.cloud, model=model, now_ms=self.clock.wall_ms)

    def put(self, source: Path, name: str = "", *, age_s: float = 0) -> str:
        path = self.roll.root / "DCIM" / (name or source.name)
        shutil.copy(source, path)
        taken_s = NOW_MS / 1000 - age_s
        os.utime(path, (taken_s, taken_s))
        return f"DCIM/{path.name}"

    def scan(self) -> int:
        return self.store.scan(self.roll.files())

    def back_up(self, budget_bytes: float = 1e12) -> list[str]:
        before = len(self.cloud.backups())
        self.photos.work(self.store.known(), budget_bytes=budget_bytes)
        return [backup.name for backup in self.cloud.backups()[before:]]

    def freeable(self, min_age_days: float = 0.0) -> list[str]:
        return self.photos.freeable(self.roll.files(), min_age_days=min_age_days)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def jpeg(media: Path) -> Path:
    return next((media / "library").rglob("IMG_0101.JPG"))


# -- the scanner


def test_the_scanner_takes_nothing_for_a_picture_that_is_none(desk: Desk, media: Path, jpeg: Path) -> None:
    html = desk.home / "page.html"
    html.write_text("<!DOCTYPE html><title>signed out</title>")
    desk.put(html, "IMG_1.JPG")
    desk.put(jpeg, "IMG_2.MOV")
    desk.put(jpeg, "IMG_3.txt")
    desk.put(next((media / "library").rglob("IMG_1234.AAE")))
    good = desk.put(jpeg)
    (desk.roll.root / "DCIM/.syncthing.IMG_9.JPG.tmp").write_bytes(jpeg.read_bytes())

    desk.scan()

    assert [one.name for one in desk.store.known() if one.media_type] == [good]
    assert desk.back_up() == [good]


def test_a_stalled_scanner_finds_what_is_new_only_when_told_but_sees_what_is_gone(desk: Desk, jpeg: Path) -> None:
    old = desk.put(jpeg, "old.jpg")
    desk.store.notice(desk.roll.files())
    desk.store.is_stalled = True
    new = desk.put(jpeg, "new.jpg")
    desk.roll.delete([old])

    desk.store.notice(desk.roll.files())
    assert desk.store.known() == []
    assert desk.scan() == 1

    assert [one.name for one in desk.store.known()] == [new]


# -- backing up


def test_the_line_carries_so_many_bytes_newest_first_and_keeps_what_is_left_over(desk: Desk, jpeg: Path) -> None:
    size = jpeg.stat().st_size
    oldest, newest, middle = (
        desk.put(jpeg, name, age_s=age) for name, age in (("a.jpg", 300), ("b.jpg", 100), ("c.jpg", 200))
    )
    desk.scan()

    assert desk.back_up(size * 0.6) == []
    assert desk.back_up(size * 0.6) == [newest]
    assert desk.back_up(size * 2) == [middle, oldest]


def test_the_account_recognises_bytes_it_has_and_says_so(desk: Desk, jpeg: Path) -> None:
    first = desk.put(jpeg, "a.jpg")
    desk.scan()
    desk.back_up()
    desk.roll.delete([first])
    again = desk.put(jpeg, "b.jpg")
    desk.scan()

    assert desk.back_up() == [again]

    assert [backup.is_again for backup in desk.cloud.backups()] == [False, True]


def test_a_simulator_started_anew_sends_nothing_twice(desk: Desk, jpeg: Path) -> None:
    desk.put(jpeg)
    desk.scan()
    desk.back_up()
    with (desk.home / "cloud.jsonl").open("ab") as file:
        file.write(b'{"name": "DCIM/half a li')  # killed while writing

    desk.open()
    desk.scan()

    assert desk.back_up() == []
    assert [backup.digest for backup in desk.cloud.backups()] == [hashlib.sha256(jpeg.read_bytes()).hexdigest()]
    desk.put(jpeg, "more.jpg")
    desk.scan()
    assert desk.back_up() == ["DCIM/more.jpg"]
    assert len(Cloud(desk.home / "cloud.jsonl").backups()) == 2


def test_icons_are_left_alone_where_google_leaves_them(desk: Desk, jpeg: Path) -> None:
    name = desk.put(jpeg)
    desk.scan()
    sides = desk.store.known()[0].sides
    assert sides is not None
    strict = GooglePhotos(
        desk.roll.root, desk.cloud, model=Model.PIXEL, now_ms=desk.clock.wall_ms, smallest_side=min(sides) + 1
    )

    assert strict.waiting(desk.store.known()) == []
    assert [one.name for one in desk.photos.waiting(desk.store.known())] == [name]


def test_a_picture_that_changed_since_the_scan_waits_for_the_next_one(desk: Desk, jpeg: Path) -> None:
    name = desk.put(jpeg)
    desk.scan()
    desk.roll.edit(name)

    assert desk.back_up() == []
    assert desk.scan() == 1
    assert desk.back_up() == [name]


@pytest.mark.parametrize("name", ["IMG_0101.JPG", "IMG_0001.HEIC", "IMG_0130.MOV", "IMG_0110.PNG"])
def test_an_edited_picture_is_another_file_and_still_a_picture(desk: Desk, media: Path, name: str) -> None:
    source = next((media / "library").rglob(name))
    path = desk.put(source)
    desk.scan()
    before = desk.store.known()[0]

    desk.roll.edit(path)

    assert (desk.roll.root / path).read_bytes() != source.read_bytes()
    assert desk.scan() == 1
    assert desk.store.known()[0].media_type == before.media_type


# -- freeing


def test_free_up_removes_what_is_backed_up_as_it_is_and_nothing_else(desk: Desk, jpeg: Path) -> None:
    done, changed = desk.put(jpeg, "done.jpg"), desk.put(jpeg, "changed.jpg")
    desk.scan()
    desk.back_up()
    desk.roll.edit(changed)
    desk.put(jpeg, "late.jpg")

    assert desk.freeable() == [done]


def test_free_up_takes_what_is_dated_in_the_future_like_anything_else(desk: Desk, jpeg: Path) -> None:
    name = desk.put(jpeg, age_s=-DAY_S)  # a camera whose clock was wrong
    desk.scan()
    desk.back_up()

    assert desk.freeable() == [name]
    assert desk.freeable(min_age_days=1) == []


def test_free_up_spares_what_was_taken_lately_when_so_set(desk: Desk, jpeg: Path) -> None:
    old = desk.put(jpeg, "old.jpg", age_s=40 * DAY_S)
    young = desk.put(jpeg, "young.jpg", age_s=2 * DAY_S)
    desk.scan()
    desk.back_up()

    assert desk.freeable(min_age_days=30) == [old]
    desk.clock.advance(29 * DAY_S)
    assert sorted(desk.freeable(min_age_days=30)) == sorted([old, young])


# -- generations


@pytest.mark.parametrize("model", list(Model))
def test_each_generation_gets_what_google_gives_it(model: Model) -> None:
    unlimited_original = {Model.PIXEL}
    on_quota = {Model.LATER}

    assert (model.quality is Quality.ORIGINAL) == (model in unlimited_original | on_quota)
    assert model.counts_quota == (model in on_quota)


@pytest.mark.parametrize(
    ("kind", "sides", "is_smaller"),
    [
        (Kind.PICTURE, (4000, 4000), False),
        (Kind.PICTURE, (4032, 3984), True),
        (Kind.PICTURE, (8064, 6048), True),
        (Kind.VIDEO, (1920, 1080), False),
        (Kind.VIDEO, (1080, 1920), False),
        (Kind.VIDEO, (3840, 2160), True),
        (Kind.PICTURE, None, False),
    ],
)
def test_storage_saver_reduces_what_is_larger_than_it_keeps(
    kind: Kind, sides: tuple[int, int] | None, *, is_smaller: bool
) -> None:
    assert is_reduced(Quality.STORAGE_SAVER, kind, sides) is is_smaller
    assert not is_reduced(Quality.ORIGINAL, kind, sides)


def test_what_is_too_large_for_storage_saver_is_reduced_on_its_way(tmp_path: Path, samples: Path, jpeg: Path) -> None:
    live = samples / "live-photo-pair"  # a still of 24 megapixels with a clip of 1440 x 1920
    desk = Desk(tmp_path, model=Model.PIXEL_4)
    desk.put(live / "IMG_1635.HEIC")
    desk.put(live / "IMG_1635.MOV")
    desk.put(jpeg)
    desk.scan()

    desk.back_up()

    assert {each.quality for each in desk.cloud.backups()} == {Quality.STORAGE_SAVER}
    assert sorted(each.is_reduced for each in desk.cloud.backups()) == [False, True, True]


# -- storage


def test_other_apps_leave_what_they_leave() -> None:
    storage = Storage(size_bytes=1000, other_bytes=100)

    assert storage.free_bytes(300) == 600
    storage.fill(50, roll_bytes=300)
    assert storage.free_bytes(300) == 50
    storage.fill(5000, roll_bytes=300)
    assert storage.free_bytes(300) == 700
    assert storage.free_bytes(2000) == 0


def folder(*, need: int = 0, refused: tuple[str, ...] = ()) -> FolderState:
    return FolderState(
        id="f", path="DCIM/f", state="idle", error="", files=0, need_files=0, need_bytes=need, refused=refused
    )


NOTHING = {"value": 100, "unit": "%"}


@pytest.mark.parametrize(
    ("floor", "wanted", "state", "changes"),
    [
        (5000, 5000, folder(need=900, refused=("a",)), False),
        (5000, 4000, folder(need=900, refused=("a",)), True),  # somebody filled the real disk: refused without need
        (5000, 4000, folder(need=900), False),  # nothing was refused yet: leave it alone
        (5000, 6000, folder(need=1100), True),  # the real disk got emptier: it would take more than there is room
        (5000, 6000, folder(need=900), False),  # but all of it fits
        (5000, 5005, folder(need=1100), False),  # not worth it
    ],
)
def test_syncthings_own_limit_is_set_anew_only_where_it_misleads(
    floor: int, wanted: int, state: FolderState, *, changes: bool
) -> None:
    assert _misleads({"value": floor, "unit": ""}, {"value": wanted, "unit": ""}, state, room_bytes=1000) is changes


def test_a_phone_without_room_shuts_whatever_the_disk_has() -> None:
    some = {"value": 5000, "unit": ""}

    assert _misleads(some, NOTHING, folder(), room_bytes=0)
    assert _misleads(NOTHING, some, folder(), room_bytes=1000)
    assert not _misleads(NOTHING, NOTHING, folder(need=5, refused=("a",)), room_bytes=0)


# -- reception and battery


def test_doze_opens_its_windows_and_airplane_mode_closes_all() -> None:
    reception = Reception()
    assert reception.is_reachable
    reception.doze(every_s=600, window_s=60)

    seen = []
    for _ in range(20):
        reception.pass_time(60)
        seen.append(reception.is_reachable)

    assert seen == ([False] * 8 + [True] + [False]) * 2
    reception.wake()
    assert reception.is_reachable
    reception.is_airplane = True
    assert not reception.is_reachable


def test_a_night_on_the_cable_fills_the_battery_and_a_day_of_work_empties_it() -> None:
    battery = Battery(percent=20, is_charging=True)
    battery.pass_time(8 * 3600, is_working=False)
    assert battery.percent == 100
    battery.is_charging = False

    battery.pass_time(4 * 3600, is_working=True)
    after_work = battery.percent
    battery.pass_time(4 * 3600, is_working=False)

    assert after_work == pytest.approx(52)
    assert battery.percent == pytest.approx(42)


def test_it_warms_when_it_works_on_the_cable_and_cools_when_it_rests() -> None:
    battery = Battery(is_charging=True)
    battery.pass_time(2 * 3600, is_working=True)
    hot = battery.celsius
    battery.is_charging = False
    battery.pass_time(2 * 3600, is_working=False)

    assert hot == pytest.approx(37, abs=0.1)
    assert battery.celsius == pytest.approx(24, abs=0.1)


def test_a_flat_battery_stays_flat_until_it_has_charged_a_little() -> None:
    battery = Battery(percent=1.5)
    battery.pass_time(3600, is_working=True)
    assert battery.is_flat
    battery.is_charging = True

    battery.pass_time(120, is_working=False)
    assert battery.is_flat

    battery.pass_time(600, is_working=False)
    assert not battery.is_flat


# -- scripts


def test_a_script_says_what_happens_when() -> None:
    lines = script(
        """
        # an evening
        60 doze every_s=900 window_s=30
        0.5 airplane on=false   # landed
        10 free-up
        0 edit name=IMG_1.JPG
        5 charge percent=40
        """
    )

    assert [line.after_s for line in lines] == [60, 0.5, 10, 0, 5]
    assert [line.order for line in lines] == [
        Doze(every_s=900, window_s=30),
        Airplane(on=False),
        FreeUp(),
        Edit(name="IMG_1.JPG"),
        Charge(percent=40),
    ]
    assert script("5 scan")[0].order == Scan()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("soon scan", "could not convert"),
        ("5", "line 1"),
        ("5 explode", "explode"),
        ("5 doze every_s=often", "every_s"),
        ("5 doze quickly", "line 1"),
    ],
)
def test_a_line_nobody_understands_is_named(line: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        script(line)
