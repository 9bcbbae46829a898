"""Albums and favourites in the words photo programs read."""

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from mediabox.model.asset import Kind, Role
from mediabox.model.sidecar import SidecarMember, SidecarRecord
from mediabox.native.sidecar import compose, merge, parse
from mediabox.native.xmp.edit import EditablePacket

TREE = "lr:hierarchicalSubject"
MEMBER = SidecarMember(
    path="2024/IMG_1.JPG",
    sha256="ab" * 32,
    size_bytes=1,
    role=Role.ORIGINAL,
    kind=Kind.PICTURE,
    media_type="image/jpeg",
    original_name="IMG_1.JPG",
    source="cloud",
    remote_id="Primary/A/original",
    version="1",
    taken_in_at_ms=1_715_528_602_120,
)
RECORD = SidecarRecord(
    members=(MEMBER,),
    mediabox_version="0.1.0",
    filed_at_ms=1_715_528_700_000,
    keywords=("Sea",),
    is_favorite=True,
    albums=(("Trips", "Rome & <Ostia>"), ("Best",)),
)
replace = msgspec.structs.replace


def test_albums_are_a_branch_of_the_keyword_tree_beside_the_plain_keywords() -> None:
    packet = EditablePacket(compose(RECORD))

    assert packet.read(TREE) == ("Sea", "Albums|Trips|Rome & <Ostia>", "Albums|Best")
    assert packet.read("dc:subject") == ("Sea",)


def test_a_photo_in_no_album_needs_no_tree() -> None:
    assert EditablePacket(compose(replace(RECORD, albums=()))).read(TREE) == ()


def test_a_favourite_has_five_stars_unless_the_file_has_its_own() -> None:
    assert EditablePacket(compose(RECORD)).read("xmp:Rating") == ("5",)
    assert EditablePacket(compose(replace(RECORD, rating=2))).read("xmp:Rating") == ("2",)
    assert EditablePacket(compose(replace(RECORD, is_favorite=False))).read("xmp:Rating") == ()


def test_what_was_written_is_read_back() -> None:
    found = parse(compose(RECORD))

    assert found is not None
    assert (found.albums, found.is_favorite, found.keywords) == (RECORD.albums, True, ("Sea",))


def test_an_album_that_was_left_goes_and_the_owners_own_branch_stays() -> None:
    written = compose(RECORD).replace(
        b"<rdf:li>Albums|Best</rdf:li>", b"<rdf:li>Albums|Best</rdf:li><rdf:li>People|Ann</rdf:li>"
    )

    merged = merge(written, None, replace(RECORD, albums=(("Trips", "Rome & <Ostia>"),), is_favorite=False))

    assert EditablePacket(merged).read(TREE) == ("Sea", "Albums|Trips|Rome & <Ostia>", "People|Ann")
    assert EditablePacket(merged).read("xmp:Rating") == ()
    found = parse(merged)
    assert found is not None
    assert not found.is_favorite


def test_a_level_sign_in_a_name_makes_no_level() -> None:
    assert EditablePacket(compose(replace(RECORD, albums=(("a|b",),)))).read(TREE)[1] == "Albums|a/b"


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
def test_exiftool_reads_the_tree(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.JPG.xmp"
    path.write_bytes(compose(RECORD))

    said = subprocess.run(
        ["exiftool", "-s3", "-sep", ";", "-XMP-lr:HierarchicalSubject", path],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.strip() == "Sea;Albums|Trips|Rome & <Ostia>;Albums|Best"
