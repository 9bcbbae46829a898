"""Videos as H.264 in MP4: the same pictures at the same times, the same sound and words. ffmpeg is the referee."""

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import pytest
from encoding import (
    PLACE,
    TAKEN,
    complaints,
    converted,
    exiftool,
    facts_of,
    ffprobe,
    film,
    needs_exiftool,
    needs_ffmpeg,
    pictures,
    psnr,
    stream,
    times,
)
from PIL import Image

from mediabox.native import movie
from mediabox.native.boxes import Held, boxes
from mediabox.native.encode.movie_index import IDENTITY, placed
from mediabox.native.fit.unfit import Unfit
from mediabox.native.tags import Reader

LIBRARY = Path(__file__).parents[2] / "media" / "library"
LIVE_PHOTOS = ("IMG_1635.MOV", "apple.MOV", "pairedVideo.mov")
FILMS = (
    "Clips/MVI_0007.AVI", "Clips/divx.avi", "Clips/film.mkv", "Clips/hdr10.mp4", "Clips/hlg.mov", "Clips/master.mov",
    "Clips/nokia.3gp", "Clips/screen recording.webm", "Cameras/Sony/00001.MTS", "DCIM/100APPLE/IMG_0130.MOV",
    "Android/Camera/VID_20230701_101112.mp4", "Android/Camera/VID_20230702_111213.mp4",
)  # fmt: skip
BAR_DB = 40.0  # each of the pictures looked at; 43.8 on average with a Live Photo

pytestmark = needs_ffmpeg


def rotation(probed: dict) -> int:
    sides = stream(probed, "video").get("side_data_list", [])
    return next((int(one["rotation"]) for one in sides if "rotation" in one), 0)


def assert_plays_everywhere(made: Path) -> None:
    """H.264 High, 4:2:0, 8 bit, limited range; the index first; every frame decodes without a word."""
    picture = stream(ffprobe(made), "video")
    assert (picture["codec_name"], picture["profile"], picture["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert picture["color_range"] == "tv"
    assert [one.type for one in boxes(Held(made.read_bytes()))][:2] == [b"ftyp", b"moov"]
    assert complaints(made) == ""


@pytest.mark.parametrize("name", FILMS)
def test_every_kind_of_film_plays_as_long_as_it_did(name: str, tmp_path: Path) -> None:
    source = LIBRARY / name

    made, said = converted(source, tmp_path, to="video/mp4")

    assert_plays_everywhere(made)
    before, after = facts_of_film(source), facts_of_film(made)
    assert (said.width, said.height) == (before.width, before.height) == (after.width, after.height)
    with av.open(str(source)) as container:
        shown = [frame.time for frame in container.decode(video=0)]
    assert len(times(made)) == len(shown)
    assert after.duration_s == pytest.approx(before.duration_s, abs=0.06)  # two frames: of one length is a guess


def facts_of_film(path: Path) -> movie.Movie:
    from mediabox.model.signature import media_type_of

    with path.open("rb") as file:
        reader = Reader(file.fileno())
        return movie.look(reader, media_type_of(reader.bytes(0, min(4096, reader.size))) or "")


@pytest.mark.parametrize("name", LIVE_PHOTOS)
def test_a_live_photos_clip_looks_and_moves_the_same(name: str, samples: Path, tmp_path: Path) -> None:
    source = samples / "live-photo-pair" / name

    made, _ = converted(source, tmp_path, to="video/mp4")

    assert_plays_everywhere(made)
    before, after = ffprobe(source), ffprobe(made)
    assert rotation(after) == rotation(before)
    assert times(made) == pytest.approx(times(source), abs=1e-4)
    old, new = stream(before, "video"), stream(after, "video")
    assert float(new["duration"]) == pytest.approx(float(old["duration"]), abs=0.002)
    assert (new["width"], new["height"]) == (old["width"], old["height"])
    for what in ("color_primaries", "color_transfer", "color_space"):
        assert new[what] == old[what]
    count = int(old["nb_frames"])
    wanted = (0, count // 2, count - 1)
    for one, other in zip(pictures(source, wanted), pictures(made, wanted), strict=True):
        assert psnr(one, other) >= BAR_DB


@needs_exiftool
def test_a_live_photos_clip_says_the_same(samples: Path, tmp_path: Path) -> None:
    source = samples / "live-photo-pair" / "IMG_1635.MOV"

    made, said = converted(source, tmp_path, to="video/mp4")

    before, after = exiftool(source), exiftool(made)
    for tag in ("CreationDate", "GPSCoordinates", "Make", "Model", "Software", "ContentIdentifier"):
        assert str(after[f"Keys:{tag}"])[:19] == str(before[f"Keys:{tag}"])[:19]
    assert after["QuickTime:CreateDate"] == before["QuickTime:CreateDate"]
    where = str(before["Keys:GPSCoordinates"]).split()
    assert str(after["UserData:GPSCoordinates"]).split() == where[:2]  # where Android looks: it takes no altitude
    assert "ExifTool:Warning" not in after
    assert said.note == "sound encoded anew from pcm_s16le"
    sound = stream(ffprobe(made), "audio")
    assert (sound["codec_name"], sound["sample_rate"], sound["channels"]) == ("aac", "48000", 1)
    assert float(sound["duration"]) == pytest.approx(1.98, abs=0.03)
    assert facts_of(made).content_identifier == facts_of(source).content_identifier


@needs_exiftool
@pytest.mark.parametrize("name", ["Clips/film.mkv", "DCIM/100APPLE/IMG_0130.MOV"])
def test_a_time_and_place_that_are_given_are_written_in(name: str, tmp_path: Path) -> None:
    made, _ = converted(LIBRARY / name, tmp_path, to="video/mp4", capture_time=TAKEN, place=PLACE)

    said = exiftool(made)
    assert said["Keys:CreationDate"] == "2021:03:04 05:06:07+02:00"
    assert said["QuickTime:CreateDate"] == "2021:03:04 03:06:07"
    assert said["Composite:GPSLatitude"] == pytest.approx(PLACE.latitude, abs=1e-4)
    assert said["Composite:GPSLongitude"] == pytest.approx(PLACE.longitude, abs=1e-4)


@needs_exiftool
def test_what_a_matroska_says_of_itself_goes_into_the_mp4(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    with av.open(str(LIBRARY / "DCIM/100APPLE/IMG_0130.MOV")) as film, av.open(str(source), "w") as told:
        told.metadata.update({"title": "Naxos", "creation_time": "2005-03-05T12:34:56Z"})
        stream_ = told.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream_
                told.mux(packet)

    made, _ = converted(source, tmp_path, to="video/mp4")

    said = exiftool(made)
    assert said["QuickTime:CreateDate"] == "2005:03:05 12:34:56"
    assert said["Keys:Title"] == "Naxos"


def test_pictures_at_a_varying_rate_keep_their_times(tmp_path: Path) -> None:
    shown_at = [0, 33, 66, 300, 301, 340, 1_000, 1_017, 2_500]
    source = film(tmp_path / "a.mkv", shown_at)

    made, _ = converted(source, tmp_path, to="video/mp4")

    assert times(made) == [at / 1000 for at in shown_at]


def test_a_film_that_begins_late_begins_at_once(tmp_path: Path) -> None:
    """A transport stream's clock starts anywhere."""
    source = film(tmp_path / "a.ts", range(7 * 25, 7 * 25 + 10), codec="mpeg2video", tick=Fraction(1, 25))

    made, _ = converted(source, tmp_path, to="video/mp4")

    assert times(made) == pytest.approx([0.04 * n for n in range(10)], abs=1e-4)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((1440, 2560), (1080, 1920)),
        ((2560, 1440), (1920, 1080)),
        ((322, 242), (322, 242)),
        ((1202, 1200), (1082, 1080)),
    ],
)
def test_storage_saver_gets_1080_lines_at_most(size: tuple[int, int], wanted: tuple[int, int], tmp_path: Path) -> None:
    source = film(tmp_path / "a.mkv", [0, 40, 80], size=size)

    made, said = converted(source, tmp_path, to="video/mp4", shortest_side=1080)

    assert_plays_everywhere(made)
    assert (said.width, said.height) == wanted
    (before,), (after,) = pictures(source, [1]), pictures(made, [1])
    assert psnr(before.resize(wanted, Image.Resampling.BICUBIC), after) >= 34


@pytest.mark.parametrize(("name", "note"), [("hdr10.mp4", "tone-mapped from PQ"), ("hlg.mov", "tone-mapped from HLG")])
def test_high_dynamic_range_is_shown_as_in_posters_and_said(name: str, note: str, tmp_path: Path) -> None:
    source = LIBRARY / "Clips" / name

    made, said = converted(source, tmp_path, to="video/mp4")

    assert note in said.note
    picture = stream(ffprobe(made), "video")
    assert [picture[one] for one in ("color_primaries", "color_transfer", "color_space")] == ["bt709"] * 3
    poster = facts_of_film(source).poster
    assert poster is not None
    assert max(psnr(poster.image, one) for one in pictures(made, range(len(times(made))))) >= 30


def test_sound_that_is_aac_already_goes_over_bit_for_bit(tmp_path: Path) -> None:
    source = LIBRARY / "Android" / "Camera" / "VID_20230701_101112.mp4"

    made, said = converted(source, tmp_path, to="video/mp4")

    assert said.note == ""
    assert sound_packets(made) == sound_packets(source)
    assert len(sound_packets(made)) > 50


def sound_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_sound_that_is_encoded_anew_is_the_same_tone_at_the_same_time(tmp_path: Path) -> None:
    """Heard by ffmpeg as numbers: where it is loud, and how loud."""
    source = LIBRARY / "Clips" / "divx.avi"

    made, said = converted(source, tmp_path, to="video/mp4")

    assert said.note == "sound encoded anew from mp3"
    before, after = loudness(source), loudness(made)
    assert after == pytest.approx(before, abs=1.5)


def loudness(path: Path) -> float:
    """Mean volume in dB."""
    command = ["ffmpeg", "-hide_banner", "-i", str(path), "-vn", "-af", "volumedetect", "-f", "null", "-"]
    words = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(words.partition("mean_volume:")[2].split()[0])


def test_fields_are_put_together_and_it_is_said(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mkv", range(4), codec="mpeg2video", tick=Fraction(1, 25), flags="+ilme+ildct")

    made, said = converted(source, tmp_path, to="video/mp4")

    assert said.note == "deinterlaced"
    assert times(made) == pytest.approx([0, 0.04, 0.08, 0.12], abs=1e-4)
    assert stream(ffprobe(made), "video")["field_order"] == "progressive"


def test_real_films_of_other_makers_play(samples: Path, tmp_path: Path) -> None:
    for path in sorted(samples.glob("video/*")):
        if path.stat().st_size > 1_500_000:  # seconds are enough
            continue
        made, _ = converted(path, tmp_path, to="video/mp4")
        assert_plays_everywhere(made)


@pytest.mark.parametrize("name", ["VID_2003.mp4", "IMG_2000.JPG", "IMG_2006.JPG"])
def test_what_is_no_whole_film_is_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unfit) as refusal:
        converted(LIBRARY.parent / "damaged" / name, tmp_path, to="video/mp4")

    assert len(str(refusal.value)) > 20


def test_a_film_with_broken_pictures_says_how_many(samples: Path, tmp_path: Path) -> None:
    _, said = converted(samples / "gen-corrupt" / "bitrot_200flips.mp4", tmp_path, to="video/mp4")

    assert "pictures could not be decoded whole" in said.note


@pytest.mark.parametrize(
    ("matrix", "at"),
    [
        (IDENTITY, (0, 0)),
        ((0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30), (240 << 16, 0)),  # a quarter turn
        ((-1 << 16, 0, 0, 0, -1 << 16, 0, 0, 0, 1 << 30), (320 << 16, 240 << 16)),  # upside down
        ((-1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30), (320 << 16, 0)),  # mirrored
    ],
)
def test_a_turned_picture_lands_at_the_origin(matrix: tuple[int, ...], at: tuple[int, int]) -> None:
    assert placed(matrix, 320, 240)[6:8] == at
