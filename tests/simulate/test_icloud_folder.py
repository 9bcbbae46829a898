"""What a folder of files is as a library."""

import shutil
from pathlib import Path

import pytest

from mediabox.simulate.icloud.folder import Folder
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.photos import AlbumKind, Asset, Master


@pytest.fixture(scope="module")
def library(media: Path) -> Library:
    library = Library()
    Folder(media / "library", library).scan()
    return library


def master(library: Library, asset: Asset) -> Master:
    return library.zone_of(asset.name).master(asset.master)


def parts(library: Library, name: str) -> dict[str, str]:
    """The files of an asset by what they are to it."""
    asset = library.find(name)
    original = master(library, asset)
    found = {
        "original": original.original,
        "live": original.live,
        "alternative": original.alternative,
        "edited": asset.edited,
        "edited_live": asset.edited_live,
    }
    return {role: part.blob.path.name for role, part in found.items() if part is not None}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_0001.HEIC", {"original": "IMG_0001.HEIC", "live": "IMG_0001.MOV"}),
        ("IMG_1234.JPG", {"original": "IMG_1234.JPG", "edited": "IMG_E1234.JPG"}),
        ("IMG_0130.MOV", {"original": "IMG_0130.MOV"}),
        ("DSC_0042.NEF", {"original": "DSC_0042.NEF"}),
    ],
)
def test_files_of_one_photo_are_one_asset(library: Library, name: str, expected: dict[str, str]) -> None:
    assert parts(library, name) == expected


def test_a_raw_beside_its_jpeg_is_the_alternative(library: Library) -> None:
    pair = [parts(library, master(library, asset).file_name) for asset in library.assets()]

    assert {"original": "IMG_0001.JPG", "alternative": "IMG_0001.CR2"} in pair


def test_dates_zones_and_places_are_those_of_the_files(library: Library) -> None:
    asset = library.find("IMG_0101.JPG")

    assert asset.taken_ms == 1_715_529_802_120  # 2024-05-12T18:03:22.120+02:00
    assert asset.offset_s == 7200
    assert asset.place is not None
    assert round(asset.place.latitude, 4) == 48.2082


def test_bursts_have_one_pick(library: Library) -> None:
    burst = [asset for asset in library.assets() if asset.burst is not None]

    assert [asset.burst.is_pick for asset in burst if asset.burst].count(True) == 1
    assert len({asset.burst.id for asset in burst if asset.burst}) == 1


def test_sidecars_say_favourite_and_keywords(library: Library) -> None:
    asset = library.find("DSC_0042.NEF")

    assert asset.is_favorite
    assert asset.keywords == ("roses",)


def test_folders_become_albums_within_folders(library: Library) -> None:
    albums = {album.name: album for album in library.personal.albums()}
    canon = library.album("100CANON")

    parent = albums[canon.parent or ""]

    assert (parent.title, parent.kind) == ("Canon", AlbumKind.FOLDER)
    assert albums[parent.parent or ""].title == "Cameras"
    assert len(library.personal.relations(canon.name)) == 1


def test_copies_stand_on_one_original(library: Library) -> None:
    asset = library.find("IMG_1500 copy.JPG")  # the name of the copy that came first

    assert len(library.personal.users(asset.master)) == 2


def test_every_picture_and_film_is_in_exactly_one_place(library: Library, media: Path) -> None:
    held: list[str] = []
    for asset in library.assets():
        original = master(library, asset)
        files = (original.original, original.live, original.alternative, asset.edited, asset.edited_live)
        held += [each.blob.signature for each in files if each is not None]

    assert len(held) == len(
        [
            path
            for path in (media / "library").rglob("*")
            if path.is_file() and path.suffix.casefold() not in (".xmp", ".aae", ".json")
        ]
    )


def test_names_of_folders_say_hidden_favourite_deleted_and_shared(media: Path, tmp_path: Path) -> None:
    pictures = sorted((media / "library/DCIM/100APPLE").glob("IMG_01*.JPG"))
    for folder, picture in zip(("Hidden", "Recently Deleted", "Shared Library"), pictures, strict=True):
        (tmp_path / folder).mkdir()
        shutil.copy(picture, tmp_path / folder)
    library = Library()

    Folder(tmp_path, library).scan()

    hidden, deleted, shared = (library.find(picture.name) for picture in pictures)
    assert hidden.is_hidden
    assert deleted.is_trashed
    assert library.zone_of(shared.name).is_shared
    assert library.personal.albums() == []


def test_what_happens_in_the_folder_happens_in_the_library(media: Path, tmp_path: Path) -> None:
    camera = media / "library/DCIM/100APPLE"
    shutil.copy(camera / "IMG_1234.JPG", tmp_path)
    shutil.copy(camera / "IMG_0001.HEIC", tmp_path)
    library = Library()
    folder = Folder(tmp_path, library)
    assert folder.scan() == 2
    assert folder.scan() == 0

    shutil.copy(camera / "IMG_E1234.JPG", tmp_path)
    shutil.copy(camera / "IMG_0001.MOV", tmp_path)
    shutil.copy(camera / "IMG_0110.PNG", tmp_path)

    assert folder.scan() == 3
    assert parts(library, "IMG_1234.JPG").keys() == {"original", "edited"}
    assert parts(library, "IMG_0001.HEIC").keys() == {"original", "live"}
    assert len(library.assets()) == 3
    (tmp_path / "IMG_0110.PNG").unlink()
    assert folder.scan() == 1
    assert library.find("IMG_0110.PNG").is_trashed
    shutil.copy(camera / "IMG_0110.PNG", tmp_path)
    assert folder.scan() == 1
    assert len(library.assets()) == 3


def test_the_same_folder_makes_the_same_record_names(media: Path) -> None:
    def names() -> list[str]:
        library = Library()
        Folder(media / "library", library).scan()
        return [asset.name for asset in library.assets()]

    assert names() == names()


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        Folder(tmp_path / "nowhere", Library())


def test_real_files_make_a_library(samples: Path) -> None:
    library = Library()
    Folder(samples, library).scan()

    assert len(library.assets()) > 150
    assert parts(library, "IMG_1635.HEIC")["live"] == "IMG_1635.MOV"
    assert sum(1 for asset in library.assets() if master(library, asset).live is not None) >= 2
