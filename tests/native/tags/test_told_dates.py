"""Where files keep the date of their picture: PNG's texts, XMP in any encoding, IPTC, a main directory."""

import json
import shutil
import subprocess
import zlib
from pathlib import Path

import made
import pytest
from PIL import Image

from mediabox.model.facts import TimeSource
from mediabox.model.signature import media_type_of

EXIF = made.tiff({}, {0x9003: made.ascii_value("2017:08:09 10:11:12")})
PACKET = made.xmp('photoshop:DateCreated="1988-12-01T18:53:44"', made.bag("dc:subject", "Ada"))
IIM = b"\x1c\x02\x37\x00\x0819870600"
RESOURCE = b"8BIM\x04\x04\0\0" + len(IIM).to_bytes(4, "big") + IIM + b"\0"


def raw_profile(name: str, block: bytes) -> tuple[bytes, bytes]:
    """Keyword and text, as ImageMagick writes them: 36 bytes a line."""
    digits = block.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"Raw profile type {name}".encode(), f"\n{name}\n{len(block):8}\n{lines}\n".encode()


def text_chunk(kind: bytes, key: bytes, text: bytes) -> bytes:
    if kind == b"zTXt":
        return made.png_chunk(kind, key + b"\0\0" + zlib.compress(text))
    if kind == b"iTXt":
        return made.png_chunk(kind, key + b"\0\x01\0en\0\0" + zlib.compress(text))
    return made.png_chunk(kind, key + b"\0" + text)


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
@pytest.mark.parametrize("is_behind", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize(
    ("name", "block", "local"),
    [
        ("exif", b"Exif\0\0" + EXIF, "2017-08-09T10:11:12"),
        ("APP1", b"Exif\0\0" + EXIF, "2017-08-09T10:11:12"),
        ("exif", EXIF, "2017-08-09T10:11:12"),
        ("xmp", PACKET.encode(), "1988-12-01T18:53:44"),
        ("APP1", b"http://ns.adobe.com/xap/1.0/\0" + PACKET.encode(), "1988-12-01T18:53:44"),
        ("iptc", RESOURCE, "1987-06"),
        ("8bim", b"Photoshop 3.0\0" + RESOURCE, "1987-06"),
        ("iptc", IIM, "1987-06"),
    ],
)
def test_a_png_tells_what_is_in_a_raw_profile(read, name, block, local, *, kind, is_behind) -> None:
    chunk = text_chunk(kind, *raw_profile(name, block))
    pixels = [made.png_chunk(b"IDAT", b"\0")] * (70 if is_behind else 1)
    chunks = [*pixels, text_chunk(b"tEXt", b"date:create", b"x"), chunk] if is_behind else [chunk, *pixels]

    assert read(made.png(*chunks), "a.png").capture_time.local == local


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
@pytest.mark.parametrize(
    ("key", "text", "local", "offset_min"),
    [
        (b"Creation Time", b"2019-06-07T18:19:20+0200", "2019-06-07T18:19:20", 120),
        (b"Creation Time", b"Fri, 07 Jun 2019 18:19:20 +0200", "2019-06-07T18:19:20", 120),
        (b"Creation Time", b"2019:06:07 18:19:20", "2019-06-07T18:19:20", None),
        (b"CreationTime", b"7 June 2019", "2019-06-07", None),
        (b"exif:DateTimeOriginal", b"2019:06:07 18:19:20", "2019-06-07T18:19:20", None),
    ],
)
def test_a_png_tells_its_creation_time(read, key, text, local, offset_min, *, kind) -> None:
    found = read(made.png(text_chunk(kind, key, text)), "a.png").capture_time

    assert (found.local, found.offset_min) == (local, offset_min)


@pytest.mark.parametrize(
    "body",
    [
        b"Raw profile type exif\0\nexif\n 99999999\nzz",
        b"Raw profile type exif\0",
        b"Raw profile type iptc\0\niptc\n  4\n1c02ffff",
        b"Creation Time\0" + b"9" * 5000,
        b"XML:com.adobe.xmp",
        b"\0\0\0\0",
    ],
)
@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
def test_a_text_that_is_a_lie_costs_itself_only(read, kind, body) -> None:
    facts = read(made.png(made.png_chunk(kind, body), text_chunk(b"tEXt", b"Software", b"GIMP")), "a.png")

    assert (facts.damage, facts.software, facts.capture_time) == (None, "GIMP", None)


@pytest.mark.parametrize("end", ["</x:xmpmeta>", "de old='1'/></rdf:RDF></x:xmpmeta>\n<?xpacket end='w'?>", "\x01<<"])
@pytest.mark.parametrize("start", ["", "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>", "\x02junk"])
def test_what_an_older_packet_left_behind_costs_nothing(read, start: str, end: str) -> None:
    facts = read(made.jpeg(made.xmp_segment(start + PACKET + "<?xpacket end='w'?>" + end)))

    assert (facts.capture_time.local, facts.keywords) == ("1988-12-01T18:53:44", ("Ada",))


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-32-be", "utf-32"]
)
@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="UTF-16"?>\n'])
def test_a_sidecar_may_be_in_any_of_unicode_s_encodings(read, encoding: str, declaration: str) -> None:
    content = (declaration + PACKET.replace("Ada", "Åsa")).encode(encoding)
    if encoding == "utf-8-sig":
        content = PACKET.replace("Ada", "Åsa").encode(encoding)

    facts = read(content, "a.jpg.xmp")

    assert media_type_of(content) == "application/rdf+xml"
    assert (facts.damage, facts.keywords, facts.capture_time.local) == (None, ("Åsa",), "1988-12-01T18:53:44")


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool writes the XMP")
@pytest.mark.parametrize(
    ("tag", "source"),
    [
        ("XMP-dc:Date", TimeSource.XMP),
        ("XMP-exif:DateTimeDigitized", TimeSource.XMP),
        ("XMP-xmp:ModifyDate", TimeSource.EXIF_MODIFIED),
        ("XMP-tiff:DateTime", TimeSource.EXIF_MODIFIED),
        ("XMP-xmp:MetadataDate", TimeSource.EXIF_MODIFIED),
    ],
)
def test_xmp_s_lesser_dates_count_where_there_is_no_better(read, tmp_path: Path, tag: str, source: TimeSource) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(made.jpeg())
    subprocess.run(["exiftool", "-q", f"-{tag}=2011:06:07 08:09:10", str(path)], check=True)

    found = read(path.read_bytes(), "a.jpg", modified_at_ms=1_600_000_000_000).capture_time

    assert (found.local, found.source) == ("2011-06-07T08:09:10", source)


@pytest.mark.parametrize("name", ["exif:GPSDateTime", "exif:GPSTimeStamp"])
def test_xmp_with_the_time_of_the_fix_alone_tells_the_instant(read, name: str) -> None:
    found = read(made.jpeg(made.xmp_segment(made.xmp(f'{name}="2019-06-07T16:19:20Z"')))).capture_time

    assert (found.local, found.offset_min, found.source) == ("2019-06-07T16:19:20", 0, TimeSource.GPS_UTC)


@pytest.mark.parametrize(("text", "local"), [("1987", "1987"), ("1987-06", "1987-06"), ("1987-06-15", "1987-06-15")])
def test_a_partial_date_in_xmp_is_kept_before_the_folder_s(read, text: str, local: str) -> None:
    packet = made.xmp(f'photoshop:DateCreated="{text}"')

    found = read(made.jpeg(made.xmp_segment(packet)), modified_at_ms=1_600_000_000_000).capture_time

    assert (found.local, found.source) == (local, TimeSource.XMP)


def test_the_day_iptc_says_it_was_digitised_counts_where_it_says_no_other(read) -> None:
    scanned, taken = (2, 62, b"20110607"), (2, 55, b"19870600")

    assert read(made.jpeg(made.iptc_segment(scanned))).capture_time.local == "2011-06-07"
    assert read(made.jpeg(made.iptc_segment(taken, scanned))).capture_time.local == "1987-06"


@pytest.mark.parametrize("key", [b"date:create", b"DateTime"])
def test_what_imagemagick_tells_of_a_png_s_file_counts_as_a_change(read, key: bytes) -> None:
    found = read(made.png(text_chunk(b"tEXt", key, b"2011-06-07T08:09:10+00:00")), "a.png").capture_time

    assert (found.local, found.source) == ("2011-06-07T08:09:10", TimeSource.EXIF_MODIFIED)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool writes the XMP")
def test_a_gif_tells_the_xmp_exiftool_wrote_into_it(read, tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    Image.new("P", (30, 40)).save(path)
    subprocess.run(["exiftool", "-q", "-XMP-xmp:CreateDate=2011:06:07 08:09:10", str(path)], check=True)

    found = read(path.read_bytes(), "a.gif")

    assert (found.capture_time.local, found.damage) == ("2011-06-07T08:09:10", None)


@pytest.mark.parametrize(
    ("date", "local"), [(b"19870600", "1987-06"), (b"19870000", "1987"), (b"19870615", "1987-06-15")]
)
def test_a_partial_date_in_iptc_is_kept(read, date: bytes, local: str) -> None:
    assert read(made.jpeg(made.iptc_segment((2, 55, date)))).capture_time.local == local


@pytest.mark.parametrize(("text", "local"), [("1987:00:00 00:00:00", "1987"), ("1987:06:  ", "1987-06")])
def test_a_partial_date_in_exif_is_kept(read, text: str, local: str) -> None:
    block = made.tiff({}, {0x9003: made.ascii_value(text), 0x9011: made.ascii_value("+02:00")})

    found = read(made.jpeg(made.exif_segment(block))).capture_time

    assert (found.local, found.offset_min) == (local, None)


def test_the_main_directory_may_hold_what_belongs_into_exif_s(read) -> None:
    main = {0x9003: made.ascii_value("1994:05:06 10:00:00"), 0x9011: made.ascii_value("+02:00")}

    found = read(made.jpeg(made.exif_segment(made.tiff(main, {0x829A: made.rationals((1, 60))})))).capture_time

    assert (found.local, found.offset_min) == ("1994-05-06T10:00:00", 120)


def test_what_exiftool_writes_into_a_png_reads_the_same(read, tmp_path: Path) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    path = tmp_path / "a.png"
    path.write_bytes(made.png(made.png_chunk(b"IDAT", zlib.compress(bytes(31 * 90)))))
    told = ["-PNG:CreationTime=2019:06:07 18:19:20+02:00", "-IPTC:DateCreated=1987:06:00", "-IPTC:Keywords=Greece"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *told, str(path)], check=True)
    theirs = json.loads(subprocess.check_output(["exiftool", "-json", "-a", "-PNG:CreationTime", "-IPTC:all", path]))[0]

    ours = read(path.read_bytes(), "a.png")

    assert theirs["CreationTime"] == "2019:06:07 18:19:20+02:00"
    assert (ours.capture_time.local, ours.capture_time.offset_min) == ("2019-06-07T18:19:20", 120)
    assert (ours.keywords, theirs["Keywords"]) == (("Greece",), "Greece")
