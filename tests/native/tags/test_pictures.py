"""JPEG, PNG, WebP, GIF, TIFF: what hand-built files say."""

import struct

import made
import pytest

from mediabox.model.facts import Hdr, TimeSource
from mediabox.model.place import Place

CAMERA = {0x010F: made.ascii_value("Canon "), 0x0110: made.ascii_value("EOS R5"), 0x0112: made.shorts(6)}
SHOT = {
    0x9003: made.ascii_value("2024:05:12 18:03:22"),
    0x9011: made.ascii_value("+02:00"),
    0x9291: made.ascii_value("12"),
    0x829A: made.rationals((1, 250)),
    0x829D: made.rationals((28, 10)),
    0x8827: made.shorts(400),
    0x920A: made.rationals((50, 1)),
    0xA434: made.ascii_value("RF50mm F1.8 STM"),
}
GPS = {
    1: made.ascii_value("S"),
    2: made.rationals((33, 1), (51, 1), (36, 1)),
    3: made.ascii_value("E"),
    4: made.rationals((151, 1), (12, 1), (0, 1)),
    5: (1, 1, b"\x01"),
    6: made.rationals((5, 2)),
    7: made.rationals((16, 1), (3, 1), (20, 1)),
    29: made.ascii_value("2024:05:12"),
}


def test_a_jpeg_tells_camera_time_and_place(read) -> None:
    facts = read(made.jpeg(made.exif_segment(made.tiff(CAMERA, SHOT, GPS))))

    assert facts.damage is None
    assert (facts.width, facts.height, facts.orientation) == (30, 40, 6)
    assert facts.camera.make == "Canon"
    assert facts.camera.lens == "RF50mm F1.8 STM"
    assert (facts.camera.exposure_s, facts.camera.f_number, facts.camera.iso) == (1 / 250, 2.8, 400)
    assert facts.capture_time.local == "2024-05-12T18:03:22.120"
    assert (facts.capture_time.offset_min, facts.capture_time.source) == (120, TimeSource.EXIF_OFFSET)
    assert facts.place == Place(latitude=-(33 + 51 / 60 + 36 / 3600), longitude=151.2, altitude_m=-2.5)


def test_big_endian_says_the_same(read) -> None:
    main = {0x0112: made.shorts(3, endian=">"), 0x010F: made.ascii_value("SONY")}
    exif = {0x829A: made.rationals((1, 60), endian=">"), 0x9003: made.ascii_value("2020:01:02 03:04:05")}

    facts = read(made.jpeg(made.exif_segment(made.tiff(main, exif, endian=">"))))

    assert (facts.orientation, facts.camera.make, facts.camera.exposure_s) == (3, "SONY", 1 / 60)


def test_a_loop_of_directories_ends(read) -> None:
    looped = b"II*\0\x08\0\0\0" + made.directory({0x0100: made.shorts(5), 0x0101: made.shorts(4)}, 8, following=8)

    facts = read(looped, "a.tif")

    assert (facts.width, facts.height, facts.frames) == (5, 4, None)


def test_one_bad_pointer_costs_one_tag(read) -> None:
    broken = dict(SHOT) | {0x829A: (5, 1, b"\0" * 8)}
    block = bytearray(made.tiff(CAMERA, broken))
    row = block.index(struct.pack("<HHI", 0x829A, 5, 1))
    block[row + 8 : row + 12] = b"\xff\xff\xff\x7f"

    facts = read(made.jpeg(made.exif_segment(bytes(block))))

    assert facts.camera.exposure_s is None
    assert facts.camera.iso == 400


def test_a_person_is_believed_before_the_camera(read) -> None:
    main = {**CAMERA, 0x010E: made.ascii_value("OLYMPUS DIGITAL CAMERA"), 0x4746: made.shorts(2)}
    people = (
        "<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:RegionList><rdf:Bag><rdf:li rdf:parseType='Resource'>"
        "<mwg-rs:Name>Ada</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type></rdf:li><rdf:li rdf:parseType='Resource'>"
        "<mwg-rs:Name>A gate</mwg-rs:Name><mwg-rs:Type>BarCode</mwg-rs:Type></rdf:li></rdf:Bag></mwg-rs:RegionList>"
        "</mwg-rs:Regions>"
    )
    names = "<rdf:li xml:lang='de'>See</rdf:li><rdf:li xml:lang='x-default'>Lake</rdf:li>"
    title = f"<dc:title><rdf:Alt>{names}</rdf:Alt></dc:title>"
    words = made.bag("dc:subject", "sea", "boat", "sea")
    packet = made.xmp('xmp:Rating="-1"', title + words + made.bag("Iptc4xmpExt:PersonInImage", "Grace") + people)
    iptc = made.iptc_segment(
        (1, 90, b"\x1b%G"), (2, 25, "Fähre".encode()), (2, 120, b"A caption"), (2, 5, b"Old title")
    )

    facts = read(made.jpeg(made.exif_segment(made.tiff(main)), iptc, made.xmp_segment(packet)))

    assert facts.rating == -1
    assert facts.title == "Lake"
    assert facts.caption == "A caption"
    assert facts.keywords == ("Fähre", "sea", "boat")
    assert facts.people == ("Grace", "Ada")


def test_xmp_alone_tells_time_and_place(read) -> None:
    where = 'exif:GPSLatitude="46,30.5N" exif:GPSLongitude="7,15,36W" exif:GPSAltitude="1500/2"'

    facts = read(made.jpeg(made.xmp_segment(made.xmp(f'xmp:CreateDate="2019-08-01T10:00:00.5-07:00" {where}'))))

    assert facts.capture_time.local == "2019-08-01T10:00:00.500"
    assert (facts.capture_time.offset_min, facts.capture_time.source) == (-420, TimeSource.XMP)
    assert facts.place == Place(latitude=46 + 30.5 / 60, longitude=-(7 + 15 / 60 + 36 / 3600), altitude_m=750.0)


def test_iptc_alone_tells_the_time(read) -> None:
    facts = read(made.jpeg(made.iptc_segment((2, 55, b"20230925"), (2, 60, b"083330-0500"))))

    assert (facts.capture_time.local, facts.capture_time.offset_min) == ("2023-09-25T08:33:30", -300)
    assert facts.capture_time.source is TimeSource.IPTC


def test_entities_are_never_expanded(read) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + made.xmp(inside=made.bag("dc:subject", "&b;"))

    facts = read(made.jpeg(made.xmp_segment(bomb)))

    assert facts.keywords == ()
    assert facts.damage is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (made.jpeg(end=b""), "the JPEG ends before its end marker"),
        (made.jpeg()[:14], "the JPEG ends before its picture"),
        (made.jpeg() + b"maker's trailer", None),
        (made.jpeg() + bytes(5000), None),
        (b"", "the file is empty"),
        (bytes(5000), "starts with zeros, not a picture"),
        (b"  <!DOCTYPE html><html>no</html>", "starts with HTML, not a picture"),
        (b"not a picture at all", "does not start like a picture of any known kind"),
        (made.png(end=False), "the PNG ends before its end chunk"),
        (made.riff(b"WEBP", (b"VP8L", b"/" + bytes(99)))[:60], "the WebP claims 120 bytes, 60 are there"),
        (b"GIF89a\x05\0\x04\0\0\0\0,", "the GIF ends before its trailer"),
    ],
)
def test_says_what_is_wrong_with_a_file(read, content: bytes, expected: str | None) -> None:
    assert read(content).damage == expected


def test_a_gain_map_in_xmp_is_ultra_hdr(read) -> None:
    facts = read(made.jpeg(made.xmp_segment(made.xmp('hdrgm:Version="1.0"'))))

    assert facts.hdr is Hdr.ULTRA_HDR


def test_a_second_picture_with_apples_gain_map_is_found(read) -> None:
    second = made.jpeg(made.xmp_segment("urn:com:apple:photo:2020:aux:hdrgainmap"))
    block = made.tiff({0xB002: (7, 32, b"?" * 32)})
    first = made.jpeg(made.segment(0xE2, b"MPF\0" + block))
    base = first.index(b"MPF\0") + 4
    entries = struct.pack("<IIIHHIIIHH", 0, len(first), 0, 0, 0, 0, len(second), len(first) - base, 0, 0)
    content = first.replace(b"?" * 32, entries) + second

    assert read(content).hdr is Hdr.APPLE_GAIN_MAP


def test_apples_note_ties_a_pair_together(read) -> None:
    note_tags = {0x0011: made.ascii_value("CONTENT-ID"), 0x000B: made.ascii_value("BURST-ID")}
    note = b"Apple iOS\0\0\x01II" + made.directory(note_tags, 14)
    exif = {0x927C: (7, len(note), note)}

    facts = read(made.jpeg(made.exif_segment(made.tiff({0x010F: made.ascii_value("Apple")}, exif))))

    assert (facts.content_identifier, facts.burst_id) == ("CONTENT-ID", "BURST-ID")


def test_a_png_tells_what_stands_before_and_behind_its_pixels(read) -> None:
    text = made.png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + made.xmp('xmp:Rating="4"').encode())
    exif = made.png_chunk(b"eXIf", made.tiff({}, SHOT))
    pixels = b"".join(made.png_chunk(b"IDAT", b"eXIf" + bytes(100)) for _ in range(100))

    facts = read(made.png(made.png_chunk(b"acTL", struct.pack(">II", 3, 0)), pixels, exif, text))

    assert (facts.width, facts.height, facts.bit_depth, facts.frames) == (40, 30, 8, 3)
    assert facts.rating == 4
    assert facts.capture_time.source is TimeSource.EXIF_OFFSET


def test_a_webp_tells_frames_and_exif(read) -> None:
    canvas = bytes(4) + (99).to_bytes(3, "little") + (49).to_bytes(3, "little")
    frame = bytes(12) + (40).to_bytes(3, "little") + bytes(9)
    exif = b"Exif\0\0" + made.tiff({0x0112: made.shorts(8)}, SHOT)

    facts = read(made.riff(b"WEBP", (b"VP8X", canvas), (b"ANMF", frame), (b"ANMF", frame), (b"EXIF", exif)))

    assert (facts.width, facts.height, facts.orientation) == (50, 100, 8)
    assert (facts.frames, facts.duration_s) == (2, 0.08)


def test_a_gif_counts_its_frames(read) -> None:
    frame = b"\x21\xf9\x04\x04\x0a\0\0\0,\0\0\0\0\x05\0\x04\0\0\x02\x02\x4c\x01\0"

    facts = read(b"GIF89a\x05\0\x04\0\0\0\0" + frame * 3 + b";")

    assert (facts.width, facts.height, facts.frames, facts.duration_s) == (5, 4, 3, 0.3)


def test_a_raw_file_is_as_large_as_its_full_picture(read) -> None:
    full = {0x00FE: made.longs(0), 0x0100: made.shorts(6000), 0x0101: made.shorts(4000)}
    main = {
        0x00FE: made.longs(1), 0x0100: made.shorts(160), 0x0101: made.shorts(120), 0x0112: made.shorts(8),
        0x010F: made.ascii_value("NIKON CORPORATION"), 0x014A: made.longs(0),
    }  # fmt: skip
    at = len(made.tiff(main))
    main[0x014A] = made.longs(at)

    facts = read(made.tiff(main) + made.directory(full, at), "a.nef")

    assert facts.media_type == "image/x-nikon-nef"
    assert (facts.width, facts.height) == (4000, 6000)


def test_bigtiff_is_walked_too(read) -> None:
    rows = struct.pack("<HHQQ", 0x0100, 4, 1, 70_000) + struct.pack("<HHQQ", 0x0101, 3, 1, 9)
    content = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2) + rows + bytes(8)

    facts = read(content, "a.tif")

    assert (facts.width, facts.height) == (70_000, 9)


def test_a_google_motion_photo_is_found_only_when_the_video_is_there(read) -> None:
    video = made.movie()
    parts = (
        "<Container:Directory><rdf:Seq><rdf:li rdf:parseType='Resource'><Container:Item Item:Mime='image/jpeg' "
        "Item:Semantic='Primary'/></rdf:li><rdf:li rdf:parseType='Resource'><Container:Item Item:Mime='video/mp4' "
        f"Item:Semantic='MotionPhoto' Item:Length='{len(video)}'/></rdf:li></rdf:Seq></Container:Directory>"
    )
    packet = made.xmp('GCamera:MotionPhoto="1" GCamera:MotionPhotoPresentationTimestampUs="1500"', parts)
    still = made.jpeg(made.xmp_segment(packet))

    motion = read(still + video).motion
    stripped = read(still).motion

    assert (motion.maker, motion.offset_bytes, motion.size_bytes) == ("google", len(still), len(video))
    assert motion.timestamp_us == 1500
    assert stripped is None


def test_an_old_micro_video_is_found(read) -> None:
    video = made.movie()
    packet = made.xmp(f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(video)}"')

    assert read(made.jpeg(made.xmp_segment(packet)) + video).motion.size_bytes == len(video)


def test_samsungs_trailer_is_found(read) -> None:
    video, still, name = made.movie(), made.jpeg(), b"MotionPhoto_Data"
    block = struct.pack("<HHI", 0, 0x0A30, len(name)) + name + video
    table = b"SEFH" + struct.pack("<IIHHII", 107, 1, 0, 0x0A30, len(block), len(block))
    content = still + block + table + struct.pack("<I", len(table)) + b"SEFT"

    motion = read(content).motion

    assert (motion.maker, motion.size_bytes) == ("samsung", len(video))
    assert content[motion.offset_bytes :].startswith(video)


def test_a_jpeg_xl_whose_exif_comes_without_its_count_tells_the_date(read, media) -> None:
    facts = read((media / "library" / "Mixed" / "small.jxl").read_bytes())

    assert facts.capture_time.local == "2024-01-02T03:04:05"
    assert facts.capture_time.source is TimeSource.EXIF_OFFSET
