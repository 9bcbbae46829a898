"""The real pyicloud looks at a folder's library, downloads from it and changes it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediabox.simulate.icloud.lives import HOUR_S
from mediabox.simulate.icloud.photos import Asset
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.simulate.icloud.world import APPLE_ID
from simulate.icloud_fixtures import PASSWORD, in_thread, trusted_pyicloud


@pytest.fixture(scope="module")
def household(icloud_home: Path, media: Path, tmp_path_factory) -> Iterator[tuple[Simulator, Any]]:
    """The media library behind an iCloud, and a pyicloud that is signed in. Tests leave it as they found it."""
    simulator = Simulator(icloud_home)
    simulator.add_account(APPLE_ID, PASSWORD, library=simulator.folder_library(media / "library"))
    with in_thread(simulator):
        yield simulator, trusted_pyicloud(simulator, tmp_path_factory.mktemp("cookies")).photos


def files(media: Path) -> dict[str, Path]:
    """The folder's files by the hash of their bytes."""
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in media.rglob("*") if path.is_file()}


def test_lists_everything_with_names_and_dates(household) -> None:
    icloud, photos = household
    library = icloud.account().library

    listed = {photo.id: photo for photo in photos.all}

    seen = {asset.name: asset for asset in library.assets() if not asset.is_hidden}
    assert listed.keys() == seen.keys()
    assert len(photos.all) == len(seen)
    for name, photo in listed.items():
        assert photo.filename == library.personal.master(seen[name].master).file_name
        assert round(photo.asset_date.timestamp() * 1000) == seen[name].taken_ms


def test_downloads_every_file_of_every_asset_whole(household, media: Path) -> None:
    _, photos = household
    whole = files(media / "library")

    fetched = {
        hashlib.sha256(photo.download(key)).hexdigest()
        for photo in photos.all
        for key in photo.resources
        if key in ("original", "original_video", "alternative")
    }

    assert fetched <= whole.keys()
    originals = {whole[digest].name for digest in fetched}
    assert {"IMG_0001.HEIC", "IMG_0001.MOV", "IMG_0001.CR2", "IMG_0001.JPG", "00001.MTS"} <= originals


def test_live_photo_is_one_asset_of_two_files(household) -> None:
    icloud, photos = household
    asset = icloud.account().library.find("IMG_0001.HEIC")

    photo = photos.all[asset.name]

    assert photo.is_live_photo
    assert photo.download("original_video")[4:8] == b"ftyp"
    assert photo.id in [each.id for each in photos.albums["Live"]]


def test_albums_are_the_folders_and_nested_as_they_are(household) -> None:
    _, photos = household

    names = {album.fullname for album in photos.albums}

    assert {"Cameras/Canon/100CANON", "Android/Camera", "Copies", "Library", "Recently Deleted"} <= names
    camera = photos.albums.find("100CANON")
    assert [photo.filename for photo in camera] == ["IMG_0001.JPG"]


def test_pages_reach_every_asset_once(household) -> None:
    icloud, photos = household
    before = icloud.calls["records.query"]

    pages = [photo.id for photo in photos.all]

    assert len(pages) == len(set(pages)) > 60
    assert icloud.calls["records.query"] - before <= 3


def test_a_photo_can_be_had_by_its_rank_and_by_its_name(household) -> None:
    _, photos = household
    everything = list(photos.all)

    assert photos.all.photo(3).id in {photo.id for photo in everything}
    assert photos.all[everything[5].id].id == everything[5].id
    assert photos.all.get("no such photo") is None


def test_favourite_hidden_and_deleted_go_where_people_expect(household) -> None:
    icloud, photos = household
    library = icloud.account().library
    photo = photos.all[library.find("IMG_0102.JPG").name]

    photo.favorite()
    assert photo.id in [each.id for each in photos.albums["Favorites"]]
    photo.unfavorite()
    library.hide(photo.id)
    assert photo.id in [each.id for each in photos.albums["Hidden"]]
    assert photo.id not in [each.id for each in photos.all]
    library.hide(photo.id, on=False)
    photo = photos.all[photo.id]
    assert photo.delete()

    assert photo.id in [each.id for each in photos.albums["Recently Deleted"]]
    assert library.asset(photo.id).is_trashed
    library.restore(photo.id)
    assert photo.id in [each.id for each in photos.all]


def test_an_outdated_record_is_not_overwritten(household) -> None:
    icloud, photos = household
    library = icloud.account().library
    name = library.find("IMG_0103.JPG").name
    stale = photos.all[name]
    library.favorite(name)

    with pytest.raises(Exception, match="CONFLICT"):
        stale.delete()

    assert not library.asset(name).is_trashed
    library.favorite(name, on=False)


def test_albums_can_be_made_filled_renamed_and_deleted(household) -> None:
    icloud, photos = household
    library = icloud.account().library
    photo = photos.all[library.find("IMG_0101.JPG").name]

    album = photos.create_album("Été à la mer")
    album.add_photo(photo)

    made = library.album("Été à la mer")
    assert [each.id for each in photos._root_library.refresh_albums().find("Été à la mer")] == [photo.id]
    library.remove_from_album(photo.id, made.name)
    assert len(album) == 0
    album = photos._root_library.refresh_albums().find("Été à la mer")
    album.rename("Hiver")
    assert library.personal.album(made.name).title == "Hiver"
    album.delete()
    assert made.name not in [each.name for each in library.personal.albums()]


def test_uploads_arrive_and_are_known_again(household, tmp_path: Path, media: Path) -> None:
    icloud, photos = household
    library = icloud.account().library
    picture = tmp_path / "IMG_7000.JPG"
    picture.write_bytes((media / "library/DCIM/100APPLE/IMG_0101.JPG").read_bytes() + b"\0")

    first = photos.upload(str(picture))
    again = photos.upload(str(picture))

    assert first.filename == "IMG_7000.JPG"
    assert first.download() == picture.read_bytes()
    assert again.id == first.id
    library.purge(first.id)


def test_edits_are_on_the_assets_record(household, media: Path) -> None:
    icloud, photos = household
    asset = icloud.account().library.find("IMG_1234.JPG")

    record = photos.all[asset.name].asset_record

    url = record.fields.get_value("resJPEGFullRes").downloadURL
    assert (
        photos.private_client.download_asset_bytes(url) == (media / "library/DCIM/100APPLE/IMG_E1234.JPG").read_bytes()
    )
    assert record.fields.get_value("adjustmentType") == "com.apple.photo"
    assert record.fields.get_value("adjustmentSimpleDataEnc").startswith(b"<?xml")  # the AAE beside it


def test_changes_since_a_token_are_told(household) -> None:
    icloud, photos = household
    library = icloud.account().library
    name = library.find("IMG_0110.PNG").name
    token = photos.sync_cursor()

    library.favorite(name)
    library.favorite(name, on=False)

    events = list(photos.iter_changes(since=token))
    assert [event.record_name for event in events if event.record_type == "CPLAsset"] == [name]


def test_a_shared_library_is_found_and_listed(household) -> None:
    icloud, photos = household
    library = icloud.account().library
    zone = library.start_sharing()
    moved: Asset = library.move(library.find("IMG_0130.MOV").name, zone)

    shared = next(
        each for each in photos._private_client.zones_list().zones if each.zoneID.zoneName.startswith("SharedSync-")
    )
    photos._libraries = None
    listed = [photo.id for photo in photos.libraries[f"shared:{shared.zoneID.zoneName}"].all]

    assert listed == [moved.name]
    assert moved.name not in [photo.id for photo in photos.all]
    library.move(moved.name, library.personal)


def test_a_link_is_dead_after_an_hour(household) -> None:
    icloud, photos = household
    photo = next(iter(photos.all))
    assert photo.download()

    icloud.clock.advance(HOUR_S)

    with pytest.raises(Exception, match="410"):
        photo.download()
    assert next(iter(photos.all)).download()
