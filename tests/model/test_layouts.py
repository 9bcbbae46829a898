"""What the table of layouts leaves out, and that it leaves no original out for its name alone.

The names come from the programs' own documents and from what other importers skip (immich-go's banned
files, PhotoPrism's ignore list, osxphotos' description of a Photos library, Syncthing's and rsync's
manuals), not from the table.
"""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.model.layouts import Layouts, Reason
from mediabox.sources.folder.settings import OnRequest

LAYOUTS = Layouts()


def reason(path: str, *beside: str, layouts: Layouts = LAYOUTS) -> Reason | None:
    """Of the first part of `path` that is left out, as a walk from the top meets it."""
    parts = path.rstrip("/").split("/")
    for index, name in enumerate(parts):
        is_last = index == len(parts) - 1
        is_folder = not is_last or path.endswith("/")
        names = frozenset(each.casefold() for each in beside)
        found = layouts.reason(name, parts[:index], lambda names=names: names, is_folder=is_folder)
        if found is not None:
            return found
    return None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("2009/.picasaoriginals/IMG_1.JPG", Reason.PICASA_ORIGINALS),
        ("IMG_1.livp", Reason.LIVP),
        ("Download/IMG_1.jpg.crdownload", Reason.UNFINISHED),
        ("Download/IMG_1.jpg.part", Reason.UNFINISHED),
        ("Download/IMG_1.jpg.download/IMG_1.jpg", Reason.UNFINISHED),  # Safari's is a folder
        ("IMG_1.jpg.filepart", Reason.UNFINISHED),
        ("film.mkv.!qB", Reason.UNFINISHED),
        ("film.mkv.!ut", Reason.UNFINISHED),
        ("film.mkv.aria2", Reason.UNFINISHED),
        ("IMG_1.jpg.ucdownload", Reason.UNFINISHED),
        ("IMG_1.jpg.sb-1a2b3c4d-xYz9Qr", Reason.UNFINISHED),
        ("film.mkv.dctmp", Reason.UNFINISHED),
        ("IMG_1.jpg.cloud", Reason.ONLINE_ONLY),
        ("IMG_1.jpg.1a2b3c4d.partial", Reason.UNFINISHED),  # rclone
        (".syncthing.IMG_1.jpg.tmp", Reason.UNFINISHED),
        ("~syncthing~IMG_1.jpg.tmp", Reason.UNFINISHED),
        (".IMG_1.jpg.aB3x9Q", Reason.UNFINISHED),  # rsync
        (".pending-1795000000-IMG_1.jpg", Reason.UNFINISHED),
        (".goutputstream-3X9AB1", Reason.UNFINISHED),
        (".trashed-1795000000-IMG_1.jpg", Reason.BIN),
        ("$RECYCLE.BIN/S-1-5-21/$R1.jpg", Reason.BIN),
        ("#recycle/IMG_1.jpg", Reason.BIN),
        ("@Recycle/IMG_1.jpg", Reason.BIN),
        (".Trash-1000/files/IMG_1.jpg", Reason.BIN),
        (".Trashes/501/IMG_1.jpg", Reason.BIN),
        (".stversions/IMG_1~20240101-120000.jpg", Reason.BIN),
        ("2024/@eaDir/IMG_1.JPG/SYNOPHOTO_THUMB_XL.jpg", Reason.CACHE),
        ("2024/SYNOFILE_THUMB_M.png", Reason.CACHE),
        ("2024/.@__thumb/defaultIMG_1.JPG", Reason.CACHE),
        ("DCIM/.thumbnails/1.jpg", Reason.CACHE),
        ("L.photoslibrary/resources/derivatives/A/A1_1_105_c.jpeg", Reason.CACHE),
        ("L.photoslibrary/resources/derivatives/masters/A/A1_4_5005_c.jpeg", Reason.CACHE),
        ("L.photoslibrary/resources/proxies/derivatives/00/00/1/UNADJUSTEDNONRAW_thumb_1.jpg", Reason.CACHE),
        ("L.photoslibrary/resources/media/face/00/facetile_1.jpeg", Reason.CACHE),
        ("iPhoto Library.photolibrary/Thumbnails/2014/1.jpg", Reason.CACHE),
        ("A.aplibrary/Thumbnails/1.jpg", Reason.CACHE),
        ("Catalog Previews.lrdata/0/1.jpg", Reason.CACHE),
        ("L.photoslibrary/database/search/1.jpg", Reason.CACHE),
        ("L.photoslibrary/resources/caches/1.jpg", Reason.CACHE),
        ("Android/data/com.app/cache/1.jpg", Reason.CACHE),
        ("data/appdata_oc1a2b/avatar/anna/avatar.png", Reason.CACHE),
        ("Plex Media Server/Cache/PhotoTranscoder/aa/1.jpg", Reason.CACHE),
        ("Plex Media Server/Media/localhost/a/1.bundle/Contents/Thumbnails/thumb1.jpg", Reason.CACHE),
        ("Shoot/CaptureOne/Cache/Thumbnails/IMG_1.CR2.cot", Reason.CACHE),
        ("2024/Thumbs.db", Reason.CACHE),
        (".IMG_1.jpg.icloud", Reason.ONLINE_ONLY),
        (".snapshots/1/snapshot/IMG_1.jpg", Reason.SNAPSHOT),
        ("#snapshot/GMT-2024/IMG_1.jpg", Reason.SNAPSHOT),
        ("._IMG_1.JPG", Reason.SYSTEM),
        (".DS_Store", Reason.SYSTEM),
        ("takeout-20240101T000000Z-001.zip", Reason.PACKED),
        (".family/IMG_1.jpg", Reason.HIDDEN),
        (".IMG_1.jpg", Reason.HIDDEN),
    ],
)
def test_what_other_programs_keep_beside_photos_is_known_by_name(path: str, expected: Reason) -> None:
    assert reason(path) is expected
    assert reason(path.swapcase()) is expected


@pytest.mark.parametrize(
    ("path", "beside", "expected"),
    [
        ("AVCHD/BDMV/CLIPINF/00000.CPI", "STREAM", Reason.CARD),
        ("AVCHD/BDMV/PLAYLIST/00000.MPL", "STREAM", Reason.CARD),
        ("AVCHD/BDMV/INDEX.BDM", "STREAM", Reason.CARD),
        ("AVCHD/AVCHDTN/THUMB.TDT", "BDMV", Reason.CARD),
        ("PRIVATE/M4ROOT/THMBNL/C0001T01.JPG", "CLIP", Reason.CARD),
        ("PRIVATE/M4ROOT/SUB/C0001S03.MP4", "CLIP", Reason.CARD),
        ("CONTENTS/PROXY/0001AB.MP4", "VIDEO", Reason.CARD),
        ("iPhoto Library/Data/2008/1.jpg", "AlbumData.xml", Reason.CACHE),
        ("upload/thumbs/u/1.webp", "encoded-video", Reason.CACHE),
        ("storage/sidecar/2024/IMG_1.CR2.jpg", "cache", Reason.CACHE),
        ("anna/files_trashbin/files/1.jpg.d1700000000", "files", Reason.BIN),
    ],
)
def test_a_layout_without_a_name_of_its_own_needs_its_witness(path: str, beside: str, expected: Reason) -> None:
    assert reason(path, beside) is expected
    assert reason(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "L.photoslibrary/originals/A/A1.jpeg",
        "L.photoslibrary/Masters/2016/01/01/IMG_1.JPG",
        "L.photoslibrary/resources/renders/A/A1_1_201_a.jpeg",  # the edited photo
        "iPhoto Library.photolibrary/Masters/2014/IMG_1.JPG",
        "iPhoto Library.photolibrary/Previews/2014/IMG_1.jpg",  # iPhoto's only copy of an edit
        "iPhoto Library.photolibrary/Modified/2014/IMG_1.jpg",
        "AVCHD/BDMV/STREAM/00000.MTS",
        "PRIVATE/M4ROOT/CLIP/C0001.MP4",
        "DCIM/100CANON/IMG_0001.JPG",
        "Originals/IMG_1.JPG",
        "Thumbnails/IMG_1.JPG",
        "derivatives/IMG_1.JPG",
        "resources/derivatives/IMG_1.JPG",
        "Data/2008/IMG_1.JPG",
        "cache/IMG_1.JPG",
        "Trash/IMG_1.JPG",
        "Previews/IMG_1.JPG",
        "@home/IMG_1.JPG",
        "thumbs/IMG_1.JPG",
        "Holiday.zip/IMG_1.JPG",
        "~beach.jpg",
        "part.jpg",
        "tmp.jpg",
        "IMG_1.jpg.bak",
        "IMG_1.jpg_original",
    ],
)
def test_an_original_is_never_taken_for_a_cache(path: str) -> None:
    assert reason(path) is None


@pytest.mark.parametrize("wanted", [Reason(each) for each in get_args(OnRequest)])
def test_what_a_person_asks_for_is_taken_in(wanted: Reason) -> None:
    paths = {
        Reason.PICASA_ORIGINALS: ".picasaoriginals/1.jpg",
        Reason.LIVP: "1.livp",
        Reason.HIDDEN: ".1.jpg",
        Reason.UNFINISHED: "1.jpg.part",
        Reason.CACHE: "@eaDir/1.jpg",
        Reason.BIN: "#recycle/1.jpg",
    }
    layouts = Layouts(take_in=(wanted,))

    assert {asked for asked, path in paths.items() if reason(path, layouts=layouts) is None} == {wanted}


def test_what_the_owner_excludes_stays_out_though_it_is_asked_for() -> None:
    layouts = Layouts(take_in=(Reason.HIDDEN,), exclude=(".secret*",))

    assert reason(".family/1.jpg", layouts=layouts) is None
    assert reason(".Secrets/1.jpg", layouts=layouts) is Reason.EXCLUDED


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1), st.booleans())
def test_any_name_gets_an_answer(name: str, is_folder: bool) -> None:
    found = LAYOUTS.reason(name, ("a", "b"), frozenset, is_folder=is_folder)

    assert found is None or found in Reason
