"""QuickTime clips told as MP4: FFmpeg hears and sees the same packets, and nothing but the index has changed."""

import io
import random
import struct
import subprocess
from pathlib import Path

import av
import pytest
from fitting import PREVIEW, assert_has_clip, fitted, jpeg, picture, put_together
from google_readers import is_motion_photo_to_android, media3_items, media3_places
from media.making.video import AAC, H264, clip, turned
from referees import assembled, held, program, request, told_by_exiftool

from mediabox.model.recipe import Recipe
from mediabox.native.boxes import boxes, first
from mediabox.native.fit import heif
from mediabox.native.fit.clip import check_clip, read_clip
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_items import item_bytes, read_items

LIES = (0, 1, 8, 0x7FFFFFFF, 0xFFFFFFFF)
KEPT = ("-map", "0:v:0", "-map", "0:a?", "-c", "copy", "-f")  # more pictures are of depth


@pytest.fixture(scope="module")
def film(media: Path) -> bytes:
    """HEVC with pictures out of order and AAC, edit lists for both, Apple's keys with a place."""
    return (media / "library/DCIM/100APPLE/IMG_0001.MOV").read_bytes()


@pytest.fixture(scope="module")
def still() -> bytes:
    return jpeg(picture())


def told(movie: bytes) -> tuple[bytes, str]:
    """The clip as it goes behind a still, and its type."""
    clip = read_clip(held(movie), request(b"", clip=movie))
    recipe = Recipe(pieces=clip.pieces, media_type="", clip_offset=0, edits_clip=clip.is_edited)
    made = assembled(recipe, b"", movie)
    assert len(made) == len(movie)
    assert_has_clip(recipe, made, movie)
    return made, clip.mime


def packets(movie: bytes, path: Path) -> bytes:
    """Every packet of sound and video: stream, dts, pts, duration, size, hash; extradata's hash; by FFmpeg."""
    path.write_bytes(movie)
    run = [
        subprocess.run([program("ffmpeg"), "-v", "error", "-i", path, *KEPT, how, "-"], capture_output=True, check=True)
        for how in ("framehash", "streamhash")
    ]
    assert not any(one.stderr for one in run)
    return run[0].stdout + run[1].stdout


def is_same_as_mp4(movie: bytes, tmp_path: Path) -> bytes:
    """Asserts that it becomes an MP4 with the same packets, for FFmpeg and exiftool."""
    made, mime = told(movie)
    assert mime == "video/mp4"
    assert len(made) == len(movie)
    assert packets(made, tmp_path / "made.mp4") == packets(movie, tmp_path / "old.mov")
    said = told_by_exiftool(tmp_path / "made.mp4", "FileType", "Warning", "Error")
    assert (said["FileType"], "Warning" in said, "Error" in said) == ("MP4", False, False)
    with av.open(io.BytesIO(made)) as container:
        assert sum(1 for _ in container.decode(video=0))
    return made


def stays(movie: bytes) -> bool:
    made, mime = told(movie)
    return (made, mime) == (movie, "video/quicktime")


def retyped(movie: bytes, old: bytes, new: bytes) -> bytes:
    """With a word of its index, the first, put in place of another."""
    at = movie.index(old, movie.index(b"moov"))
    return movie[:at] + new + movie[at + len(old) :]


def with_metadata_track(movie: bytes, handler: bytes = b"meta") -> bytes:
    """With a track of timed metadata behind the others: a copy of the sound's, its handler and coding changed."""
    moov = first(held(movie), b"moov")
    assert moov is not None
    sound = [one for one in boxes(held(movie), moov.payload, moov.end) if one.type == b"trak"][-1]
    track = movie[sound.start : sound.end].replace(b"mhlrsoun", b"mhlr" + handler).replace(b"mp4a", b"mebx")
    grown = struct.pack(">I", moov.end - moov.start + len(track))
    return movie[: moov.start] + grown + movie[moov.start + 4 : sound.end] + track + movie[sound.end :]


def with_depth(movie: bytes) -> bytes:
    return with_metadata_track(movie, b"auxv")


def with_zeros_behind(movie: bytes) -> bytes:
    """As QuickTime may end a sample's description; the index is the file's last box, so nothing moves."""
    at = movie.index(b"hvc1", movie.index(b"moov")) - 4
    end = at + struct.unpack_from(">I", movie, at)[0]
    parents = [movie.rindex(kind, 0, at) - 4 for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")]
    changed = bytearray(movie)
    for parent in (*parents, at):
        struct.pack_into(">I", changed, parent, struct.unpack_from(">I", changed, parent)[0] + 4)
    return bytes(changed[:end]) + bytes(4) + bytes(changed[end:])


def with_long_offsets(movie: bytes) -> bytes:
    """With 64-bit offsets of chunks; the index is the file's last box, so nothing moves."""
    for _ in range(2):
        at = movie.index(b"stco", movie.index(b"moov")) - 4
        length, count = struct.unpack_from(">I8xI", movie, at)
        offsets = struct.unpack_from(f">{count}I", movie, at + 16)
        long = struct.pack(f">I4sII{count}Q", 16 + 8 * count, b"co64", 0, count, *offsets)
        parents = [movie.rindex(kind, 0, at) - 4 for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl")]
        changed = bytearray(movie)
        for parent in parents:
            struct.pack_into(">I", changed, parent, struct.unpack_from(">I", changed, parent)[0] + len(long) - length)
        movie = bytes(changed[:at]) + long + bytes(changed[at + length :])
    return movie


def test_hevc_with_aac_and_edit_lists_plays_the_same(film: bytes, tmp_path: Path) -> None:
    made = is_same_as_mp4(film, tmp_path)

    index, data = (next(one for one in boxes(held(film)) if one.type == kind) for kind in (b"moov", b"mdat"))
    assert made[data.start : data.end] == film[data.start : data.end]
    assert made[data.start - 4 : index.payload] == b"free" + film[data.start : index.payload]
    words = ("GPSCoordinates", "CreationDate", "ContentIdentifier", "Model")
    before, after = (told_by_exiftool(tmp_path / name, *words) for name in ("old.mov", "made.mp4"))
    assert len(before) == 5
    assert before | {"SourceFile": ""} == after | {"SourceFile": ""}


@pytest.mark.parametrize("change", [turned, with_metadata_track, with_depth, with_zeros_behind, with_long_offsets])
def test_what_a_clip_may_have_besides_changes_nothing(change, film: bytes, tmp_path: Path) -> None:
    changed = change(film)
    assert changed != film

    made = is_same_as_mp4(changed, tmp_path)

    with av.open(io.BytesIO(made)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


def test_a_track_left_out_is_said(film: bytes) -> None:
    clip = read_clip(held(with_metadata_track(film)), request(b"", clip=with_metadata_track(film)))

    assert clip.note == "clip told as MP4, tracks left out that only QuickTime knows"


def test_sound_that_mp4_does_not_hold_leaves_the_clip_as_it_is() -> None:
    movie = clip("p.mov", *H264, seed=7, frames=4, sound=("-c:a", "pcm_s16le"))

    assert stays(movie)


def test_h264_with_the_index_first_plays_the_same(tmp_path: Path) -> None:
    is_same_as_mp4(clip("f.mov", *H264, "-movflags", "+faststart", seed=8, frames=6, sound=AAC), tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda movie: movie[:-40],
        lambda movie: movie[: len(movie) // 2],
        lambda movie: movie + PREVIEW,
        lambda movie: retyped(movie, b"hvc1", b"apcn"),
        lambda movie: retyped(movie, b"stss", b"stps"),
        lambda movie: retyped(movie, b"soun", b"text"),
        lambda movie: retyped(movie, b"url \0\0\0\1", b"url \0\0\0\0"),
        lambda movie: retyped(movie, b"esds", b"damr"),
        lambda movie: retyped(movie, b"mvhd", b"cmov"),
    ],
    ids=["cut", "no index", "preview", "ProRes", "partial sync", "text", "another file", "AMR", "packed"],
)
def test_what_is_not_understood_stays_quicktime(change, film: bytes) -> None:
    assert stays(change(film))


def test_an_edited_clip_has_its_data_where_they_were(film: bytes) -> None:
    still, data = b"a still", next(one for one in boxes(held(film)) if one.type == b"mdat")
    made = told(film)[0]
    check_clip(held(still + made), len(still), held(film))

    for at in (data.start + 3, data.start + 4, data.payload, data.end - 1):
        bent = bytearray(still + made)
        bent[len(still) + at] ^= 1
        with pytest.raises(Unfit, match="not what they were"):
            check_clip(held(bytes(bent)), len(still), held(film))
    for offset in (0, len(still) + 1, -1, 1 << 62):
        with pytest.raises(Unfit, match="not what they were"):
            check_clip(held(still + made), offset, held(film))
    with pytest.raises(Unfit, match="did not come along"):
        check_clip(held(still + made), len(still), None)


def test_of_a_clip_with_much_beside_its_data_nothing_is_proved_and_nothing_edited(film: bytes) -> None:
    large = film + struct.pack(">I4s", 0x80008, b"free") + bytes(0x80000)

    assert stays(large)
    with pytest.raises(Unfit, match="too much beside"):
        check_clip(held(large), 0, held(large))


def test_lies_in_the_index_are_no_error(film: bytes) -> None:
    chance = random.Random(16)
    moov = film.index(b"moov")

    for _ in range(1_500):
        bent = bytearray(film)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(moov - 4, len(film) - 4)
            bent[at : at + 4] = struct.pack(">I", chance.choice((*LIES, chance.randrange(1 << 32))))
        told(bytes(bent))


def test_googles_readers_find_an_mp4_behind_a_jpeg(film: bytes, still: bytes) -> None:
    made, recipe, _ = fitted(still, film)

    packet = made[made.index(b"<x:xmpmeta") : made.index(b"</x:xmpmeta>") + 12]
    items = media3_items(packet)
    assert items is not None
    assert items[-1] == ("video/mp4", "MotionPhoto", len(film), 0)
    assert media3_places(packet, len(made))[1] == recipe.clip_offset
    assert is_motion_photo_to_android(packet)
    assert made[recipe.clip_offset :] == told(film)[0]
    assert put_together(recipe, still, film) == made


def test_googles_and_samsungs_readers_find_an_mp4_behind_a_heic(film: bytes, media: Path) -> None:
    photo = (media / "library/DCIM/100APPLE/IMG_0001.HEIC").read_bytes()
    recipe = heif.fit(held(photo), held(film), request(photo, clip=film))

    made = assembled(recipe, photo, film)

    item = next(one for one in read_items(held(made)).by_id.values() if one.content_type == "application/rdf+xml")
    packet = item_bytes(held(made), item)
    items = media3_items(packet)
    box = first(held(made), b"mpvd")
    assert items is not None
    assert box is not None
    assert items[-1][:3] == ("video/mp4", "MotionPhoto", len(made) - box.payload)
    assert media3_places(packet, len(made)) == (box.start, box.payload)
    assert made[box.payload : box.end] == told(film)[0]
    assert made.count(b"mpv2" + struct.pack(">II", box.payload, len(film))) == 1


@pytest.mark.parametrize("name", ["apple.MOV", "pairedVideo.mov"])
def test_real_clips_play_the_same(name: str, samples: Path, tmp_path: Path) -> None:
    is_same_as_mp4((samples / "live-photo-pair" / name).read_bytes(), tmp_path)


def test_a_real_clip_with_sound_that_mp4_does_not_hold_stays(samples: Path) -> None:
    assert stays((samples / "live-photo-pair" / "IMG_1635.MOV").read_bytes())
