"""A video shows the key frame nearest one second, upright, and says what its streams are."""

from pathlib import Path
from random import Random

import av
import pytest
from PIL import Image
from scenes import corner_colours, facts, film, opened

from mediabox.model.facts import Hdr
from mediabox.native import movie, pixels
from mediabox.native.boxes import Held
from mediabox.native.decoded import Unreadable


def looked(path: Path, media_type: str = "video/mp4") -> movie.Movie:
    return movie.look(Held(path.read_bytes()), media_type)


def test_gives_a_poster_and_the_streams_facts(tmp_path: Path) -> None:
    seen = looked(film(tmp_path / "a.mp4"))

    assert seen.poster is not None
    assert corner_colours(seen.poster.image) == (0, 1, 2, 3)
    assert (seen.width, seen.height, seen.frame_rate, seen.video_codec) == (320, 240, 24.0, "h264")
    assert seen.duration_s == pytest.approx(2.0, abs=0.1)
    assert (seen.audio_codec, seen.bit_depth) == (None, 8)


@pytest.mark.parametrize(("rotation", "orientation"), [(90, 8), (180, 3), (270, 6), (-90, 6)])
def test_a_turned_video_is_shown_upright(tmp_path: Path, rotation: int, orientation: int) -> None:
    path = film(tmp_path / "a.mp4", rotation=rotation)

    seen = looked(path)

    assert seen.poster is not None
    assert seen.poster.orientation == orientation
    assert (seen.width, seen.height) == ((240, 320) if rotation % 180 else (320, 240))


@pytest.mark.parametrize(
    ("name", "media_type", "codec"),
    [
        ("a.mov", "video/quicktime", "libx264"),
        ("a.mkv", "video/matroska", "libx264"),
        ("a.webm", "video/webm", "libvpx-vp9"),
        ("a.avi", "video/x-msvideo", "mpeg4"),
        ("a.ts", "video/mp2t", "libx264"),
        ("a.mpg", "video/mpeg", "mpeg2video"),
    ],
)
def test_opens_every_usual_container(tmp_path: Path, name: str, media_type: str, codec: str) -> None:
    seen = looked(film(tmp_path / name, codec=codec), media_type)

    assert seen.poster is not None
    assert corner_colours(seen.poster.image) == (0, 1, 2, 3)
    assert seen.duration_s == pytest.approx(2.0, abs=0.5)  # a program stream has no index: FFmpeg estimates


def film_of(path: Path, pictures: list[Image.Image], *, codec: str = "libx264", gop: int, preset: str = "fast") -> Path:
    """These pictures, 24 a second, every `gop`-th of them a key frame, with frames that are stored out of order."""
    options = {"bf": "2", "sc_threshold": "0", "preset": preset, "x265-params": "log-level=0"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = *pictures[0].size, "yuv420p"
        stream.codec_context.gop_size, stream.bit_rate = gop, 8_000_000
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_image(picture.convert("RGB"))))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "media_type", "codec"),
    [
        ("a.mp4", "video/mp4", "libx264"),
        ("a.mov", "video/quicktime", "libx265"),
        ("a.mkv", "video/matroska", "libx264"),
        ("a.avi", "video/x-msvideo", "mpeg4"),
        ("a.flv", "video/x-flv", "libx264"),
    ],
)
def test_the_poster_is_the_key_frame_nearest_one_second(tmp_path: Path, name: str, media_type: str, codec: str) -> None:
    pictures = [Image.new("L", (320, 240), level) for level in (30, 120, 220) for _ in range(22)]
    path = film_of(tmp_path / name, pictures, codec=codec, gop=22)  # key frames at 0, 0.92 and 1.83 s

    seen = looked(path, media_type)

    assert seen.poster is not None
    assert seen.poster.image.convert("L").getpixel((160, 120)) == pytest.approx(120, abs=12)


def test_a_film_whose_index_is_known_in_part_is_shown_from_there(tmp_path: Path) -> None:
    """A program stream has no index: FFmpeg knows the times it came across, at the beginning and at the end."""
    noise = Image.frombytes("L", (720, 720), Random(1).randbytes(720 * 720))
    levels = [Image.new("L", (720, 720), level) for level in (30, 90, 150, 220) for _ in range(22)]
    pictures = [Image.blend(level, noise.rotate(90 * at), 0.2) for at, level in enumerate(levels)]
    path = film_of(tmp_path / "a.mpg", pictures, codec="mpeg2video", gop=22)  # key frames every 0.92 s

    seen = looked(path, "video/mpeg")

    assert seen.poster is not None
    assert seen.poster.image.convert("L").resize((1, 1)).getpixel((0, 0)) < 160  # not the last group, 201


class Counted(Held):
    """Counts what is asked for."""

    __slots__ = ("asked_bytes",)

    def __init__(self, held: bytes) -> None:
        super().__init__(held)
        self.asked_bytes = 0

    def bytes(self, offset: int, length: int, /) -> bytes:
        self.asked_bytes += length
        return super().bytes(offset, length)


def test_a_poster_needs_one_key_frame_not_the_film(tmp_path: Path) -> None:
    noise = [Image.frombytes("L", (320, 240), Random(seed).randbytes(320 * 240)) for seed in range(48)]
    path = film_of(tmp_path / "a.mp4", noise, gop=250, preset="ultrafast")
    source = Counted(path.read_bytes())

    seen = movie.look(source, "video/mp4")

    assert seen.poster is not None
    assert source.asked_bytes < source.size / 2


def test_a_large_video_is_scaled_to_1440_lines(tmp_path: Path) -> None:
    seen = looked(film(tmp_path / "a.mp4", size=(2560, 1920), seconds=0.2))

    assert seen.poster is not None
    assert seen.poster.image.size == (1920, 1440)
    assert (seen.width, seen.height) == (2560, 1920)


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_named_and_mapped(tmp_path: Path, transfer: int) -> None:
    path = film(
        tmp_path / "a.mp4", codec="libx265", pix_fmt="yuv420p10le", seconds=0.2, color_trc=transfer, color_primaries=9,
        colorspace=9,
    )  # fmt: skip

    seen = pixels.examine(Held(path.read_bytes()), facts("video/mp4"))

    assert seen.facts.hdr is (Hdr.PQ if transfer == 16 else Hdr.HLG)
    assert seen.facts.bit_depth == 10
    assert corner_colours(opened(seen.thumbnail)) == (0, 1, 2, 3)


def test_a_video_has_no_hash_and_no_quality(tmp_path: Path) -> None:
    seen = pixels.examine(Held(film(tmp_path / "a.mp4").read_bytes()), facts("video/mp4"))

    assert (seen.facts.perceptual_hashes, seen.facts.quality) == ((), None)
    assert seen.thumbnail is not None


def test_what_headers_said_stays(tmp_path: Path) -> None:
    known = facts("video/mp4", duration_s=1.5, video_codec="avc1", width=9)

    seen = pixels.examine(Held(film(tmp_path / "a.mp4").read_bytes()), known).facts

    assert (seen.duration_s, seen.video_codec, seen.width, seen.height) == (1.5, "avc1", 9, 240)


@pytest.mark.parametrize(
    "playlist",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"RIFF\0\0\0\0CDXA",
    ],
)
def test_playlists_are_never_followed(playlist: bytes) -> None:
    for media_type in ("video/mp4", "video/mp2t", "video/matroska", "video/mpeg"):
        with pytest.raises(Unreadable):
            movie.look(Held(playlist * 20), media_type)


def test_a_cut_video_is_shown_as_far_as_it_goes_or_refused(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.mkv").read_bytes()

    for share in (0.9, 0.5, 0.3, 0.02):
        try:
            seen = movie.look(Held(whole[: int(len(whole) * share)]), "video/matroska")
        except Unreadable:
            continue
        assert seen.poster is not None or seen.why_no_poster


def test_a_codec_nobody_knows_is_no_damage(tmp_path: Path) -> None:
    data = film(tmp_path / "a.mp4").read_bytes().replace(b"avc1", b"zzzz")

    seen = pixels.examine(Held(data), facts("video/mp4"))

    assert (seen.facts.damage, seen.thumbnail) == (None, None)
    assert seen.facts.duration_s == pytest.approx(2.0, abs=0.1)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Unreadable, match="not a kind"):
        movie.look(Held(b"x" * 100), "video/unknown")
