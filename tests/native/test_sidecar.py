"""Sidecars say what we know, keep what others said, and can be read by the programs people use."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediabox.errors import Permanent
from mediabox.model.asset import Kind, Role
from mediabox.model.facts import Camera, CaptureTime, TimeSource
from mediabox.model.place import Place
from mediabox.model.sidecar import SidecarMember, SidecarRecord
from mediabox.native.sidecar import compose, merge, parse
from mediabox.native.xmp.edit import EditablePacket

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
MEDIABOX = "{http://ns.mediabox.app/1.0/}"
replace = msgspec.structs.replace


def member(name: str, role: Role = Role.ORIGINAL, **fields: object) -> SidecarMember:
    values = {
        "path": f"2024/2024-05/{name}",
        "sha256": "ab" * 32,
        "size_bytes": 2_541_501,
        "role": role,
        "kind": Kind.PICTURE,
        "media_type": "image/heic",
        "original_name": name,
        "source": "pictures",
        "remote_id": f"tree/{name}",
        "version": "2541501-1715528602120",
        "taken_in_at_ms": 1_715_528_602_120,
    }
    return SidecarMember(**(values | fields))


RECORD = SidecarRecord(
    members=(
        member("IMG_1635.HEIC", modified_at_ms=1_715_528_602_001),
        member("IMG_1635.MOV", Role.LIVE_VIDEO, kind=Kind.VIDEO, media_type="video/quicktime"),
    ),
    mediabox_version="0.1.0",
    filed_at_ms=1_715_528_700_000,
    capture_time=CaptureTime(local="2024-05-12T18:03:22.120", offset_min=120, source=TimeSource.EXIF_OFFSET),
    place=Place(latitude=48.1372222, longitude=-11.5755, altitude_m=-519.5),
    camera=Camera(make="Apple", model="iPhone 15 Pro", lens="back", exposure_s=0.004, f_number=1.78, iso=80,
                  focal_length_mm=6.86),
    rating=4,
    keywords=("Holiday", "Küste & <Meer>"),
    title='A "title"',
    caption="Line 1\nLine 2 ]]>",
    people=("Ann", "Bob"),
)  # fmt: skip


def packet(body: str, attributes: str = "") -> bytes:
    """Somebody else's sidecar."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"'
        f' xmlns:lr="http://ns.adobe.com/lightroom/1.0/" {attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def edited(content: bytes, old: str, new: str) -> bytes:
    """The sidecar after a person changed it in another program."""
    assert old in content.decode()
    return content.decode().replace(old, new, 1).encode()


# ---------------------------------------------------------------- compose and parse

SAFE = st.characters(codec="utf-8", exclude_categories=("Cs",))
PUBLIC = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=20).map(
    str.strip
).filter(bool)  # fmt: skip
EXACT = st.text(st.characters(), max_size=20)
MS = st.integers(0, 4_000_000_000_000)


def members() -> st.SearchStrategy[SidecarMember]:
    return st.builds(
        SidecarMember,
        path=EXACT,
        sha256=st.integers(0, 2**256 - 1).map(lambda value: f"{value:064x}"),
        size_bytes=st.integers(0, 2**50),
        role=st.sampled_from(Role),
        kind=st.sampled_from(Kind),
        media_type=st.sampled_from(["image/jpeg", "video/mp4"]),
        original_name=EXACT,
        source=EXACT,
        remote_id=EXACT,
        version=EXACT,
        taken_in_at_ms=MS,
        modified_at_ms=st.none() | MS,
    )


def records() -> st.SearchStrategy[SidecarRecord]:
    time = st.builds(
        CaptureTime,
        local=st.datetimes().map(lambda when: when.isoformat(timespec="milliseconds")),
        offset_min=st.none() | st.integers(-14 * 60, 14 * 60),
        source=st.sampled_from(TimeSource),
    )
    words = st.lists(PUBLIC, max_size=4, unique=True).map(tuple)
    return st.builds(
        SidecarRecord,
        members=st.lists(members(), min_size=1, max_size=3).map(tuple),
        mediabox_version=st.just("0.1.0"),
        filed_at_ms=MS,
        capture_time=st.none() | time,
        rating=st.none() | st.integers(-1, 5),
        keywords=words,
        title=st.none() | PUBLIC,
        caption=st.none() | PUBLIC,
        people=words,
    )


@settings(deadline=None, max_examples=150)
@given(records())
def test_reads_back_exactly_what_was_composed(record: SidecarRecord) -> None:
    assert parse(compose(record)) == record


@settings(deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180), st.none() | st.floats(-500, 9000))
def test_places_come_back_to_the_millimetre(latitude: float, longitude: float, altitude: float | None) -> None:
    written = Place(latitude=latitude, longitude=longitude, altitude_m=altitude)

    place = parse(compose(replace(RECORD, place=written))).place

    assert place.latitude == pytest.approx(latitude, abs=1e-9)
    assert place.longitude == pytest.approx(longitude, abs=1e-9)
    assert place.altitude_m == pytest.approx(altitude, abs=1e-3)


def test_what_xml_cannot_hold_is_left_out_of_words_but_never_of_names() -> None:
    record = replace(RECORD, title="a\0b\x1b", keywords=("x\ufffe", "\0"), members=(member("\0\\u0041\n \udcff.jpg "),))

    read = parse(compose(record))

    assert read.title == "ab"
    assert read.keywords == ("x",)
    assert read.members == record.members


def test_composing_costs_a_fraction_of_a_millisecond() -> None:
    def batch() -> float:
        start = time.process_time()
        for _ in range(50):
            compose(RECORD)
        return (time.process_time() - start) / 50

    assert min(batch() for _ in range(5)) < 0.001


def test_composing_needs_no_xml_parser_in_the_daemon() -> None:
    program = "import sys, mediabox.native.sidecar_text as s; sys.exit(any('xml' in name for name in sys.modules))"

    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("content", [b"", b"\0\0", b"hello", b"<html/>", packet(""), compose(RECORD)[:-200]])
def test_no_sidecar_of_ours_is_no_record(content: bytes) -> None:
    assert parse(content) is None


def test_a_member_that_lost_a_field_is_left_out() -> None:
    content = edited(compose(RECORD), "<mediabox:Role>live_video</mediabox:Role>", "")

    assert parse(content).members == RECORD.members[:1]


# ---------------------------------------------------------------- exiftool


@pytest.fixture
def exiftool() -> str:
    found = shutil.which("exiftool")
    if found is None:
        pytest.skip("exiftool is not installed")
    return found


def tags(exiftool: str, path: Path) -> dict[str, object]:
    done = subprocess.run([exiftool, "-j", "-n", "-struct", "-G1", str(path)], capture_output=True, check=True)
    return json.loads(done.stdout)[0]


def test_exiftool_reads_every_tag_and_finds_nothing_wrong(exiftool: str, tmp_path: Path) -> None:
    path = tmp_path / "IMG_1635.HEIC.xmp"
    for content in (compose(RECORD), merge(compose(RECORD), packet("<dc:format>image/heic</dc:format>"), RECORD)):
        path.write_bytes(content)
        command = [exiftool, "-validate", "-warning", "-error", "-a", "-s3", str(path)]
        verdict = subprocess.run(command, capture_output=True, text=True, check=True)

        assert verdict.stdout.strip() == "OK"
        found = tags(exiftool, path)
        assert {name: found.get(name) for name in EXPECTED} == EXPECTED
        members = found["XMP-mediabox:Members"]
        assert [each["Path"] for each in members] == [each.path for each in RECORD.members]
        assert members[1]["Role"] == "live_video"


EXPECTED = {
    "XMP-xmp:CreateDate": "2024:05:12 18:03:22.120+02:00",
    "XMP-xmp:Rating": 4,
    "XMP-photoshop:DateCreated": "2024:05:12 18:03:22.120+02:00",
    "XMP-exif:DateTimeOriginal": "2024:05:12 18:03:22.120+02:00",
    "XMP-exif:GPSVersionID": "2.3.0.0",
    "XMP-exif:GPSMapDatum": "WGS-84",
    "XMP-exif:GPSLatitude": 48.1372222,
    "XMP-exif:GPSLongitude": -11.5755,
    "XMP-exif:GPSAltitude": 519.5,
    "XMP-exif:GPSAltitudeRef": 1,
    "XMP-exif:ExposureTime": 0.004,
    "XMP-exif:FNumber": 1.78,
    "XMP-exif:FocalLength": 6.86,
    "XMP-exifEX:LensModel": "back",
    "XMP-exifEX:PhotographicSensitivity": 80,
    "XMP-tiff:Make": "Apple",
    "XMP-tiff:Model": "iPhone 15 Pro",
    "XMP-xmpMM:OriginalDocumentID": "xmp.did:" + "ab" * 16,
    "XMP-xmpMM:PreservedFileName": "IMG_1635.HEIC",
    "XMP-dc:Title": 'A "title"',
    "XMP-dc:Description": "Line 1\nLine 2 ]]>",
    "XMP-dc:Subject": ["Holiday", "Küste & <Meer>"],
    "XMP-iptcExt:PersonInImage": ["Ann", "Bob"],
    "XMP-mediabox:Version": "0.1.0",
}


def test_a_rating_given_by_another_program_is_kept_and_the_rest_stays_ours(exiftool: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(compose(RECORD))
    edit = ["-XMP-xmp:Rating=5", "-XMP-dc:Subject+=Dog", "-XMP-dc:Subject-=Holiday", "-XMP-lr:HierarchicalSubject=a|b"]
    subprocess.run([exiftool, "-q", "-overwrite_original", *edit, str(path)], check=True)

    merged = merge(path.read_bytes(), None, replace(RECORD, rating=2, title="New", keywords=("Holiday", "Sea")))

    read = parse(merged)
    assert (read.rating, read.title) == (5, "New")
    assert set(read.keywords) == {"Dog", "Sea"}  # Holiday was removed by hand, Küste by us
    assert read.members == RECORD.members
    path.write_bytes(merged)
    assert tags(exiftool, path)["XMP-lr:HierarchicalSubject"] == ["a|b"]


def test_a_lightroom_sidecar_keeps_its_settings(exiftool: str, tmp_path: Path, samples: Path) -> None:
    source = tmp_path / "source.xmp"
    command = [exiftool, "-q", "-tagsfromfile", samples / "sidecar-xmp/IMG_5910.jpg", "-xmp:all", source]
    subprocess.run(command, check=True)
    before = tags(exiftool, source)
    path = tmp_path / "ours.xmp"

    path.write_bytes(merge(None, source.read_bytes(), replace(RECORD, rating=1)))

    after = tags(exiftool, path)
    theirs = {name: value for name, value in before.items() if name.startswith("XMP-") and "XMPToolkit" not in name}
    assert len(theirs) > 60
    keywords = theirs.pop("XMP-dc:Subject")
    assert {name: after.get(name) for name in theirs} == theirs
    assert after["XMP-dc:Subject"] == [*keywords, *RECORD.keywords]
    assert after["XMP-xmp:Rating"] == 3  # the owner's, not the file's
    assert after["XMP-iptcExt:PersonInImage"] == ["Ann", "Bob"]


# ---------------------------------------------------------------- merging


def test_without_any_other_words_merging_is_composing() -> None:
    assert merge(None, None, RECORD) == compose(RECORD)
    assert merge(None, b"broken", RECORD) == compose(RECORD)


def test_our_older_words_are_updated() -> None:
    newer = replace(RECORD, rating=None, title=None, keywords=("Sea",), place=None, people=(), caption="Other")

    assert parse(merge(compose(RECORD), None, newer)) == newer


def test_an_owner_who_removed_something_is_not_overruled() -> None:
    content = edited(compose(RECORD), "   <xmp:Rating>4</xmp:Rating>\n", "")
    content = edited(content, "<rdf:li>Ann</rdf:li>", "")

    read = parse(merge(content, None, replace(RECORD, rating=5, people=("Ann", "Bob", "Cyn"))))

    assert read.rating is None
    assert read.people == ("Bob", "Cyn")


def test_an_owners_place_never_gets_our_altitude() -> None:
    content = edited(compose(RECORD), "48,8.23333200N", "47,0.00000000N")

    read = parse(merge(content, None, replace(RECORD, place=Place(latitude=1, longitude=2, altitude_m=3))))

    assert read.place.latitude == 47
    assert read.place.longitude == -11.5755
    assert read.place.altitude_m == -519.5


def test_an_owners_time_is_known_to_be_the_sidecars() -> None:
    content = edited(compose(RECORD), "DateTimeOriginal>2024-05-12T18", "DateTimeOriginal>2023-05-12T18")

    time = parse(merge(content, None, RECORD)).capture_time

    assert time == CaptureTime(local="2023-05-12T18:03:22.120", offset_min=120, source=TimeSource.XMP)


def test_other_languages_of_a_title_stay() -> None:
    both = '<rdf:li xml:lang="x-default">A "title"</rdf:li><rdf:li xml:lang="de">Ein Titel</rdf:li>'
    content = edited(compose(RECORD), '<rdf:li xml:lang="x-default">A "title"</rdf:li>', both)

    merged = merge(content, None, replace(RECORD, title="New"))

    assert parse(merged).title == "New"
    assert '<rdf:li xml:lang="de">Ein Titel</rdf:li>' in merged.decode()


def test_the_sources_words_come_before_the_files() -> None:
    source = packet("<dc:subject><rdf:Bag><rdf:li>Own</rdf:li></rdf:Bag></dc:subject>", 'xmp:Rating="1"')

    first = merge(None, source, RECORD)

    assert parse(first).rating == 1
    assert parse(first).keywords == ("Own", *RECORD.keywords)
    newer = packet("", 'xmp:Rating="2"')
    assert parse(merge(first, newer, RECORD)).rating == 2  # the owner gave another at the source
    later = edited(first, 'xmp:Rating="1"', 'xmp:Rating="5"')
    assert parse(merge(later, newer, RECORD)).rating == 5  # and here the owner's last word is on disk


def test_a_source_that_comes_later_is_taken_over_once() -> None:
    source = packet("<lr:weight>3</lr:weight>", 'xmp:Rating="1" xmp:Label="Red" exif:GPSAltitude="9/1"')
    ours = compose(replace(RECORD, place=Place(latitude=1, longitude=2)))

    merged = merge(ours, source, replace(RECORD, place=Place(latitude=1, longitude=2)))
    removed = edited(merged, "<lr:weight>3</lr:weight>", "")

    assert parse(merged).rating == 1
    assert parse(merged).place == Place(latitude=1, longitude=2)  # an altitude alone is no place
    assert parse(merged).camera == RECORD.camera
    assert 'xmp:Label="Red"' in merged.decode()
    assert "lr:weight" not in merge(removed, source, RECORD).decode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_any_encoding_xmp_allows_is_read(encoding: str) -> None:
    mark = "" if encoding in ("utf-8-sig", "utf-16") else "\ufeff"
    content = (mark + packet("<dc:format>Küste</dc:format>").decode()).encode(encoding)

    assert "Küste" in merge(content, None, RECORD).decode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<html><body/></html>",
        packet("")[:-5],
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>' + packet("<lr:a>&c;</lr:a>"),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + packet("<lr:a>&b;</lr:a>"),
        b'<!DOCTYPE a SYSTEM "http://example.invalid/a.dtd">' + packet(""),
        packet("<lr:a>" * 100_000 + "</lr:a>" * 100_000),
        b'<?xml version="1.0" encoding="nonsense"?>' + packet(""),
    ],
)
def test_what_is_no_xmp_is_refused_and_never_overwritten(content: bytes) -> None:
    with pytest.raises(Permanent):
        merge(content, None, RECORD)
    assert merge(None, content, RECORD) == compose(RECORD)


# ---------------------------------------------------------------- other people's trees

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,8}", fullmatch=True)
URIS = [
    "http://ns.adobe.com/lightroom/1.0/",
    "http://www.digikam.org/ns/1.0/",
    "urn:x-ø&\"<'",
    "http://ns.adobe.com/xap/1.0/",
]
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=12)


@st.composite
def foreign_elements(draw: st.DrawFn, depth: int = 0) -> ET.Element:
    element = ET.Element(f"{{{draw(st.sampled_from(URIS))}}}x{draw(NAMES)}")
    shape = draw(st.sampled_from(["text", "array", "structure", "description", "resource"] if depth < 3 else ["text"]))
    match shape:
        case "text":
            element.text = draw(TEXTS)
            if draw(st.booleans()):
                element.set("{http://www.w3.org/XML/1998/namespace}lang", "de")
        case "resource":
            element.set(f"{RDF}resource", draw(TEXTS))
        case "array":
            array = ET.SubElement(element, RDF + draw(st.sampled_from(["Bag", "Seq", "Alt"])))
            for value in draw(st.lists(TEXTS, max_size=3)):
                ET.SubElement(array, f"{RDF}li").text = value
        case "structure":
            element.set(f"{RDF}parseType", "Resource")
            element.extend(draw(st.lists(foreign_elements(depth + 1), max_size=2)))
        case "description":
            inner = ET.SubElement(element, f"{RDF}Description")
            inner.set(f"{{{URIS[0]}}}{draw(NAMES)}", draw(TEXTS))
            inner.extend(draw(st.lists(foreign_elements(depth + 1), max_size=2)))
    return element


@st.composite
def foreign_packets(draw: st.DrawFn) -> bytes:
    root = ET.Element("{adobe:ns:meta/}xmpmeta")
    rdf = ET.SubElement(root, f"{RDF}RDF")
    for _ in range(draw(st.integers(1, 2))):
        description = ET.SubElement(rdf, f"{RDF}Description", {f"{RDF}about": ""})
        for name in draw(st.lists(NAMES, max_size=3, unique=True)):
            description.set(f"{{{draw(st.sampled_from(URIS))}}}a{name}", draw(TEXTS))
        description.extend(draw(st.lists(foreign_elements(), max_size=3)))
    if draw(st.booleans()):
        ET.SubElement(description, "{http://ns.adobe.com/xap/1.0/}Rating").text = "2"
    return ET.tostring(root)


def foreign_properties(content: bytes) -> list[str]:
    """Every property that is not ours, in a canonical form that ignores prefixes and the space between elements."""
    found = []
    for description in EditablePacket(content).root.iterfind(f".//{RDF}RDF/{RDF}Description"):
        found += [f"{tag}={text}" for tag, text in description.attrib.items() if not tag.startswith((RDF, MEDIABOX))]
        found += [
            ET.canonicalize(ET.tostring(child), rewrite_prefixes=True, strip_text=len(child) > 0)
            for child in map(without_tail, description)
            if child.tag.partition("}")[2].startswith("x") and child.tag[1:].partition("}")[0] in URIS
        ]
    return sorted(found)


def without_tail(element: ET.Element) -> ET.Element:
    element.tail = None
    return element


@settings(deadline=None, max_examples=150)
@given(foreign_packets())
def test_whatever_others_wrote_survives_every_merge(content: bytes) -> None:
    before = foreign_properties(content)

    merged = merge(content, None, RECORD)
    brought = merge(None, content, RECORD)
    again = merge(merged, None, replace(RECORD, title="Other"))
    adopted = merge(compose(RECORD), content, RECORD)

    for result in (merged, brought, again):
        assert foreign_properties(result) == before
    assert set(before) >= set(foreign_properties(adopted))
    assert parse(again).title == "Other"


@settings(deadline=None, max_examples=100)
@given(foreign_packets(), st.none() | foreign_packets(), records())
def test_merging_again_changes_nothing(existing: bytes, source: bytes | None, record: SidecarRecord) -> None:
    once = merge(existing, source, record)

    assert merge(once, source, record) == once
    assert parse(once).members == record.members
    first = merge(None, source, record)
    assert source is None or merge(first, source, record) == first


@pytest.mark.parametrize("local", ["1987", "1987-06", "1987-06-15"])
def test_a_partial_date_is_written_and_read_as_the_period_it_is(local: str) -> None:
    record = replace(RECORD, capture_time=CaptureTime(local=local, source=TimeSource.XMP))

    content = compose(record)

    assert f">{local}<".encode() in content or f'"{local}"'.encode() in content
    assert parse(content).capture_time == record.capture_time


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
@pytest.mark.parametrize("leftover", ["", "</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end='w'?>"])
def test_an_owners_sidecar_is_merged_in_any_encoding_and_with_leftovers(encoding: str, leftover: str) -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2" xmp:Label="Grün"/></rdf:RDF>'
        f"</x:xmpmeta>{leftover}"
    )

    merged = merge(None, packet.encode(encoding), RECORD)

    assert "Grün" in merged.decode()
    assert parse(merged).rating == 2
