"""Time and place written into Exif, wherever it is kept: exiftool reads what we said, and all that was there before."""

import io
import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from fitting import PAIR, apple_exif, fitted, jpeg, picture, segment
from PIL import Image

from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.model.place import Place
from mediabox.native.boxes import Held, Malformed
from mediabox.native.fit import Unfit
from mediabox.native.fit.exif_edit import with_time_and_place
from mediabox.native.fit.jpeg_layout import read_still
from mediabox.native.jpeg_segments import EXIF
from mediabox.native.tags.exif import read_exif
from mediabox.native.tags.findings import Findings

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

TAKEN = CaptureTime(local="2019-08-03T21:14:05.250", offset_min=-210, source=TimeSource.SOURCE)
THERE = Place(latitude=-33.856784, longitude=151.215297, altitude_m=-4.25)
# What we say, what follows from it, and where things lie.
OURS = (
    "ExifIFD:DateTimeOriginal", "ExifIFD:OffsetTime", "ExifIFD:OffsetTimeOriginal", "ExifIFD:SubSecTimeOriginal",
    "ExifIFD:ExifVersion", "GPS:", "Composite:", "File:", "System:", "ExifTool:", "MPF0:", "MPImage1:MPImageLength",
    "MPImage2:MPImageStart", "IFD1:ThumbnailOffset", "Trailer:", "Preview",
)  # fmt: skip


def told(path: Path) -> dict[str, object]:
    done = subprocess.run(["exiftool", "-json", "-G1", "-a", "-n", "-s", path], capture_output=True, check=False)
    return json.loads(done.stdout)[0]


def tags_of(block: bytes) -> Findings:
    found = Findings("image/jpeg", Kind.PICTURE)
    read_exif(Held(block), found)
    return found


@needs_exiftool
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_file_that_said_nothing_says_when_and_where(form: str, tmp_path: Path) -> None:
    held = io.BytesIO()
    picture().save(held, form)
    path = tmp_path / "made"

    made, _, facts = fitted(held.getvalue(), media_type=f"image/{form.lower()}", capture_time=TAKEN, place=THERE)
    path.write_bytes(made)
    said = told(path)

    assert facts.capture_time == CaptureTime(local=TAKEN.local, offset_min=-210, source=TimeSource.EXIF_OFFSET)
    assert facts.place is not None
    assert facts.place.latitude == pytest.approx(THERE.latitude, abs=1e-8)
    assert facts.place.longitude == pytest.approx(THERE.longitude, abs=1e-8)
    assert facts.place.altitude_m == -4.25
    assert (said["ExifIFD:DateTimeOriginal"], said["ExifIFD:OffsetTimeOriginal"]) == ("2019:08:03 21:14:05", "-03:30")
    assert said["ExifIFD:SubSecTimeOriginal"] == 250
    assert said["Composite:GPSLatitude"] == pytest.approx(THERE.latitude, abs=1e-8)
    assert said["Composite:GPSAltitude"] == -4.25
    assert "ExifTool:Warning" not in said
    assert Image.open(io.BytesIO(made)).convert("RGB").tobytes() == Image.open(held).convert("RGB").tobytes()


@pytest.mark.parametrize("endian", ["<", ">"])
def test_nothing_that_was_in_the_block_moves(endian: str) -> None:
    mark = (b"II*\0" if endian == "<" else b"MM\0*") + struct.pack(endian + "I", 8)
    main = struct.pack(endian + "H", 1) + struct.pack(endian + "HHII", 0x010F, 2, 6, 26) + bytes(4) + b"Canon\0"
    block = mark + main

    made = with_time_and_place(block, TAKEN, THERE)

    assert made[8 : len(block)] == block[8:]
    assert tags_of(made).make == "Canon"
    assert tags_of(made).place is not None


def test_a_zone_that_is_not_known_leaves_no_old_one_behind() -> None:
    first = with_time_and_place(b"", TAKEN, THERE)

    again = with_time_and_place(
        first, CaptureTime(local="2020-01-01T00:00:00", source=TimeSource.SOURCE), Place(latitude=1.5, longitude=2.5)
    )
    found = tags_of(again)

    assert found.times[-1].local == "2020-01-01T00:00:00"
    assert b"-03:30" in first
    assert all(time.local != TAKEN.local for time in found.times)
    assert found.place == Place(latitude=1.5, longitude=2.5)


def test_the_zone_of_the_last_change_is_ours_only_when_it_was_the_same_moment() -> None:
    def changed_at(when: bytes) -> bytes:
        row = struct.pack("<HHII", 0x0132, 2, 20, 26)
        return b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + row + bytes(4) + when + b"\0"

    same = with_time_and_place(changed_at(b"2019:08:03 21:14:05"), TAKEN, None)
    later = with_time_and_place(changed_at(b"2022:01:01 10:00:00"), TAKEN, None)

    assert same.count(b"-03:30") == 2
    assert later.count(b"-03:30") == 1


def test_a_block_told_the_same_thing_again_and_again_stays_readable() -> None:
    block = b""
    for _ in range(20):
        block = with_time_and_place(block, TAKEN, THERE)

    assert tags_of(block).times[0].local == TAKEN.local


@pytest.mark.parametrize("degrees", [0.0000001, 59.9999999999, 89.99999999, 12.0, 0.016666666667])
def test_a_place_survives_degrees_minutes_and_seconds(degrees: float) -> None:
    found = tags_of(with_time_and_place(b"", None, Place(latitude=degrees, longitude=-degrees)))

    assert found.place is not None
    assert found.place.latitude == pytest.approx(degrees, abs=2e-9)
    assert found.place.longitude == pytest.approx(-degrees, abs=2e-9)


@pytest.mark.parametrize(
    "block",
    [
        b"MM\0*",
        b"Exif",
        b"II*\0\xff\xff\xff\x7f",
        b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x8769, 4, 1, 9_999_999) + bytes(4),
    ],
    ids=["short", "none", "far", "cut", "pointer beyond"],
)
def test_a_block_that_is_not_whole_is_refused(block: bytes) -> None:
    with pytest.raises(Malformed):
        with_time_and_place(block, TAKEN, None)


def test_a_block_without_room_is_refused_with_its_reason() -> None:
    note = bytes(65_400)
    exif_at = 8 + 2 + 12 + 4
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x8769, 4, 1, exif_at) + bytes(4)
    block += struct.pack("<H", 1) + struct.pack("<HHII", 0x927C, 7, len(note), exif_at + 18) + bytes(4) + note

    with pytest.raises(Unfit, match="no room"):
        fitted(jpeg(picture(), segment(0xE1, EXIF + block)), capture_time=TAKEN)


def test_the_first_segments_of_a_new_block_keep_their_order() -> None:
    bare = jpeg(picture())

    made, _, _ = fitted(bare, capture_time=TAKEN)
    heads = [one.head[:4] for one in read_still(Held(made)).segments]

    assert heads[:2] == [b"JFIF", b"Exif"]


def test_time_place_and_clip_go_in_together(media: Path) -> None:
    clip = (media / PAIR[1]).read_bytes()

    _, _, facts = fitted(jpeg(picture(), apple_exif(1.0, 0.0)), clip, capture_time=TAKEN, place=THERE)

    assert facts.motion is not None
    assert facts.camera is not None
    assert facts.camera.make == "Apple"
    assert facts.capture_time is not None
    assert facts.capture_time.local == TAKEN.local
    assert facts.place is not None


def test_a_simple_webp_with_an_odd_end_gets_a_whole_header() -> None:
    held = io.BytesIO()
    picture(33, 21).convert("RGBA").save(held, "WEBP", lossless=True)
    simple = held.getvalue()
    if simple[12:16] == b"VP8X":
        pytest.skip("this libwebp writes the extended form at once")
    size = len(simple)
    for cut in (0, 1) if simple[-1] == 0 and int.from_bytes(simple[16:20], "little") & 1 else (0,):
        made, _, facts = fitted(simple[: size - cut], media_type="image/webp", capture_time=TAKEN)
        assert int.from_bytes(made[4:8], "little") == len(made) - 8
        assert (facts.width, facts.height) == (33, 21)
        assert Image.open(io.BytesIO(made)).convert("RGBA").tobytes() == Image.open(held).convert("RGBA").tobytes()


@pytest.mark.parametrize(
    "name", ["turning.webp", "still.webp", "turning.apng", "with exif.png", "deep.png", "logo.png"]
)
def test_other_forms_keep_every_frame(name: str, media: Path) -> None:
    content = (media / "library/Mixed" / name).read_bytes()
    media_type = "image/webp" if name.endswith("webp") else "image/png"

    made, _, facts = fitted(content, media_type=media_type, capture_time=TAKEN)

    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(made)) as after:
        count = getattr(before, "n_frames", 1)
        assert getattr(after, "n_frames", 1) == count
        for frame in range(count):
            before.seek(frame)
            after.seek(frame)
            assert before.tobytes() == after.tobytes()
    assert facts.capture_time is not None
    assert facts.capture_time.local == TAKEN.local


@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
def test_only_forms_that_can_hold_a_video_are_given_one(media_type: str, media: Path) -> None:
    held = io.BytesIO()
    picture().save(held, media_type.partition("/")[2].upper())

    with pytest.raises(Unfit, match="cannot hold a video"):
        fitted(held.getvalue(), (media / PAIR[1]).read_bytes(), media_type=media_type)


@pytest.mark.parametrize(
    "media_type", ["image/gif", "image/tiff", "image/x-canon-cr2", "application/pdf", "video/x-msvideo"]
)
def test_what_cannot_be_told_anything_goes_as_it_is(media_type: str) -> None:
    with pytest.raises(Unfit, match="cannot hold"):
        fitted(b"x", media_type=media_type, capture_time=TAKEN)


@needs_exiftool
def test_real_jpegs_lose_nothing_that_exiftool_can_read(samples: Path, tmp_path: Path) -> None:
    paths = [path for path in sorted(samples.rglob("*.[jJ][pP]*[gG]")) if "corrupt" not in path.parent.name]
    refused = []
    lost: dict[str, dict[str, object]] = {}
    for number, path in enumerate(paths[::2]):  # exiftool takes a fifth of a second for each
        try:
            made, _, facts = fitted(path.read_bytes(), capture_time=TAKEN, place=THERE)
        except (Unfit, Malformed) as err:
            refused.append(f"{path.name}: {err}")
            continue
        target = tmp_path / f"{number}.jpg"
        target.write_bytes(made)
        before, after = told(path), told(target)
        missing = {name: text for name, text in before.items() if after.get(name) != text}
        missing = {name: text for name, text in missing.items() if not name.startswith(OURS) and name != "SourceFile"}
        if missing:
            lost[path.name] = missing
        assert facts.capture_time is not None, path
        assert facts.capture_time.local == TAKEN.local, path

    assert lost == {}
    assert len(refused) < 4, refused
