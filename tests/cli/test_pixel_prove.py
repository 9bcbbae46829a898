"""What Google Photos gave back, held against a real archive. The changed metadata are exiftool's work."""

import hashlib
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.conftest import Say
from cli.test_verify import originals

from mediabox.cli import exits
from mediabox.cli.home import catalogue
from mediabox.core.delivering import record
from mediabox.model.asset import ResourceState
from mediabox.model.delivery import Delivered, DeliveryState, Form, Sighting, Wish
from mediabox.model.ledger import Copy, CopyState, Evidence
from mediabox.store import assets, copies, deliveries
from mediabox.store.database import transaction

MADE = b"a Motion Photo, made of an original"
NOW_MS = 1_760_000_000_000


class Sent:
    """Three pictures of the archive, left the phone unverified, and a film that has left."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.pictures = [path for path in originals(home) if path.suffix.lower() == ".jpg"][:3]
        with catalogue(home, write=True) as connection, transaction(connection):
            self.ids = [self._send(connection, path) for path in self.pictures]

    def _send(self, connection, path: Path) -> int:
        kept = assets.keeper(connection, digest_of(path.read_bytes()))
        assert kept is not None
        resource = assets.resource(connection, kept)
        assert resource is not None
        assert resource.state is ResourceState.ARCHIVED
        wish = Wish(resource_id=kept, name=self.name_of(path), size_bytes=1)
        number = deliveries.add(connection, "anna", wish, name=wish.name)
        digest = digest_of(MADE) if path is self.pictures[0] else resource.digest or ""
        made = Delivered(delivery_id=number, form=Form.ORIGINAL, size_bytes=1, digest=digest)
        deliveries.set_accepted(connection, made, at_ms=NOW_MS)
        sighting = Sighting(delivery_id=number, state=DeliveryState.DOUBTED, proof="db/file", note="too early")
        record.seen(connection, [sighting], now_ms=NOW_MS, keeps_originals=True)
        return kept

    def name_of(self, path: Path) -> str:
        return f"{path.stem}_{digest_of(path.read_bytes())[:8]}.jpg"

    def states(self) -> list[DeliveryState]:
        with catalogue(self.home) as connection:
            return [one.state for one in deliveries.in_state(connection, "anna", *DeliveryState)]

    def copies(self) -> list[list[Copy]]:
        """Of each picture, those in Google Photos."""
        with catalogue(self.home) as connection:
            found = [copies.of_resource(connection, one) for one in self.ids]
        return [[copy for copy in some if copy.volume == "google-photos/anna"] for some in found]


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def sent(home: Path) -> Iterator[Sent]:
    with (home / "mediabox.toml").open("a") as file:
        file.write('\n[destinations.anna]\ntype = "pixel"\n')
    return Sent(home)


@pytest.fixture
def takeout(tmp_path: Path) -> Path:
    folder = tmp_path / "Takeout" / "Google Photos" / "Photos from 2024"
    folder.mkdir(parents=True)
    (folder / "IMG_1.jpg.supplemental-metadata.json").write_text("{}")
    return folder


def prove(say: Say, sent: Sent, folder: Path, *more: str):
    return say("pixel", "prove", "anna", "--takeout", str(folder), *more, "--home", str(sent.home))


@pytest.mark.parametrize("name", ["whatever(1).jpg", "IMG-edited.HEIC", "no extension", "name.with.a..cut"])
def test_an_originals_own_bytes_are_a_copy_whatever_they_are_called(sent: Sent, takeout: Path, say: Say, name) -> None:
    shutil.copy(sent.pictures[1], takeout / name)

    found = prove(say, sent, takeout.parents[1])

    assert found.code == exits.OK
    assert "2: left anna, and not found: " in found.out
    assert "1: the original, byte for byte. A proved copy on google-photos/anna" in found.out
    first, (copy,), third = sent.copies()
    assert (first, third) == ([], [])
    assert (copy.evidence, copy.state) == (Evidence.REREAD, CopyState.PRESENT)
    assert copy.digest == digest_of(sent.pictures[1].read_bytes())
    assert copy.path == f"Google Photos/Photos from 2024/{name}"
    assert sent.states() == [DeliveryState.DOUBTED, DeliveryState.BELIEVED, DeliveryState.DOUBTED]


def test_members_of_a_zip_file_are_read_as_well(sent: Sent, takeout: Path, tmp_path: Path, say: Say) -> None:
    with zipfile.ZipFile(tmp_path / "takeout-001.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sent.pictures:
            archive.write(path, f"Takeout/{path.name}")
        archive.writestr("Takeout/metadata.json", "{}")

    found = prove(say, sent, tmp_path / "takeout-001.zip", "--json")

    assert found.code == exits.OK
    assert (found.json()["read"], found.json()["missing"]) == (3, [])
    assert [copy.path for (copy,) in sent.copies()] == [f"takeout-001.zip/Takeout/{one.name}" for one in sent.pictures]


def test_what_was_made_and_delivered_is_told_apart_and_no_copy(sent: Sent, takeout: Path, say: Say) -> None:
    (takeout / "IMG.MP.jpg").write_bytes(MADE)

    found = prove(say, sent, takeout)

    assert "1: what was delivered, byte for byte, which is not the original's own bytes. Shown" in found.out
    assert sent.copies() == [[], [], []]
    assert sent.states()[0] is DeliveryState.BELIEVED
    assert "what was delivered, byte for byte" in say("where", sent.pictures[0].name, home=sent.home).out


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("is_zipped", [False, True])
def test_the_same_picture_with_other_metadata_is_told_apart_and_no_copy(
    sent: Sent, takeout: Path, say: Say, is_zipped: bool
) -> None:
    path = sent.pictures[1]
    changed = takeout / sent.name_of(path).replace(".jpg", "(1).jpg")
    argv = ["exiftool", "-q", "-DateTimeOriginal=2011:11:11 11:11:11", "-XMP:Rating=4", "-o", str(changed), str(path)]
    subprocess.run(argv, check=True)
    if is_zipped:
        with zipfile.ZipFile(takeout / "takeout.zip", "w") as archive:
            archive.write(changed, changed.name)
        changed.unlink()

    found = prove(say, sent, takeout)

    assert "1: the same picture data with other metadata. Shown, and counted nowhere." in found.out
    assert sent.copies() == [[], [], []]
    assert "the same picture data with other metadata" in say("where", path.name, home=sent.home).out


def test_another_picture_under_the_same_name_is_nothing_of_ours(sent: Sent, takeout: Path, say: Say) -> None:
    shutil.copy(sent.pictures[2], takeout / sent.name_of(sent.pictures[1]))
    content = bytearray(sent.pictures[1].read_bytes())
    content[len(content) * 3 // 4] ^= 1
    (takeout / sent.name_of(sent.pictures[1]).replace(".jpg", "(1).jpg")).write_bytes(content)

    found = prove(say, sent, takeout)

    assert [len(some) for some in sent.copies()] == [0, 0, 1]
    assert "1: nothing of the archive" in found.out
    assert "left anna, and not found" in found.out


def test_a_zip_file_cut_short_says_so_and_nothing_is_written(sent: Sent, takeout: Path, say: Say) -> None:
    shutil.copy(sent.pictures[1], takeout / "a.jpg")
    whole = takeout / "takeout.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.write(sent.pictures[2], "b.jpg")
    whole.write_bytes(whole.read_bytes()[:-30])

    found = prove(say, sent, takeout)

    assert found.code != exits.OK
    assert "cut short" in found.err
    assert sent.copies() == [[], [], []]


def test_a_folder_that_is_not_there_says_so(sent: Sent, tmp_path: Path, say: Say) -> None:
    assert "there is no" in prove(say, sent, tmp_path / "nowhere").err
