"""What FFmpeg reads in AVI, Matroska and WebM, and the little we read beside it. Second witness: exiftool."""

import json
import os
import struct
import subprocess
from pathlib import Path

import av
import pytest
from scenes import film

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts, Hdr, TimeSource
from mediabox.native.examine import examine


def looked_at(path: Path) -> Facts:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        request = ExamineRequest(name=path.name, kind=Kind.VIDEO, size_bytes=path.stat().st_size, renditions=False)
        return examine(descriptor, request).examination.facts
    finally:
        os.close(descriptor)


def exiftool(path: Path, *tags: str) -> dict[str, object]:
    command = ["exiftool", "-json", *(f"-{tag}" for tag in tags), str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def into_list(avi: bytes, kind: bytes, extra: bytes) -> bytes:
    """The AVI with a chunk more at the end of its header list, or of a list in it."""
    header = avi.index(b"hdrl") - 8
    inner = avi.index(kind) - 8
    end = inner + 8 + struct.unpack_from("<I", avi, inner + 4)[0]
    grown = bytearray(avi[:end] + extra + avi[end:])
    for at in {0, header, inner} - {0}:
        struct.pack_into("<I", grown, at + 4, struct.unpack_from("<I", avi, at + 4)[0] + len(extra))
    struct.pack_into("<I", grown, 4, len(grown) - 8)
    return bytes(grown)


@pytest.fixture
def avi(media: Path) -> bytes:
    return (media / "library/Clips/MVI_0007.AVI").read_bytes()


@pytest.mark.parametrize(
    ("date", "local"),
    [
        (b"SAT MAR 05 12:34:56 2005\n\0", "2005-03-05T12:34:56"),
        (b"Sat Mar  5 12:34:56 2005\0", "2005-03-05T12:34:56"),
        (b"2005:08:17 11:51:43\0", "2005-08-17T11:51:43"),  # FFmpeg takes no notice
        (b"2005-08-17 11:51:43\0", "2005-08-17T11:51:43"),
    ],
)
def test_an_avi_tells_its_camera_s_date_in_every_form(date: bytes, local: str, avi: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    path.write_bytes(into_list(avi, b"hdrl", chunk(b"IDIT", date)))

    taken = looked_at(path).capture_time

    assert taken is not None
    assert (taken.local, taken.offset_min, taken.source) == (local, None, TimeSource.EXIF_LOCAL)
    assert str(exiftool(path, "DateTimeOriginal")["DateTimeOriginal"]).replace("-", ":") == local.replace(
        "T", " "
    ).replace("-", ":")


def test_an_avi_of_a_canon_s_tells_its_date_in_the_stream(avi: bytes, tmp_path: Path) -> None:
    row = struct.pack("<HHII", 0x9003, 2, 20, 18)
    block = b"AVIF\0\0\0\0" + struct.pack("<H", 1) + row + bytes(4) + b"2003:03:10 15:11:12\0"
    path = tmp_path / "a.avi"
    path.write_bytes(into_list(avi, b"strl", chunk(b"strd", block)))

    taken = looked_at(path).capture_time

    assert exiftool(path, "DateTimeOriginal")["DateTimeOriginal"] == "2003:03:10 15:11:12"
    assert taken is not None
    assert (taken.local, taken.source) == ("2003-03-10T15:11:12", TimeSource.EXIF_LOCAL)


def test_an_avi_s_list_of_words_is_read_behind_the_pictures_too(avi: bytes, tmp_path: Path) -> None:
    words = chunk(b"ICRD", b"2003-03-10\0") + chunk(b"ISFT", b"CanonMVI01") + chunk(b"INAM", b"Naxos")
    listed = chunk(b"LIST", b"INFO" + words + chunk(b"ICMT", b"at the harbour"))
    whole = bytearray(avi + listed)
    struct.pack_into("<I", whole, 4, len(whole) - 8)
    path = tmp_path / "a.avi"
    path.write_bytes(whole)

    facts = looked_at(path)

    assert (facts.software, facts.title, facts.caption) == ("CanonMVI01", "Naxos", "at the harbour")
    assert facts.capture_time is not None
    assert facts.capture_time.local.startswith("2003-03-10")
    assert (facts.width, facts.height, facts.video_codec, facts.frame_rate) == (160, 120, "mjpeg", 12.0)


@pytest.mark.parametrize("name", ["a.avi", "a.mkv"])
def test_a_film_that_was_cut_says_how_much_is_missing(name: str, tmp_path: Path) -> None:
    path = film(tmp_path / name, codec="mpeg4" if name == "a.avi" else "libx264")
    whole = path.read_bytes()

    path.write_bytes(whole[: len(whole) // 2])

    facts = looked_at(path)
    assert looked_at(film(tmp_path / f"whole {name}", codec="mpeg4")).damage is None
    assert facts.damage is not None
    assert f"{len(whole):,} bytes" in facts.damage or "the segment claims" in facts.damage
    assert (facts.width, facts.height) == (320, 240)


def test_matroska_tells_its_date_title_and_range(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    plain = film(tmp_path / "plain.mkv", color_trc=16, color_primaries=9, colorspace=9)
    with av.open(str(plain)) as source, av.open(str(path), "w") as made:
        made.metadata.update({"title": "Naxos", "creation_time": "2005-03-05T12:34:56Z"})
        stream = made.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)

    facts = looked_at(path)

    assert (facts.title, facts.hdr, facts.color_profile) == ("Naxos", Hdr.PQ, "9/16/9")
    assert facts.capture_time is not None
    assert (facts.capture_time.local, facts.capture_time.offset_min) == ("2005-03-05T12:34:56", 0)
    assert facts.duration_s == pytest.approx(2.0, abs=0.1)


def test_a_live_recording_that_does_not_know_its_length_is_whole(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv")
    content = path.read_bytes()
    at = content.index(b"\x18\x53\x80\x67") + 4

    path.write_bytes(content[:at] + b"\x01" + b"\xff" * 7 + content[at + 8 :])

    assert looked_at(path).damage is None


@pytest.mark.parametrize(
    ("folder", "hdr"), [("video-dolby-vision", Hdr.DOLBY_VISION), ("video-hdr10plus", Hdr.HDR10_PLUS)]
)
def test_dynamic_ranges_are_seen_beside_the_frames(folder: str, hdr: Hdr, samples: Path) -> None:
    assert looked_at(samples / folder / "regular.mkv").hdr is hdr
