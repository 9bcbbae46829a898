"""XMP, AAE and Takeout files: what they say of the picture beside them."""

import json
import plistlib

import made
import pytest

from mediabox.model.asset import Kind
from mediabox.model.facts import TimeSource
from mediabox.model.place import Place

TAKEOUT = {
    "title": "IMG_0001.jpg",
    "description": "At the lake",
    "photoTakenTime": {"timestamp": "1715529802", "formatted": "12.05.2024"},
    "geoData": {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0},
    "geoDataExif": {"latitude": 46.5, "longitude": 7.25, "altitude": 0.0},
    "people": [{"name": "Ada"}, {"name": "Grace"}],
    "favorited": True,
}


@pytest.fixture
def read_sidecar(read):
    return lambda content, name: read(content, name, Kind.SIDECAR)


def test_takeout_tells_time_place_people_and_favourites(read_sidecar) -> None:
    facts = read_sidecar(json.dumps(TAKEOUT).encode(), "IMG_0001.jpg.supplemental-metadata.json")

    assert (facts.kind, facts.damage, facts.is_favorite) == (Kind.SIDECAR, None, True)
    assert (facts.title, facts.caption, facts.people) == ("IMG_0001.jpg", "At the lake", ("Ada", "Grace"))
    assert facts.place == Place(latitude=46.5, longitude=7.25)
    assert (facts.capture_time.local, facts.capture_time.offset_min) == ("2024-05-12T16:03:22", 0)
    assert facts.capture_time.source is TimeSource.TAKEOUT


def test_an_xmp_file_tells_what_a_packet_does(read_sidecar) -> None:
    packet = "<?xml version='1.0'?>" + made.xmp('xmp:Rating="5"', made.bag("dc:subject", "lake"))

    facts = read_sidecar(packet.encode(), "IMG_0001.xmp")

    assert (facts.kind, facts.rating, facts.keywords) == (Kind.SIDECAR, 5, ("lake",))


def test_an_adjustment_tells_its_editor(read_sidecar) -> None:
    told = {"adjustmentEditorBundleID": "com.apple.mobileslideshow", "adjustmentFormatVersion": "1.9"}

    for form in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        facts = read_sidecar(plistlib.dumps(told, fmt=form), "IMG_0001.AAE")
        assert (facts.kind, facts.software, facts.damage) == (Kind.SIDECAR, "com.apple.mobileslideshow", None)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'{"photoTakenTime": {"timestamp": 5', "a.jpg.json"),
        (b'{"photoTakenTime": []}', "a.jpg.json"),
        (b'{"photoTakenTime": {}, "x": ' + b"[" * 900_000, "a.jpg.json"),
        (b'{"photoTakenTime": {"timestamp": "999999999999"}}', "a.jpg.json"),
        (b"<?xml version='1.0' encoding='none'?><plist><date>9</date></plist>", "a.aae"),
        (b"<?xml version='1.0' encoding='none'?><x:xmpmeta CreateDate='1'/>", "a.xmp"),
        (b"bplist00" + bytes(40), "a.aae"),
        (b"<?xml version='1.0'?><plist><dict><key>", "a.aae"),
        (b"<?xpacket?><x:xmpmeta Rating", "a.xmp"),
        (b"<?xpacket?>" + b" " * 3_000_000, "a.xmp"),
    ],
)
def test_a_broken_sidecar_says_so(read_sidecar, content: bytes, name: str) -> None:
    assert read_sidecar(content, name).damage.startswith("the sidecar")
