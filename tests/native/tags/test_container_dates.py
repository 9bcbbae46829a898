"""Dates in formats that had none read: ASF, PSD, JPEG 2000, DV, FLV, MXF; and what makers add to a movie."""

import importlib
import io
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import made
import pytest
from native.tags.conftest import FixedClock
from PIL import Image

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.native.examine import examine
from mediabox.native.tags.capture_time import with_container_words

HEADER_UTC = 3_786_910_205  # 2023-12-31T23:30:05Z, since 1904
FILETIME_2008 = 128_489_256_000_000_000  # 2008-03-02T10:00:00Z, in 100 ns since 1601
GUIDS = {
    "header": "3026b2758e66cf11a6d900aa0062ce6c",
    "properties": "a1dcab8c47a9cf118ee400c00c205365",
    "extended": "40a4d0d207e3d21197f000a0c95ea850",
}


def asf_object(name: str, body: bytes) -> bytes:
    return bytes.fromhex(GUIDS[name]) + struct.pack("<Q", 24 + len(body)) + body


def asf(created: int) -> bytes:
    objects = asf_object("extended", bytes(2)) + asf_object(
        "properties", bytes(24) + struct.pack("<Q", created) + bytes(48)
    )
    return asf_object("header", struct.pack("<IBB", 2, 1, 2) + objects)


def resource(number: int, body: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(body)) + body + b"\0" * (len(body) % 2)


def psd(*resources: bytes, version: int = 1) -> bytes:
    held = b"".join(resources)
    head = b"8BPS" + struct.pack(">H6xHIIHH", version, 3, 30, 40, 8, 3)
    return head + bytes(4) + struct.pack(">I", len(held)) + held + bytes(4) + b"\0\0"


def told_by_exiftool(path: Path, *tags: str) -> dict[str, str]:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    return json.loads(subprocess.check_output(["exiftool", "-json", "-a", *tags, str(path)]))[0]


def seen(path: Path) -> Facts:
    """As the movie child sees it, its container opened too."""
    importlib.import_module("av")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        request = ExamineRequest(name=path.name, kind=Kind.VIDEO, size_bytes=0, modified_at_ms=1_700_000_000_000)
        return examine(descriptor, request).examination.facts
    finally:
        os.close(descriptor)


# ---------------------------------------------------------------- formats


def test_an_asf_tells_its_creation_date_as_exiftool_does(read, tmp_path: Path) -> None:
    content = asf(FILETIME_2008)
    (tmp_path / "a.wmv").write_bytes(content)
    theirs = told_by_exiftool(tmp_path / "a.wmv", "-CreationDate")["CreationDate"]

    found = read(content, "a.wmv", Kind.VIDEO).capture_time

    assert (found.local, found.offset_min) == (theirs.rstrip("Z").replace(":", "-", 2).replace(" ", "T"), 0)
    assert found.source is TimeSource.MOVIE_HEADER


def test_an_asf_whose_date_is_not_set_tells_none(read) -> None:
    assert read(asf(0), "a.wmv").capture_time is None
    assert read(asf(1 << 63), "a.wmv").capture_time is None


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("block", "local"),
    [
        (resource(0x0422, made.tiff({}, {0x9003: made.ascii_value("2005:07:18 08:27:14")})), "2005-07-18T08:27:14"),
        (resource(0x0404, b"\x1c\x02\x37\x00\x0819870600"), "1987-06"),
        (resource(0x0424, made.xmp('photoshop:DateCreated="1988-12-01"').encode()), "1988-12-01"),
    ],
)
def test_a_photoshop_document_tells_size_and_date(read, block: bytes, local: str, version: int) -> None:
    facts = read(psd(resource(0x03ED, bytes(16)), block, version=version), "a.psd")

    assert (facts.width, facts.height, facts.bit_depth, facts.damage) == (40, 30, 8, None)
    assert facts.capture_time.local == local


def test_a_jpeg_2000_tells_what_exiftool_wrote_into_it(read, tmp_path: Path) -> None:
    path, held = tmp_path / "a.jp2", io.BytesIO()
    Image.new("RGB", (60, 40)).save(held, "JPEG2000")
    path.write_bytes(held.getvalue())
    told_by_exiftool(path)
    words = ["-EXIF:DateTimeOriginal=2006:07:08 09:10:11", "-XMP-xmp:Rating=4", "-IPTC:Keywords=Greece"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *words, str(path)], check=True)

    facts = read(path.read_bytes(), "a.jp2")

    assert (facts.width, facts.height) == (60, 40)
    assert (facts.capture_time.local, facts.rating, facts.keywords) == ("2006-07-08T09:10:11", 4, ("Greece",))


def test_a_bare_jpeg_2000_codestream_is_no_damage(read) -> None:
    facts = read(
        b"\xff\x4f\xff\x51" + struct.pack(">HHIIIIIIII", 47, 0, 60, 40, 0, 0, 60, 40, 0, 0) + bytes(9), "a.j2k"
    )

    assert (facts.media_type, facts.damage) == ("image/jp2", None)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="FFmpeg's program makes the files")
@pytest.mark.parametrize(
    ("name", "options", "tag"),
    [
        ("a.dv", ("-target", "pal-dv"), "DateTimeOriginal"),
        ("b.dv", ("-target", "ntsc-dv"), "DateTimeOriginal"),
        ("a.mxf", (), "CreateDate"),
        ("a.wmv", (), "CreationDate"),
        ("a.mkv", (), "DateTimeOriginal"),
    ],
)
def test_a_container_that_ffmpeg_wrote_tells_the_date_exiftool_reads(name, options, tag, tmp_path: Path) -> None:
    path = tmp_path / name
    source = ("-f", "lavfi", "-i", "testsrc=s=320x240:r=25:d=0.2", "-metadata", "creation_time=2004-06-05T10:11:12Z")
    subprocess.run(["ffmpeg", "-v", "error", *source, *options, str(path)], check=True)
    theirs = told_by_exiftool(path, f"-{tag}")[tag]

    found = seen(path).capture_time

    assert found.local[:19] == theirs[:19].replace(":", "-", 2).replace(" ", "T") == "2004-06-05T10:11:12"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="FFmpeg's program makes the files")
@pytest.mark.parametrize(("name", "tag"), [("a.ogv", "DATE"), ("a.mkv", "DATE_DIGITIZED")])
def test_the_words_of_a_container_or_of_its_first_stream_tell_a_day(name: str, tag: str, tmp_path: Path) -> None:
    path = tmp_path / name
    codec = ("-c:v", "libtheora") if name == "a.ogv" else ()
    source = ("-f", "lavfi", "-i", "testsrc=s=320x240:r=25:d=0.2", "-metadata", f"{tag}=2011-06-07")
    subprocess.run(["ffmpeg", "-v", "error", *source, *codec, str(path)], check=True)

    assert seen(path).capture_time.local == "2011-06-07"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="FFmpeg's program makes the files")
def test_an_flv_tells_its_date(tmp_path: Path) -> None:
    path = tmp_path / "a.flv"
    source = ("-f", "lavfi", "-i", "testsrc=s=320x240:r=25:d=0.2", "-metadata", "creation_time=2004-06-05T10:11:12Z")
    subprocess.run(["ffmpeg", "-v", "error", *source, str(path)], check=True)

    found = seen(path).capture_time

    assert (found.local[:19], found.offset_min, found.source) == ("2004-06-05T10:11:12", 0, TimeSource.MOVIE_HEADER)


def test_words_of_a_container_never_outrank_what_its_headers_said() -> None:
    told = CaptureTime(local="2020-01-02T03:04:05", source=TimeSource.EXIF_LOCAL)
    facts = Facts(kind=Kind.VIDEO, media_type="video/x-flv", capture_time=told)

    same = with_container_words(facts, {"creation_time": "2004-06-05T10:11:12Z"}, clock=FixedClock())
    lies = with_container_words(Facts(kind=Kind.VIDEO, media_type="a/b"), {"date": "\ufffd" * 9000}, clock=FixedClock())

    assert same.capture_time == told
    assert lies.capture_time is None


# ---------------------------------------------------------------- movies


def movie(*tags: bytes, created: int = HEADER_UTC) -> bytes:
    return made.movie(*tags, created=created)


def nikon(*records: tuple[int, int, int, bytes]) -> bytes:
    held = b"".join(struct.pack(">IHH", tag, form, count) + value for tag, form, count, value in records)
    return made.box(b"udta", made.box(b"NCDT", made.box(b"NCTG", held + bytes(8))))


ORIGINAL = (0x12, 2, 20, b"2024:01:01 00:30:05\0")
SONY = b'<?xml version="1.0"?><NonRealTimeMeta><CreationDate value="2024-01-01T00:30:05+01:00"/></NonRealTimeMeta>'


@pytest.mark.parametrize(
    ("tags", "offset_min"),
    [
        (nikon(ORIGINAL), 60),
        (nikon((0x13, 4, 2, bytes(8)), ORIGINAL, (0x19, 8, 1, struct.pack(">h", 60))), 60),
        (made.box(b"udta", made.box(b"\xa9day", b"\0\x18\x15\xc72024-01-01T00:30:05+0100")), 60),
        (made.box(b"udta", made.box(b"\xa9day", b"\0\x13\x15\xc72024-01-01T00:30:05")), 60),
        (made.box(b"udta", made.box(b"date", b"2024-01-01T00:30:05+0100")), 60),
        (made.apple_keys(creationdate="2024-01-01T00:30:05+0100"), 60),
        (made.apple_keys(creationdate="2024-01-01T00:30:05"), 60),
        (made.full_box(b"meta", made.full_box(b"hdlr", bytes(4), b"nrtm", bytes(13)), made.box(b"xml ", SONY)), 60),
    ],
)
def test_a_wall_clock_in_the_movie_files_it_in_the_year_it_was_filmed(read, tags: bytes, offset_min: int) -> None:
    found = read(movie(tags), "MOV_0001.mp4", Kind.VIDEO).capture_time

    assert (found.local, found.offset_min) == ("2024-01-01T00:30:05", offset_min)
    assert found.source is TimeSource.QUICKTIME_DATE


def test_sony_s_xml_may_lie_outside_the_index(read) -> None:
    meta = made.full_box(b"meta", made.full_box(b"hdlr", bytes(4), b"nrtm", bytes(13)), made.box(b"xml ", SONY))

    assert read(movie() + meta, "C0001.MP4", Kind.VIDEO).capture_time.local == "2024-01-01T00:30:05"


def test_a_date_in_utc_words_is_an_instant_and_the_name_gives_the_wall_clock(read) -> None:
    tags = made.box(b"udta", made.box(b"\xa9day", b"\0\x14\x15\xc72023-12-31T23:30:05Z"))

    found = read(movie(tags, created=0), "VID_20240101_003000.mp4", Kind.VIDEO).capture_time

    assert (found.local, found.offset_min) == ("2024-01-01T00:30:05", 60)


def test_the_year_of_a_3gpp_recording_is_kept_as_a_year(read) -> None:
    tags = made.box(b"udta", made.full_box(b"yrrc", struct.pack(">H", 2005)))

    assert read(movie(tags, created=0), "a.3gp", Kind.VIDEO).capture_time.local == "2005"


@pytest.mark.skipif(None in map(shutil.which, ("ffmpeg", "exiftool")), reason="both programs make the file")
def test_a_track_tells_the_date_that_a_program_that_cut_the_film_left_there(read, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    source = ("-f", "lavfi", "-i", "testsrc=s=320x240:r=25:d=0.2", "-metadata", "creation_time=2020-03-04T05:06:07Z")
    subprocess.run(["ffmpeg", "-v", "error", *source, str(path)], check=True)
    times = ("-TrackCreateDate=2011:06:07 08:09:10", "-MediaCreateDate=0000:00:00 00:00:00")
    subprocess.run(["exiftool", "-q", "-overwrite_original", *times, str(path)], check=True)

    found = read(path.read_bytes(), "a.mp4", Kind.VIDEO).capture_time

    assert (found.local, found.source) == ("2011-06-07T08:09:10", TimeSource.MOVIE_HEADER)


def test_a_clip_filed_by_name_and_header_and_one_counted_from_1970(read) -> None:
    named = read(movie(), "VID_20240101_003000.mp4", Kind.VIDEO).capture_time
    unix = read(movie(created=1_373_133_600), "MOV_0007.mp4", Kind.VIDEO).capture_time
    day = read(movie(created=0), "VID-20200102-WA0001.mp4", Kind.VIDEO).capture_time

    assert (named.local, named.offset_min, named.source) == ("2024-01-01T00:30:05", 60, TimeSource.MOVIE_HEADER)
    assert unix.local == "2013-07-06T18:00:00"
    assert (day.local, day.as_moment().local, day.as_moment().offset_min) == ("2020-01-02", "2020-01-02T12:00:00", None)


@pytest.mark.parametrize("records", [b"\0\0\0\x12\0\x02\xff\xff", b"\xff" * 64, b"\0\0\0\x12\0\x63\0\x01" + bytes(9)])
def test_records_that_lie_cost_themselves_only(read, records: bytes) -> None:
    tags = made.box(b"udta", made.box(b"NCDT", made.box(b"NCTG", records)))

    assert read(movie(tags), "a.mov", Kind.VIDEO).capture_time.local == "2023-12-31T23:30:05"
