"""MP4, QuickTime, Matroska, AVI, transport streams: what hand-built files say."""

import struct

import made
import pytest

from mediabox.model.asset import Kind
from mediabox.model.facts import Hdr, TimeSource


@pytest.fixture
def read_movie(read):
    return lambda content, name="a.mov": read(content, name, Kind.VIDEO)


def test_a_movie_tells_size_length_rate_and_codec(read_movie) -> None:
    facts = read_movie(made.movie())

    assert facts.damage is None
    assert (facts.kind, facts.width, facts.height) == (Kind.VIDEO, 640, 360)
    assert (facts.duration_s, facts.frame_rate, facts.video_codec, facts.bit_depth) == (2.0, 30.0, "h264", 8)


def test_a_turned_movie_is_as_high_as_it_is_shown(read_movie) -> None:
    facts = read_movie(made.movie(matrix=made.QUARTER_TURN))

    assert (facts.width, facts.height, facts.orientation) == (360, 640, 6)


def test_apples_keys_tell_time_place_and_pair(read_movie) -> None:
    keys = made.apple_keys(
        creationdate="2024-07-14T12:20:30+0200",
        location_ISO6709="+48.8577+002.2950+035.0/",
        content_identifier="PAIR",
        make="Apple",
        model="iPhone 15 Pro",
    )

    facts = read_movie(made.movie(keys, created=3_803_797_230))

    assert (facts.capture_time.local, facts.capture_time.offset_min) == ("2024-07-14T12:20:30", 120)
    assert facts.capture_time.source is TimeSource.QUICKTIME_DATE
    assert (facts.place.latitude, facts.place.altitude_m) == (48.8577, 35.0)
    assert (facts.content_identifier, facts.camera.model) == ("PAIR", "iPhone 15 Pro")


def test_the_header_tells_an_instant(read_movie) -> None:
    facts = read_movie(made.movie(created=3_803_797_230))

    assert (facts.capture_time.local, facts.capture_time.offset_min) == ("2024-07-14T10:20:30", 0)
    assert facts.capture_time.source is TimeSource.MOVIE_HEADER


def test_a_header_that_was_never_set_tells_nothing(read_movie) -> None:
    assert read_movie(made.movie(created=0)).capture_time is None


def test_user_data_tells_the_place(read_movie) -> None:
    text = b"-33.8600+151.2000/"
    udta = made.box(b"udta", made.box(b"\xa9xyz", struct.pack(">HH", len(text), 0x15C7) + text))
    where = struct.pack(">iii", round(151.2 * 65536), round(-33.86 * 65536), 0)
    loci = made.box(b"udta", made.full_box(b"loci", b"\x15\xc7\0\0" + where + b"earth\0\0"))

    for content in (made.movie(udta), made.movie(loci)):
        place = read_movie(content, "a.3gp").place
        assert (round(place.latitude, 2), round(place.longitude, 2)) == (-33.86, 151.2)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        (made.box(b"colr", b"nclx", struct.pack(">HHHB", 9, 16, 9, 0)), Hdr.PQ),
        (made.box(b"colr", b"nclc", struct.pack(">HHH", 9, 18, 9)), Hdr.HLG),
        (made.box(b"colr", b"nclx", struct.pack(">HHHB", 1, 1, 1, 0)), None),
        (made.box(b"dvvC", bytes(24)), Hdr.DOLBY_VISION),
    ],
)
def test_colour_tells_the_range(read_movie, colour: bytes, expected: Hdr | None) -> None:
    assert read_movie(made.movie(colour=colour)).hdr is expected


def test_pixels_that_are_not_square_are_shown_square(read_movie) -> None:
    facts = read_movie(made.movie(colour=made.box(b"pasp", struct.pack(">II", 4, 3))))

    assert (facts.width, facts.height) == (853, 360)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (made.movie()[:-60], "box 'mdat' claims 100 bytes, 40 are there"),
        (
            made.box(b"ftyp", b"qt  \0\0\0\0") + made.box(b"mdat", bytes(90))[:50],
            "box 'mdat' claims 90 bytes, 42 are there; the movie has no index (moov)",
        ),
        (made.movie(chunk_at=1_000_000)[:-108], "the movie has no pictures and no sound (mdat)"),
        (made.movie(chunk_at=1_000_000), "the movie's index points"),
        (b"<html></html>", "starts with HTML, not a video"),
        (b"RIFF\x10\0\0\0AVI ", "the AVI claims 24 bytes, 12 are there"),
        (made.ebml(0x1A45DFA3, made.ebml(0x4282, b"webm")), "the Matroska file has no segment"),
    ],
)
def test_says_what_is_wrong_with_a_movie(read_movie, content: bytes, expected: str) -> None:
    assert read_movie(content).damage.startswith(expected)


def test_avchd_tells_when_and_where_in_the_world_of_clocks(read_movie) -> None:
    pack = b"MDPM\x02\x18" + bytes([0x04, 0x20, 0x19, 0x04]) + b"\x19" + bytes([0x24, 0x22, 0x24, 0x05])
    packet = b"G\x01\x00\x10" + pack
    filler = b"G\x1f\xff\x10"
    content = b"".join(each.ljust(188, b"\xff") for each in (packet, filler, filler, filler, filler))

    facts = read_movie(content, "a.mts")

    assert facts.media_type == "video/mp2t"
    assert (facts.capture_time.local, facts.capture_time.offset_min) == ("2019-04-24T22:24:05", 120)
