"""What Google Photos gave back, held against a real archive. The changed metadata are exiftool's work."""

import copy
import hashlib
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.conftest import Say
from cli.test_verify import originals

from mediabox.cli import exits, pixel_prove
from mediabox.clock import Clock
from mediabox.contracts import Capabilities
from mediabox.core.delivering import record
from mediabox.core.home import catalogue
from mediabox.model.asset import ResourceState
from mediabox.model.delivery import Delivered, DeliveryState, Form, Sighting, Wish
from mediabox.model.ledger import Copy, CopyState, Evidence
from mediabox.store import assets, copies, deliveries
from mediabox.store.transaction import transaction

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
        record.seen(connection, [sighting], now_ms=NOW_MS, capabilities=Capabilities())
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


def zipped(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def cut_short(path: Path) -> None:
    zipped(path, ("b.jpg", b"b" * 99))
    path.write_bytes(path.read_bytes()[:-30])


def damaged(path: Path) -> None:
    content = os.urandom(9_000)
    zipped(path, ("b.jpg", content))
    whole = bytearray(path.read_bytes())
    whole[4_000] ^= 1
    path.write_bytes(whole)


def encrypted(path: Path) -> None:
    zipped(path, ("b.jpg", b"b"))
    whole = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # APPNOTE.TXT 4.3.7 and 4.3.12: general purpose flags
        whole[whole.index(mark) + offset] |= 1
    path.write_bytes(whole)


def of_an_unknown_method(path: Path) -> None:
    zipped(path, ("b.jpg", b"b"))
    whole = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        whole[whole.index(mark) + offset] = 9  # deflate64, what Windows writes beyond 2 GB
    path.write_bytes(whole)


def a_bomb(path: Path) -> None:
    zipped(path, ("b.jpg", bytes(20_000_000)))


def overlapping(path: Path) -> None:
    """Two hundred members in the directory, all with the bytes of one (what `unzip` calls overlapped components)."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b.jpg", os.urandom(500))
        archive.filelist = [copied(archive.filelist[0], f"{number}.jpg") for number in range(200)]


def copied(member: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo:
    again = copy.copy(member)
    again.filename = again.orig_filename = name
    return again


def a_tarball(path: Path) -> None:
    path.unlink(missing_ok=True)
    with tarfile.open(path.with_suffix(".tgz"), "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("b.jpg"))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (cut_short, "cut short"),
        (damaged, "damaged"),
        (encrypted, "encrypted"),
        (of_an_unknown_method, "packed in a way"),
        (a_bomb, "100-fold"),
        (overlapping, "share their bytes"),
        (a_tarball, "order Takeout as .zip"),
        (lambda path: path.write_bytes(b"PK"), "cut short"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_reason_and_costs_itself_alone(
    sent: Sent, takeout: Path, say: Say, make, why: str
) -> None:
    shutil.copy(sent.pictures[1], takeout / "z.jpg")
    make(takeout / "a.zip")

    found = prove(say, sent, takeout)

    assert found.code == exits.PROBLEM
    assert "not read: a." in found.out
    assert why in found.out
    assert [len(some) for some in sent.copies()] == [0, 1, 0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_named_as_well(sent: Sent, takeout: Path, say: Say) -> None:
    (takeout / "a.jpg").write_bytes(b"a")
    (takeout / "a.jpg").chmod(0)

    assert "not read: a.jpg" in prove(say, sent, takeout).out


def test_a_members_name_leads_nowhere(sent: Sent, takeout: Path, tmp_path: Path, say: Say) -> None:
    content = sent.pictures[1].read_bytes()
    zipped(takeout / "a.zip", ("../../../../etc/b.jpg", content), ("/b\x1b[31m.jpg", content))
    before = sorted(tmp_path.rglob("*"))

    found = prove(say, sent, takeout)

    assert found.code == exits.OK
    assert "\x1b" not in found.out
    assert [len(some) for some in sent.copies()] == [0, 1, 0]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_larger_file_under_an_originals_name_is_not_unpacked(
    sent: Sent, takeout: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_prove, "MORE_METADATA_BYTES", 1000)
    monkeypatch.setattr(pixel_prove.tempfile, "TemporaryFile", None)
    content = sent.pictures[1].read_bytes()
    zipped(takeout / "a.zip", (sent.name_of(sent.pictures[1]), content + os.urandom(1001)))

    assert "1: nothing of the archive" in prove(say, sent, takeout).out


@pytest.mark.parametrize("own", ["home", "archive", "above", "source", "link"])
def test_what_the_box_has_itself_proves_nothing_of_google(sent: Sent, tmp_path: Path, say: Say, own: str) -> None:
    source = tmp_path / "pictures"
    source.mkdir()
    shutil.copy(sent.pictures[1], source)
    with (sent.home / "mediabox.toml").open("a") as file:
        file.write(f'\n[sources.pictures]\ntype = "folder"\ntrees = ["{source}"]\n')
    (tmp_path / "link").symlink_to(sent.pictures[0].parent)
    archive = sent.home / "archive"
    folder = {"home": sent.home, "archive": archive, "above": tmp_path, "source": source, "link": tmp_path / "link"}[
        own
    ]

    found = prove(say, sent, folder)

    assert found.code == exits.PROBLEM
    assert "give a folder with the download alone" in found.err
    assert sent.copies() == [[], [], []]


def test_nor_does_a_hard_link_to_the_archives_own_file(sent: Sent, takeout: Path, say: Say) -> None:
    os.link(sent.pictures[1], takeout / "a.jpg")

    assert "1: nothing of the archive" in prove(say, sent, takeout).out
    assert sent.copies() == [[], [], []]


def test_an_old_download_read_again_proves_no_more_than_it_did(
    sent: Sent, takeout: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sent.pictures[1], takeout / "a.jpg")
    prove(say, sent, takeout)
    _, (first,), _ = sent.copies()

    monkeypatch.setattr(Clock, "wall_ms", lambda _: first.proved_at_ms + 90 * 86_400_000)
    prove(say, sent, takeout)

    _, (again,), _ = sent.copies()
    assert again.proved_at_ms == first.proved_at_ms == os.stat(takeout / "a.jpg").st_ctime_ns // 1_000_000


def test_a_folder_that_is_not_there_says_so(sent: Sent, tmp_path: Path, say: Say) -> None:
    assert "there is no" in prove(say, sent, tmp_path / "nowhere").err
