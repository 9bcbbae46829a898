"""Sidecars, clips and raws lie with their picture, and what they know counts, in whatever order they come."""

import argparse
import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from mediabox.__main__ import main
from mediabox.cli import exits, rebuild
from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.store import schema
from whole.box import Household
from whole.examiner import TableExaminer
from whole.plain_box import killed_at, run_to_the_end

JPEG, RAW, CLIP = b"\xff\xd8\xff\xe0", b"II*\0 raw", b"\0\0\0\x14ftypqt  "
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
    b"<xmp:Rating>5</xmp:Rating><dc:subject><rdf:Bag><rdf:li>Norway</rdf:li></rdf:Bag></dc:subject>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
AUTUMN_S = 1_791_979_200  # 2026-10-14T12:00:00
MTIME = CaptureTime(local="2026-10-14T12:00:00", source=TimeSource.FILE_MODIFIED)
JULY = CaptureTime(local="2015-07-08T09:10:11", source=TimeSource.EXIF_LOCAL)


def told(kind: Kind, media_type: str, taken: CaptureTime = MTIME, **fields: object) -> Facts:
    return Facts(kind=kind, media_type=media_type, capture_time=taken, **fields)


UNDATED, DATED = told(Kind.PICTURE, "image/jpeg"), told(Kind.PICTURE, "image/jpeg", JULY)
NEF = told(Kind.PICTURE, "image/x-nikon-nef", JULY)
MOV = told(Kind.VIDEO, "video/quicktime", JULY, duration_s=2.0)
STARS = told(Kind.SIDECAR, "application/rdf+xml", rating=5, keywords=("Norway",))


def at(local: str, source: TimeSource = TimeSource.XMP) -> Facts:
    taken = CaptureTime(local=local, offset_min=0 if source is TimeSource.TAKEOUT else None, source=source)
    return told(Kind.SIDECAR, "application/rdf+xml", taken)


class Photos:
    """A household whose files say what the test says of them."""

    def __init__(self, root: Path) -> None:
        self.box = Household(root)
        self.table: dict[str, Facts] = {}
        self.box.found({})

    def add(self, name: str, content: bytes, facts: Facts, *, at_s: int = AUTUMN_S) -> None:
        os.utime(self.box.add(name, content), (at_s, at_s))
        self.table[hashlib.sha256(content).hexdigest()] = facts
        self.box.found({})

    def run(self) -> None:
        run_to_the_end(self.box.home, self.table)

    def rebuild(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From the archive alone, and then the sources again."""
        for path in self.box.home.glob("mediabox.db*"):
            path.unlink()
        monkeypatch.setattr(rebuild, "MediaWorkers", lambda _: TableExaminer(self.table))
        assert rebuild.run(argparse.Namespace(home=str(self.box.home), archive=None, json=False)) == exits.OK
        self.run()

    def archived(self) -> set[str]:
        """What is in the archive, but the lists of digests."""
        files = [path for path in self.box.archive.rglob("*") if path.is_file() and ".mediabox" not in path.parts]
        return {str(path.relative_to(self.box.archive)) for path in files if path.name != "SHA256SUMS"}

    def ask(self, question: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.box.home / "mediabox.db")) as connection:
            return connection.execute(question).fetchall()

    def sidecar(self, path: str) -> str:
        return (self.box.archive / path).read_text("utf-8")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def photos(tmp_path: Path) -> Photos:
    return Photos(tmp_path)


# ---------------------------------------------------------------- equal sidecars


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("extension", ["xmp", "aae"])
def test_each_picture_keeps_its_own_of_three_equal_sidecars(
    photos: Photos, monkeypatch: pytest.MonkeyPatch, extension: str, *, moves: bool
) -> None:
    photos.box.moves = moves
    for name in "abc":
        photos.add(f"trip/{name}.jpg", JPEG + name.encode(), DATED)
        photos.add(f"trip/{name}.{extension}", XMP, STARS)

    photos.run()

    theirs = "source.xmp" if extension == "xmp" else "aae"
    expected = {f"2015/2015-07/{name}.{end}" for name in "abc" for end in ("jpg", "jpg.xmp", theirs)}
    assert photos.archived() == expected
    assert all(">5<" in photos.sidecar(f"2015/2015-07/{name}.jpg.xmp") for name in "abc")
    assert all("Norway" in photos.sidecar(f"2015/2015-07/{name}.jpg.xmp") for name in "abc")
    assert bool(list(photos.box.pictures.rglob("*.*"))) is not moves
    photos.box.assert_sound()
    photos.rebuild(monkeypatch)
    assert photos.archived() == expected
    assert photos.ask("SELECT count(DISTINCT asset_id) FROM resource WHERE state = 'archived'") == [(3,)]
    photos.box.assert_sound()


def test_the_same_sidecar_of_the_same_picture_is_kept_once(photos: Photos) -> None:
    for folder in ("card", "copy of card"):
        photos.add(f"{folder}/a.jpg", JPEG, DATED)
        photos.add(f"{folder}/a.jpg.xmp", XMP, STARS)

    photos.run()

    assert photos.archived() == {f"2015/2015-07/a.jpg{end}" for end in ("", ".xmp", ".source.xmp")}
    assert photos.ask("SELECT count(*) FROM resource WHERE state = 'duplicate'") == [(2,)]
    photos.box.assert_sound()


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("sidecar", "facts"),
    [
        ("a.jpg.json", at("2015-07-08T09:10:11", TimeSource.TAKEOUT)),
        ("a.jpg.supplemental-metadata.json", at("2015-07-08T09:10:11", TimeSource.TAKEOUT)),
        ("a.jpg.xmp", at("2015-07-08T09:10:11")),
        ("a.xmp", at("2015-07-08T09:10:11")),
    ],
)
def test_a_date_beside_a_picture_that_has_none_decides_the_folder_of_both(
    photos: Photos, sidecar: str, facts: Facts
) -> None:
    photos.add("a.jpg", JPEG, UNDATED)
    photos.add(sidecar, json.dumps({"photoTakenTime": {}}).encode() if "json" in sidecar else XMP, facts)

    photos.run()

    assert {path.rpartition("/")[0] for path in photos.archived()} == {"2015/2015-07"}
    assert "CreateDate>2015-07-08T09:10:11" in photos.sidecar("2015/2015-07/a.jpg.xmp")
    photos.box.assert_sound()


def test_an_xmp_that_corrects_the_camera_wins(photos: Photos) -> None:
    photos.add("a.jpg", JPEG, DATED)
    photos.add("a.jpg.xmp", XMP, at("1998-03-01T10:00:00"))

    photos.run()

    assert {path.rpartition("/")[0] for path in photos.archived()} == {"1998/1998-03"}
    photos.box.assert_sound()


LIGHTROOM = XMP.replace(b"Norway", b"Oslo").replace(b">5<", b">3<")
THREE = told(Kind.SIDECAR, "application/rdf+xml", rating=3, keywords=("Oslo",))


@pytest.mark.parametrize("newest", ["a.jpg.xmp", "a.xmp"])
def test_of_two_programs_sidecars_the_last_written_counts_and_the_other_s_keywords_stay(
    photos: Photos, newest: str
) -> None:
    for name, content, facts in (("a.jpg.xmp", XMP, STARS), ("a.xmp", LIGHTROOM, THREE)):
        photos.add(name, content, facts, at_s=AUTUMN_S + 60 * (name == newest))
    photos.add("a.jpg", JPEG, DATED)

    photos.run()

    merged = photos.sidecar("2015/2015-07/a.jpg.xmp")
    assert "Norway" in merged and "Oslo" in merged
    assert f"Rating>{5 if newest == 'a.jpg.xmp' else 3}<" in merged
    photos.box.assert_sound()


def test_a_sidecar_that_was_changed_is_heard_in_its_last_version_only(photos: Photos, monkeypatch) -> None:
    photos.add("a.jpg", JPEG, DATED)
    photos.add("a.jpg.xmp", XMP, msgspec.structs.replace(STARS, capture_time=at("1998-03-01T10:00:00").capture_time))
    photos.run()
    photos.add(
        "a.jpg.xmp",
        LIGHTROOM,
        msgspec.structs.replace(THREE, capture_time=at("2015-07-08T09:10:11").capture_time),
        at_s=AUTUMN_S + 60,
    )

    photos.run()

    def merged() -> str:
        return photos.sidecar(next(path for path in photos.archived() if path.endswith("a.jpg.xmp")))

    assert ("Norway" in merged(), "Oslo" in merged(), "Rating>3<" in merged()) == (False, True, True)
    photos.rebuild(monkeypatch)
    assert ("Norway" in merged(), "Oslo" in merged(), "Rating>3<" in merged()) == (False, True, True)
    assert "CreateDate>2015-07-08T09:10:11" in merged()
    photos.box.assert_sound()


# ---------------------------------------------------------------- copies of known pictures


JOINING = {
    "raw": ("a.nef", RAW, NEF),
    "live_video": ("a.mov", CLIP, MOV),
    "sidecar": ("a.jpg.xmp", XMP, STARS),
    "edited": ("a-edited.jpg", JPEG + b"edited", DATED),
}


@pytest.mark.parametrize("role", JOINING)
@pytest.mark.parametrize("comes", ["with the copy", "before the copy", "after the copy"])
def test_what_lies_beside_a_copy_of_a_known_picture_joins_the_kept_one(photos: Photos, role: str, comes: str) -> None:
    name, content, facts = JOINING[role]
    photos.add("first/a.jpg", JPEG, DATED)
    photos.run()
    steps = [lambda: photos.add("second/a.jpg", JPEG, DATED), lambda: photos.add(f"second/{name}", content, facts)]
    for step in reversed(steps) if comes == "before the copy" else steps:
        step()
        if comes != "with the copy":
            photos.run()

    photos.run()

    members = photos.ask("SELECT DISTINCT asset_id, role FROM resource WHERE state = 'archived' ORDER BY id")
    assert members == [(members[0][0], "original"), (members[0][0], role)]
    photos.box.assert_sound()


# ---------------------------------------------------------------- what comes later

GOOGLE = ("a.jpg.json", b'{"photoTakenTime": {}}', at("2015-07-08T09:10:11", TimeSource.TAKEOUT))
NEW_YEAR = told(
    Kind.PICTURE,
    "image/heic",
    CaptureTime(local="2016-01-01T00:30:00", offset_min=60, source=TimeSource.EXIF_OFFSET),
)
OLD_YEAR = told(
    Kind.VIDEO,
    "video/quicktime",
    CaptureTime(local="2015-12-31T23:30:00", offset_min=0, source=TimeSource.MOVIE_HEADER),
    duration_s=2.0,
)
ASSETS = {
    "Google's date": ("2015/2015-07", [("a.jpg", JPEG, UNDATED), GOOGLE]),
    "an XMP's date": ("2015/2015-07", [("a.jpg", JPEG, UNDATED), ("a.jpg.xmp", XMP, at("2015-07-08T09:10:11"))]),
    "an XMP that corrects": ("1998/1998-03", [("a.jpg", JPEG, DATED), ("a.xmp", XMP, at("1998-03-01T10:00:00"))]),
    "an XMP without a date": ("2015/2015-07", [("a.jpg", JPEG, DATED), ("a.jpg.xmp", XMP, STARS)]),
    "the camera's date": (
        "2015/2015-07",
        [("a.jpg", JPEG, DATED), ("a.jpg.json", GOOGLE[1], at("2012-01-01T00:00:00", TimeSource.TAKEOUT))],
    ),
    "the still's year": ("2016/2016-01", [("a.heic", JPEG, NEW_YEAR), ("a.mov", CLIP, OLD_YEAR)]),
    "three": (
        "2015/2015-07",
        [("a.jpg", JPEG, UNDATED), GOOGLE, ("a.aae", b"bplist", told(Kind.SIDECAR, "application/x-plist"))],
    ),
}


@pytest.mark.parametrize(("name", "order"), [(name, order) for name, (_, files) in ASSETS.items()
                                             for order in permutations(range(len(files)))])  # fmt: skip
def test_files_that_come_hours_apart_end_together(
    photos: Photos, monkeypatch: pytest.MonkeyPatch, name: str, order: tuple[int, ...]
) -> None:
    folder, files = ASSETS[name]
    for number in order:
        photos.add(*files[number])
        photos.run()

    assert {path.rpartition("/")[0] for path in photos.archived()} == {folder}
    assert photos.ask("SELECT count(DISTINCT asset_id) FROM resource") == [(1,)]
    assert photos.ask("SELECT count(*) FROM resource WHERE moves_to IS NOT NULL OR moved_from IS NOT NULL") == [(0,)]
    assert len(photos.archived()) == len(files) + 1
    photos.box.assert_sound()
    before = photos.archived()
    photos.run()
    photos.rebuild(monkeypatch)
    assert photos.archived() == before
    assert photos.ask("SELECT count(DISTINCT asset_id) FROM resource WHERE state = 'archived'") == [(1,)]
    photos.box.assert_sound()


def test_what_people_wrote_into_the_sidecar_goes_along(photos: Photos) -> None:
    photos.add("a.jpg", JPEG, UNDATED)
    photos.run()
    sidecar = photos.box.archive / "2026/2026-10/a.jpg.xmp"
    sidecar.write_bytes(XMP)  # another program knows five stars

    photos.add(*GOOGLE)
    photos.run()

    assert photos.archived() == {f"2015/2015-07/a.jpg{end}" for end in ("", ".json", ".xmp")}
    assert "Norway" in photos.sidecar("2015/2015-07/a.jpg.xmp")
    assert ">2015-07-08T09:10:11" in photos.sidecar("2015/2015-07/a.jpg.xmp")


def test_a_file_moves_once(photos: Photos) -> None:
    for step in (("a.jpg", JPEG, UNDATED), GOOGLE, ("a.jpg.xmp", XMP, at("1998-03-01T10:00:00"))):
        photos.add(*step)
        photos.run()

    assert {path.rpartition("/")[0] for path in photos.archived()} == {"2015/2015-07"}
    assert photos.ask("SELECT count(*) FROM journal WHERE event = 'relocated'") == [(1,)]
    photos.box.assert_sound()


def test_another_file_at_the_new_path_stays(photos: Photos) -> None:
    photos.add("a.jpg", JPEG, UNDATED)
    photos.run()
    (photos.box.archive / "2015/2015-07").mkdir(parents=True)
    (photos.box.archive / "2015/2015-07/a.jpg").write_bytes(b"somebody's")

    photos.add(*GOOGLE)
    photos.run()

    digest = hashlib.sha256(JPEG).hexdigest()
    assert f"2015/2015-07/a -{digest[:8]}.jpg" in photos.archived()
    assert (photos.box.archive / "2015/2015-07/a.jpg").read_bytes() == b"somebody's"


@pytest.mark.parametrize(
    ("point", "hit"),
    [(point, hit) for point in ("relocate.named", "relocate.unnamed") for hit in (1, 2)]
    + [("journal.committed", hit) for hit in (4, 6, 8, 10)],
)
def test_a_move_that_a_power_cut_interrupts_is_ended(photos: Photos, point: str, hit: int) -> None:
    photos.add("a.jpg", JPEG, UNDATED)
    photos.add("a.aae", b"bplist", told(Kind.SIDECAR, "application/x-plist"))
    photos.run()
    photos.add(*GOOGLE)
    if not killed_at(point, photos.box.home, photos.table, hit=hit):
        assert hit > 1

    photos.run()

    assert {path.rpartition("/")[0] for path in photos.archived()} == {"2015/2015-07"}
    assert len(photos.archived()) == 4
    photos.box.assert_sound()


def test_where_says_which_file_knew_the_time(photos: Photos, capsys: pytest.CaptureFixture[str]) -> None:
    photos.add("a.jpg", JPEG, DATED)
    photos.add("a.jpg.xmp", XMP, at("1998-03-01T10:00:00"))
    photos.run()

    main(["where", "a.jpg", "--home", str(photos.box.home)])

    said = capsys.readouterr().out
    assert "  taken    1998-03-01T10:00:00 local time, zone unknown (xmp)" in said
    assert "by another file of its asset; this one says 2015-07-08T09:10:11" in said


@pytest.mark.parametrize("moves", [False, True])
def test_equal_sidecars_that_came_first_go_each_to_its_own_picture(photos: Photos, *, moves: bool) -> None:
    photos.box.moves = moves
    for folder in ("one", "two"):
        photos.add(f"{folder}/a.xmp", XMP, STARS)
    photos.run()
    assert photos.ask("SELECT count(*) FROM resource WHERE state = 'duplicate'") == [(1,)]

    for folder in ("one", "two"):
        photos.add(f"{folder}/a.jpg", JPEG + folder.encode(), DATED)
    photos.run()

    sidecars = [path for path in photos.archived() if path.endswith(".jpg.xmp")]
    assert len(sidecars) == 2
    assert all("Norway" in photos.sidecar(path) for path in sidecars)
    assert bool(list(photos.box.pictures.rglob("*.*"))) is not moves
    photos.box.assert_sound()


def test_a_sidecar_an_older_version_kept_with_another_picture_only_comes_to_its_own(photos: Photos) -> None:
    for name in "ab":
        photos.add(f"{name}.jpg", JPEG + name.encode(), DATED)
    photos.add("a.jpg.xmp", XMP, STARS)
    photos.run()
    scripts = schema.migrations()
    with closing(sqlite3.connect(photos.box.home / "mediabox.db", isolation_level=None)) as connection:
        status = photos.box.add("b.jpg.xmp", XMP).stat()
        connection.execute(
            "INSERT INTO resource (asset_id, source_id, remote_id, version, name, folder, stem, kind, role, state,"
            " taken_in_at_ms, size_bytes, digest, duplicate_of) SELECT picture.asset_id, kept.source_id,"
            " replace(kept.remote_id, 'a.jpg', 'b.jpg'), ?, 'b.jpg.xmp', kept.folder, 'b', 'sidecar', 'sidecar',"
            " 'duplicate', 0, kept.size_bytes, kept.digest, kept.id FROM resource AS kept, resource AS picture"
            " WHERE kept.name = 'a.jpg.xmp' AND picture.name = 'b.jpg'",
            (f"{status.st_size}-{status.st_mtime_ns}",),
        )
        healing = next(number for number, script in enumerate(scripts) if "taken in again at the next" in script)
        connection.executescript(scripts[healing])
    photos.box.found({})

    photos.run()

    assert "2015/2015-07/b.jpg.source.xmp" in photos.archived()
    assert "Norway" in photos.sidecar("2015/2015-07/b.jpg.xmp")
    photos.box.assert_sound()


def test_a_rebuild_knows_what_was_moved_before_its_sidecar_was(photos: Photos, monkeypatch: pytest.MonkeyPatch) -> None:
    photos.add("a.jpg", JPEG, UNDATED)
    photos.add("a.aae", b"bplist", told(Kind.SIDECAR, "application/x-plist"))
    photos.run()
    folder = photos.box.archive / "2015/2015-07"
    folder.mkdir(parents=True)
    for name in ("a.jpg", "a.aae", "a.jpg.aae"):
        if (photos.box.archive / "2026/2026-10" / name).exists():
            (photos.box.archive / "2026/2026-10" / name).rename(folder / name)

    photos.rebuild(monkeypatch)

    assert {path.rpartition("/")[0] for path in photos.archived()} == {"2015/2015-07"}
    assert photos.ask("SELECT count(DISTINCT asset_id), count(*) FROM resource") == [(1, 2)]
    photos.box.assert_sound()
