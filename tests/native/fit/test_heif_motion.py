"""A still and its clip become one file that every reader takes for a Motion Photo, and the still is what it was."""

import io
import struct
from pathlib import Path

import pillow_heif
import pytest
from fitting import PREVIEW
from google_readers import is_motion_photo_to_android, media3_places
from heif_layouts import LAYOUTS, relaid
from PIL import Image
from referees import (
    PLACE,
    TAKEN,
    Watched,
    are_same,
    assembled,
    embedded_by_exiftool,
    facts,
    held,
    opened,
    plays,
    request,
    told_by_exiftool,
    video_by_exiftool,
)

from mediabox.model.facts import Hdr
from mediabox.native.boxes import Malformed, boxes
from mediabox.native.fit import heif
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_items import item_bytes, read_items

OWN = [
    "DCIM/100APPLE/IMG_0001.HEIC",
    "DCIM/100APPLE/IMG_0003.HEIC",
    "DCIM/100APPLE/IMG_0004.HEIC",
    "Android/Camera/20231224_183000.heic",
    "Mixed/small.avif",
]
_TYPES = {".avif": "image/avif"}


@pytest.fixture
def clip(media: Path) -> bytes:
    return (media / "library/DCIM/100APPLE/IMG_0001.MOV").read_bytes() + PREVIEW


def top_boxes(content: bytes) -> list[bytes]:
    return [one.type for one in boxes(held(content))]


def motion_at(content: bytes) -> int:
    """Where `mpvd` has its video."""
    return next(one.payload for one in boxes(held(content)) if one.type == b"mpvd")


def sef_blocks(content: bytes) -> dict[str, bytes]:
    """Samsung's trailer, by ExifTool's Samsung.pm: read from the file's end."""
    (length,) = struct.unpack("<I", content[-8:-4])
    start = len(content) - 8 - length
    assert (content[start : start + 4], content[-4:]) == (b"SEFH", b"SEFT")
    version, count = struct.unpack_from("<II", content, start + 4)
    assert (version, length) == (107, 12 + 12 * count)
    found = {}
    for row in range(count):
        kind, back, size = struct.unpack_from("<4sII", content, start + 12 + 12 * row)
        block = content[start - back : start - back + size]
        (name_length,) = struct.unpack_from("<I", block, 4)
        assert block[:4] == kind
        found[block[8 : 8 + name_length].decode()] = block[8 + name_length :]
    return found


def muxed(still: bytes, clip: bytes, media_type: str = "image/heic", **told: object) -> bytes:
    recipe = heif.fit(held(still), held(clip), request(still, media_type, clip=clip, **told))
    result = assembled(recipe, still, clip)
    assert recipe.clip_offset is not None
    assert result[recipe.clip_offset : recipe.clip_offset + len(clip)] == clip
    heif.same_picture(held(result), held(still))
    return result


@pytest.mark.parametrize("name", OWN)
def test_every_reader_finds_the_clip_and_the_still_is_what_it_was(
    name: str, media: Path, clip: bytes, tmp_path: Path
) -> None:
    still = (media / "library" / name).read_bytes()
    path = tmp_path / Path(name).name

    result = muxed(still, clip, _TYPES.get(path.suffix, "image/heic"))

    path.write_bytes(result)
    told = told_by_exiftool(path, "MotionPhoto", "XMP-Container:all")
    assert told["MotionPhoto"] == 1
    parts = [entry["Item"] for entry in told["Directory"]]
    assert [(part["Semantic"], part["Length"], part["Padding"]) for part in parts] == [
        ("Primary", 0, 8),
        ("MotionPhoto", len(result) - motion_at(result), 0),  # to the file's end, as Google's format counts
    ]
    assert video_by_exiftool(path) == clip
    motion = facts(result, name).motion
    assert motion is not None
    assert result[motion.offset_bytes : motion.offset_bytes + motion.size_bytes] == clip
    assert are_same(result, still)


def test_the_clip_taken_out_again_plays(media: Path, clip: bytes, tmp_path: Path) -> None:
    still = (media / "library" / OWN[0]).read_bytes()
    path = tmp_path / "clip.mov"

    result = muxed(still, clip)

    path.write_bytes(result[motion_at(result) :])  # as far as Google's directory says: Samsung's box comes along

    assert plays(path)


@pytest.mark.parametrize("name", OWN)
def test_samsungs_readers_are_led_to_the_clip(name: str, media: Path, clip: bytes, tmp_path: Path) -> None:
    path = tmp_path / Path(name).name

    path.write_bytes(
        result := muxed((media / "library" / name).read_bytes(), clip, _TYPES.get(path.suffix, "image/heic"))
    )

    told = told_by_exiftool(path, "Samsung:all", "Warning")
    pointer = embedded_by_exiftool(path)
    kind, offset, length = struct.unpack(">4sII", pointer)
    assert told["EmbeddedVideoType"] == "MotionPhoto_Data"
    assert "Warning" not in told
    assert kind == b"mpv2"
    assert result[offset : offset + length] == clip


def test_our_box_has_the_layout_of_a_galaxys(samples: Path, media: Path, clip: bytes) -> None:
    galaxy = (samples / "motion-photo-heic/samsung-one-ui-6.heic").read_bytes()

    ours = muxed((media / "library" / OWN[0]).read_bytes(), clip)

    assert [kinds[-2:] for kinds in (top_boxes(galaxy), top_boxes(ours))] == [[b"mpvd", b"sefd"]] * 2
    assert sef_blocks(galaxy)["MotionPhoto_Data"][:4] == sef_blocks(ours)["MotionPhoto_Data"][:4]
    for content in (galaxy, ours):
        offset, length = struct.unpack(">4xII", sef_blocks(content)["MotionPhoto_Data"])
        assert offset == motion_at(content)
        assert content[offset + length : offset + length + 8].endswith(b"sefd")


@pytest.mark.parametrize("name", ["samsung-one-ui-6.heic", "motionphoto.heic"])  # `sefd` behind `mpvd`, and within it
def test_a_galaxys_own_motion_photo_that_is_told_a_date_still_leads_to_its_clip(name: str, samples: Path) -> None:
    galaxy = (samples / "motion-photo-heic" / name).read_bytes()
    offset, length = struct.unpack(">4xII", sef_blocks(galaxy)["MotionPhoto_Data"])

    result = assembled(heif.fit(held(galaxy), None, request(galaxy, capture_time=TAKEN)), galaxy)

    moved_to, same_length = struct.unpack(">4xII", sef_blocks(result)["MotionPhoto_Data"])
    assert moved_to > offset
    assert same_length == length
    assert result[moved_to : moved_to + length] == galaxy[offset : offset + length]
    assert result[-8:] == galaxy[-8:]
    heif.same_picture(held(result), held(galaxy))
    stale = result.replace(struct.pack(">I", moved_to), struct.pack(">I", offset))
    with pytest.raises(Unfit, match="Samsung"):
        heif.same_picture(held(stale), held(galaxy))
    bent = bytearray(result)
    bent[moved_to + length // 2] ^= 1
    with pytest.raises(Unfit, match="clip"):
        heif.same_picture(held(bytes(bent)), held(galaxy))


def test_the_proof_fails_for_a_word_of_samsungs_that_leads_elsewhere(media: Path, clip: bytes) -> None:
    still = (media / "library" / OWN[0]).read_bytes()
    result = muxed(still, clip)
    at = result.rindex(b"mpv2")

    for wrong in (at + 7, at + 11):
        bent = bytearray(result)
        bent[wrong] ^= 1
        with pytest.raises(Unfit, match="Samsung"):
            heif.same_picture(held(bytes(bent)), held(still))


def test_android_finds_the_clip_by_the_box_and_by_the_directory(media: Path, clip: bytes) -> None:
    still = (media / "library" / OWN[0]).read_bytes()

    result = muxed(still, clip)

    item = next(one for one in read_items(held(result)).by_id.values() if one.content_type == "application/rdf+xml")
    packet = item_bytes(held(result), item)
    photo, by_directory = media3_places(packet, len(result))
    by_box = motion_at(result)
    assert is_motion_photo_to_android(packet)
    assert by_directory == by_box
    assert photo == by_box - 8  # `mpvd`'s header is the primary's padding
    assert result[by_box : by_box + len(clip)] == clip


def test_says_when_in_the_clip_the_still_was_taken(samples: Path) -> None:
    still, clip = (samples / "live-photo-pair" / f"apple.{kind}" for kind in ("HEIC", "MOV"))

    with opened(still) as first, opened(clip) as video:
        recipe = heif.fit(first, video, request(still.read_bytes(), clip=clip.read_bytes()))

    result = assembled(recipe, still.read_bytes(), clip.read_bytes())
    motion = facts(result, "a.heic").motion
    assert recipe.still_at_us == 1_433_333
    assert motion is not None
    assert motion.timestamp_us == recipe.still_at_us


@pytest.mark.parametrize("layout", LAYOUTS)
def test_finds_its_way_in_every_layout(layout: str, media: Path, clip: bytes, tmp_path: Path) -> None:
    original = (media / "library" / OWN[1]).read_bytes()
    still = relaid(original, **LAYOUTS[layout])
    assert are_same(still, original)

    result = muxed(still, clip, capture_time=TAKEN, place=PLACE)

    path = tmp_path / "one.heic"
    path.write_bytes(result)
    told = told_by_exiftool(path, "MotionPhoto", "DateTimeOriginal")
    assert (told["MotionPhoto"], told["DateTimeOriginal"]) == (1, "2021:03:04 05:06:07")
    assert video_by_exiftool(path) == clip
    assert are_same(result, original)


@pytest.mark.parametrize("name", OWN)
def test_tells_time_and_place_and_everything_it_told_before(name: str, media: Path, tmp_path: Path) -> None:
    still = (media / "library" / name).read_bytes()
    media_type = _TYPES.get(Path(name).suffix, "image/heic")
    recipe = heif.fit(held(still), None, request(still, media_type, capture_time=TAKEN, place=PLACE))

    result = assembled(recipe, still)

    path = tmp_path / Path(name).name
    path.write_bytes(result)
    told = told_by_exiftool(path, "DateTimeOriginal", "OffsetTimeOriginal", "GPSLatitude", "GPSLongitude", "Make")
    before, after = facts(still, name), facts(result, name)
    assert (told["DateTimeOriginal"], told["OffsetTimeOriginal"]) == ("2021:03:04 05:06:07", "+02:00")
    assert told["GPSLatitude"] == pytest.approx(PLACE.latitude, abs=1e-5)
    assert told["GPSLongitude"] == pytest.approx(PLACE.longitude, abs=1e-5)
    assert after.capture_time is not None
    assert (after.capture_time.local, after.capture_time.offset_min) == (TAKEN.local, TAKEN.offset_min)
    for kept in ("camera", "content_identifier", "software", "width", "height", "orientation", "color_profile"):
        assert getattr(after, kept) == getattr(before, kept)
    heif.same_picture(held(result), held(still))
    assert are_same(result, still)


def test_adds_to_the_packet_that_is_there_instead_of_a_second_one(clip: bytes) -> None:
    out = io.BytesIO()
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:own="https://example.org/own/"'
        b' xmp:Rating="4" own:word="kept"/></rdf:RDF></x:xmpmeta>'
    )
    pillow_heif.from_pillow(Image.linear_gradient("L").convert("RGB")).save(out, quality=60, xmp=packet)

    result = muxed(out.getvalue(), clip)

    items = read_items(held(result))
    packets = [item for item in items.by_id.values() if item.content_type == "application/rdf+xml"]
    assert len(packets) == 1
    text = item_bytes(held(result), packets[0])
    assert b'own:word="kept"' in text
    assert b"MotionPhotoPresentationTimestampUs" in text
    assert facts(result, "a.heic").rating == 4


def test_a_second_fit_of_the_same_files_gives_the_same_bytes(media: Path, clip: bytes) -> None:
    still = (media / "library" / OWN[0]).read_bytes()

    assert muxed(still, clip) == muxed(still, clip)


def test_asked_for_nothing_gives_the_file_as_it_is(media: Path) -> None:
    still = (media / "library" / OWN[0]).read_bytes()

    assert assembled(heif.fit(held(still), None, request(still)), still) == still


def test_reads_no_more_of_the_clip_than_its_index(media: Path, clip: bytes) -> None:
    still = (media / "library" / OWN[0]).read_bytes()
    longer = clip.replace(b"wide", b"free", 1) + (50_000_008).to_bytes(4, "big") + b"free" + bytes(50_000_000)
    first, video = Watched(still), Watched(longer)

    recipe = heif.fit(first, video, request(still, clip=longer))

    assert recipe.size_bytes > len(longer)
    assert video.read < 64_000
    assert first.largest < 1 << 20


# ---------------------------------------------------------------- refusals


def test_a_still_with_a_video_gets_no_second_one(media: Path, clip: bytes) -> None:
    still = (media / "library" / OWN[0]).read_bytes()
    already = muxed(still, clip)

    with pytest.raises(Unfit, match="video"):
        heif.fit(held(already), held(clip), request(already, clip=clip))


def test_time_is_told_in_front_of_a_video_that_stays_the_last_thing(media: Path, clip: bytes) -> None:
    already = muxed((media / "library" / OWN[0]).read_bytes(), clip)

    result = assembled(heif.fit(held(already), None, request(already, capture_time=TAKEN)), already)

    motion = facts(result, "a.heic").motion
    assert top_boxes(result)[-2:] == [b"mpvd", b"sefd"]
    assert motion is not None
    assert result[motion.offset_bytes : motion.offset_bytes + motion.size_bytes] == clip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda still: still[:-1], "cut short"),
        (lambda still: still + b"\0\0\0", "behind its last box"),
        (lambda still: still + (16).to_bytes(4, "big") + b"moov" + bytes(8), "sequence"),
        (lambda still: still + (16).to_bytes(4, "big") + b"sefd" + bytes(8), "Samsung"),
    ],
)
def test_refuses_what_it_cannot_move_about(change, reason: str, media: Path, clip: bytes) -> None:
    still = change((media / "library" / OWN[0]).read_bytes())

    with pytest.raises(Unfit, match=reason):
        heif.fit(held(still), held(clip), request(still, clip=clip))


@pytest.mark.parametrize(("at", "value", "reason"), [(3, 2, "part of another"), (5, 1, "another file")])
def test_refuses_data_that_are_not_in_the_file(at: int, value: int, reason: str, media: Path, clip: bytes) -> None:
    still = bytearray(relaid((media / "library" / OWN[3]).read_bytes()))
    first_row = still.index(b"iloc") + 4 + 8
    still[first_row + at] = value

    with pytest.raises(Unfit, match=reason):
        heif.fit(held(bytes(still)), held(clip), request(bytes(still), clip=clip))


def test_refuses_a_picture_of_which_a_part_is_missing(media: Path, clip: bytes) -> None:
    still = relaid((media / "library" / OWN[3]).read_bytes())
    end = struct.pack(">II", 0x7FFFFFFF, len(still) // 2)
    at = still.index(b"iloc") + 4 + 8 + 8

    with pytest.raises(Unfit, match="would end at byte"):
        heif.fit(held(still[:at] + end + still[at + 8 :]), held(clip), request(still, clip=clip))


@pytest.mark.parametrize("wrong", [b"", b"no movie at all, but long enough to be one", bytes(64)])
def test_refuses_a_clip_that_is_no_movie(wrong: bytes, media: Path) -> None:
    still = (media / "library" / OWN[0]).read_bytes()

    with pytest.raises((Unfit, Malformed)):
        heif.fit(held(still), held(wrong), request(still, clip=wrong))


# ---------------------------------------------------------------- the proof


def test_the_proof_fails_for_one_changed_bit_of_any_part_of_the_picture(media: Path, clip: bytes) -> None:
    still = (media / "library" / OWN[0]).read_bytes()
    result = muxed(still, clip)
    items = read_items(held(result))
    pictures = [item for item in items.by_id.values() if item.type in (b"hvc1", b"grid")]
    assert len(pictures) > 4

    for item in pictures:
        at = item.extents[0].offset + item.extents[0].length // 2
        changed = result[:at] + bytes((result[at] ^ 1,)) + result[at + 1 :]
        with pytest.raises(Unfit, match=f"item {item.id}"):
            heif.same_picture(held(changed), held(still))


@pytest.mark.parametrize("part", [b"irot", b"ispe", b"thmb", b"dimg", b"pitm"])
def test_the_proof_fails_for_a_changed_property_reference_or_choice(part: bytes, media: Path, clip: bytes) -> None:
    still = (media / "library" / OWN[1]).read_bytes()
    result = bytearray(muxed(still, clip))
    at = result.index(part)
    last = int.from_bytes(result[at - 4 : at], "big") - 5
    result[at + last] ^= 1

    with pytest.raises((Unfit, Malformed)):
        heif.same_picture(held(bytes(result)), held(still))


# ---------------------------------------------------------------- real files


def test_every_real_picture_fits_and_stays_itself_or_is_refused_with_a_reason(samples: Path, tmp_path: Path) -> None:
    video = samples / "live-photo-pair" / "apple.MOV"
    clip = video.read_bytes() + PREVIEW
    fitted, refused = [], {}

    for path in sorted(samples.rglob("*")):
        if path.suffix.lower() not in (".heic", ".heif", ".hif", ".avif", ".heics"):
            continue
        still = path.read_bytes()
        media_type = _TYPES.get(path.suffix, "image/heic")
        try:
            result = muxed(still, clip, media_type, capture_time=TAKEN, place=PLACE)
        except (Unfit, Malformed) as err:
            refused[path.name] = str(err)
            continue
        made = tmp_path / "made.heic"
        made.write_bytes(result)
        assert video_by_exiftool(made) == clip, path.name
        told = told_by_exiftool(made, "XMP-GCamera:MotionPhoto", "DateTimeOriginal")
        assert (told["MotionPhoto"], told["DateTimeOriginal"]) == (1, "2021:03:04 05:06:07"), path.name
        before, after = facts(still, path.name), facts(result, path.name)
        assert after.damage == before.damage
        assert after.motion is not None, path.name
        assert after.hdr == (Hdr.ISO_GAIN_MAP if before.hdr is Hdr.APPLE_GAIN_MAP else before.hdr), path.name
        assert are_same(result, still), path.name
        fitted.append(path.name)

    assert len(fitted) >= 30
    assert all(refused.values())
    assert {"motionphoto.heic", "bird_burst.heic", "truncated.heic"} <= refused.keys()
