"""Whatever the bytes: an answer, in bounded time, and nothing raised."""

import random
import struct
import time

import made
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_container_dates import ORIGINAL, asf, movie, nikon, psd, resource
from test_pictures import CAMERA, GPS, SHOT
from test_told_dates import raw_profile, text_chunk

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.native.boxes import Held
from mediabox.native.tags import preload, read_tags
from mediabox.native.tags.reader import SubReader

CANON_UUID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
LONGEST_S = 2.0  # CPU; a hostile file may cost a hundred times a sound one, not a thousand


def heic() -> bytes:
    exif = bytes(4) + made.tiff(CAMERA, SHOT, GPS)
    infos = made.full_box(
        b"iinf",
        struct.pack(">H", 2),
        made.box(b"infe", b"\x02\0\0\0" + struct.pack(">HH4s", 1, 0, b"hvc1") + b"\0"),
        made.box(b"infe", b"\x02\0\0\0" + struct.pack(">HH4s", 2, 0, b"Exif") + b"\0"),
    )
    size = made.full_box(b"ispe", struct.pack(">II", 400, 300))
    properties = made.box(
        b"iprp",
        made.box(b"ipco", size, made.box(b"irot", b"\x03")),
        made.full_box(b"ipma", struct.pack(">IHBBBHBB", 2, 1, 2, 1, 2, 2, 1, 1)),
    )

    def whole(at: int) -> bytes:
        places = made.full_box(
            b"iloc", struct.pack(">HHHHHIIHHHII", 0x4400, 2, 1, 0, 1, at, 10, 2, 0, 1, at, len(exif))
        )
        primary = made.full_box(b"pitm", struct.pack(">H", 1))
        meta = made.full_box(b"meta", primary, infos, properties, places)
        return made.box(b"ftyp", b"heic\0\0\0\0heicmif1") + meta + made.box(b"mdat", exif)

    return whole(len(whole(0)) - len(exif))


def nested(levels: int) -> str:
    return "<rdf:Seq><rdf:li>" * levels + "</rdf:li></rdf:Seq>" * levels


def many_words() -> bytes:
    return made.xmp(inside=made.bag("dc:subject", *(str(number) for number in range(10_000)))).encode()


def parsed(content: bytes, name: str = "a.jpg") -> Facts:
    source = SubReader(Held(content), 0, len(content))
    return read_tags(source, ExamineRequest(name=name, kind=Kind.PICTURE, size_bytes=len(content)))


SOUND = {
    "jpeg": made.jpeg(
        made.exif_segment(made.tiff(CAMERA, SHOT, GPS)),
        made.iptc_segment((2, 25, b"word"), (2, 55, b"20230925")),
        made.xmp_segment(made.xmp('xmp:Rating="3"', made.bag("dc:subject", "a"))),
        made.segment(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(36) + b"acsp" + bytes(92)),
    ),
    "heic": heic(),
    "movie": made.movie(made.apple_keys(creationdate="2024-07-14T12:20:30+0200", make="Apple"), created=3_803_797_230),
    "png": made.png(made.png_chunk(b"eXIf", made.tiff(CAMERA, SHOT)), made.png_chunk(b"iCCP", b"name\0\0")),
    "webp": made.riff(b"WEBP", (b"VP8X", bytes(10)), (b"EXIF", made.tiff(CAMERA, SHOT)), (b"ANMF", bytes(24))),
    "tiff": made.tiff(CAMERA | {0x0100: made.shorts(5), 0x0101: made.shorts(4), 0x014A: made.longs(8)}, SHOT, GPS),
    "gif": b"GIF89a\x05\0\x04\0\0\0\0" + b"\x21\xf9\x04\x04\x0a\0\0\0," * 9 + b";",
    "jxl": b"\xff\x0a" + bytes(range(60)),
    "mkv": made.ebml(0x1A45DFA3, made.ebml(0x4282, b"webm"))
    + made.ebml(0x18538067, made.ebml(0x1549A966, made.ebml(0x4489, bytes(8))), made.ebml(0x1654AE6B, bytes(30))),
    "avi": made.riff(b"AVI ", (b"LIST", b"hdrlavih" + struct.pack("<I", 40) + bytes(40)), (b"IDIT", b"SAT MAR 05")),
    "ts": (b"G\x40\x00\x30\x07\x10" + bytes(182)) * 6,
    "crw": b"II\x1a\0\0\0HEAPCCDR" + bytes(60) + b"\x02\0" + bytes(24) + b"\x20\0\0\0",
    "raf": b"FUJIFILMCCD-RAW " + bytes(68) + struct.pack(">IIII", 100, 50, 150, 20) + made.jpeg()[:90],
    "mrw": b"\0MRM\0\0\0\x40\0PRD\0\0\0\x18" + bytes(24) + b"\0TTW\0\0\0\x20" + made.tiff({})[:32],
    "x3f": b"FOVb" + bytes(60),
    "mpeg": b"\0\0\x01\xba" + bytes(20) + b"\0\0\x01\xb3\x28\x01\x68\x15" + bytes(20),
    "bmp": b"BM" + struct.pack("<IHHIIii", 70, 0, 0, 54, 40, 5, -4) + bytes(50),
    "cr3": made.box(b"ftyp", b"crx \0\0\0\0")
    + made.box(b"moov", made.box(b"uuid", CANON_UUID, made.box(b"CMT1", made.tiff(CAMERA)))),
    "asf": asf(128_489_256_000_000_000),
    "psd": psd(resource(0x0422, made.tiff(CAMERA, SHOT)), resource(0x0404, b"\x1c\x02\x37\x00\x0819870600")),
    "jp2": made.box(b"jP  ", b"\r\n\x87\n") + made.box(b"uuid", b"JpgTiffExif->JP2", made.tiff(CAMERA, SHOT)),
    "dv": b"\x1f\x07\0\x3f" + bytes(236) + b"\x56\x07\0\x62\xff\x05\x06\x04\x63\xff\x12\x11\x10" + bytes(11_747),
    "png profile": made.png(text_chunk(b"zTXt", *raw_profile("exif", b"Exif\0\0" + made.tiff(CAMERA, SHOT)))),
    "maker": movie(nikon(ORIGINAL), made.box(b"udta", made.box(b"date", b"2024-01-01T00:30:05+0100"))),
    "xmp utf-16": made.xmp('xmp:CreateDate="1987"').encode("utf-16"),
    "xmp": made.xmp('xmp:Rating="3"', made.bag("dc:subject", "a")).encode(),
    "plist": b"<?xml version='1.0'?><plist><dict><key>a</key><date>2024-01-01T00:00:00Z</date></dict></plist>",
    "takeout": b'{"photoTakenTime": {"timestamp": "99999999999999"}, "geoData": {"latitude": 1e308}}',
}  # fmt: skip

preload()


@pytest.mark.parametrize("name", sorted(SOUND))
def test_cut_anywhere_it_still_answers(name: str) -> None:
    content = SOUND[name]

    for end in range(0, len(content), max(1, len(content) // 200)):
        parsed(content[:end])


@pytest.mark.parametrize("name", sorted(SOUND))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32), count=st.integers(1, 12))
def test_changed_anywhere_it_still_answers(name: str, seed: int, count: int) -> None:
    chance = random.Random(seed)
    content = bytearray(SOUND[name])
    for _ in range(count):
        at = chance.randrange(len(content))
        width = chance.choice((1, 1, 2, 4, 8))
        value = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        content[at : at + width] = bytes([value]) * min(width, len(content) - at)

    started = time.process_time()
    facts = parsed(bytes(content))

    assert isinstance(facts, Facts)
    assert time.process_time() - started < LONGEST_S


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8" + made.segment(0xE1, b"") * 200_000,
        b"\xff\xd8" + b"\xff" * 3_000_000,
        b"II*\0\x08\0\0\0" + b"\xff\xff" + b"\x4a\x01\x04\0\xff\xff\0\0\x08\0\0\0" * 65_535,
        made.box(b"ftyp", b"isom\0\0\0\0") + made.box(b"free") * 300_000,
        made.box(b"ftyp", b"isom\0\0\0\0") + made.box(b"moov", made.box(b"trak") * 200_000),
        made.box(b"ftyp", b"isom\0\0\0\0")
        + made.box(b"moov", made.box(b"udta", made.box(b"\xa9xyz", b"\0\1\0\0+") * 99_999)),
        made.box(b"ftyp", b"heic\0\0\0\0") + made.full_box(b"meta", made.box(b"iinf", bytes(6)) * 50_000),
        b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x80" * 400_000,
        b"GIF89a" + b"\x21\xf9\x04\x04\x0a\0\0\0," * 300_000,
        b"\x89PNG\r\n\x1a\n" + made.png_chunk(b"iTXt", b"") * 100_000,
        made.jpeg(made.xmp_segment("Rating" + "<a>" * 20_000)),
        made.xmp(inside=f"<Container:Directory>{nested(9_000)}</Container:Directory> MotionPhoto").encode(),
        made.png(*[made.png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + many_words()) for _ in range(40)]),
        ("<?xpacket?><x:xmpmeta xmlns:x='x'>CreateDate" + "<b>" * 600_000).encode(),
        b"bplist00" + bytes(range(256)) * 4000,
        b'{"photoTakenTime": ' + b"[" * 100_000,
        ("CreateDate" + "<x:xmpmeta " * 90_000).encode(),
        made.png(*[text_chunk(b"zTXt", b"Raw profile type exif", b"\nexif\n 9\n" + b"4" * 2_000_000)] * 60),
        psd(*[resource(0x0404, b"\x1c\x02\x19\0\0" * 900)] * 900),
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
        + struct.pack("<QIBB", 1 << 40, 9, 1, 2)
        + (bytes(16) + struct.pack("<Q", 24)) * 90_000,
        made.box(b"jP  ", b"\r\n\x87\n") + made.box(b"xml ", b"CreateDate<a") * 90_000,
    ],
    ids=lambda content: repr(content[:14]),
)  # fmt: skip
def test_ten_thousand_times_the_same_costs_no_more_than_a_moment(content: bytes) -> None:
    started = time.process_time()

    parsed(content)

    assert time.process_time() - started < LONGEST_S


def test_a_sound_heic_is_read_through_its_boxes() -> None:
    facts = parsed(SOUND["heic"])

    assert (facts.width, facts.height, facts.orientation) == (300, 400, 6)
    assert facts.camera.model == "EOS R5"


def test_the_turn_of_a_heic_is_exif_s_where_no_box_says_it() -> None:
    """Cameras repeat the turn in Exif, and some write it nowhere else."""
    by_exif = parsed(SOUND["heic"].replace(b"irot", b"free"))

    assert (by_exif.width, by_exif.height, by_exif.orientation) == (300, 400, 6)
