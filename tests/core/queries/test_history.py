"""Which photo a person means, by any name they may have met."""

import sqlite3
from pathlib import Path

import pytest
from core.queries.catalogued import archived, copied, delivered, digest_of, seen

from mediabox.core.queries.history import find_resources, history
from mediabox.model.delivery import DeliveryState
from mediabox.store import assets, journal


@pytest.fixture
def photo(connection: sqlite3.Connection) -> int:
    """One photo with a name of its own wherever it is, among others."""
    digits = digest_of("IMG_0001.HEIC")[:8]
    resource_id = archived(connection, "IMG_0001.HEIC", path="2024/05/2024-05-12_18-03-22_IMG_0001.HEIC")
    archived(connection, "IMG_0002.HEIC")
    delivered(connection, resource_id, f"IMG_0001_{digits}.MP.jpg", DeliveryState.STORED)
    copied(
        connection,
        resource_id,
        volume="google-photos/pixel",
        path="takeout-1.zip/Google Fotos/Ausflug/PXL_0001.jpg",
        digest=digest_of("IMG_0001.HEIC"),
    )
    return resource_id


@pytest.mark.parametrize(
    "words",
    [
        "IMG_0001.HEIC",  # at its source
        "img_0001.heic",
        "DCIM/100CANON/IMG_0001.HEIC",
        "/media/anna/EOS_DIGITAL/DCIM/100CANON/IMG_0001.HEIC",  # the card is not here
        "2024-05-12_18-03-22_IMG_0001.HEIC",  # in the archive
        "/Volumes/photos/2024/05/2024-05-12_18-03-22_IMG_0001.HEIC",  # as another computer sees it
        "IMG_0001_{digits}.MP.jpg",  # on the phone
        "IMG_0001_{digits}.mp.JPG",
        "IMG_0001_{digits}.MP",
        "/storage/emulated/0/DCIM/mediabox/IMG_0001_{digits}.MP.jpg",
        "IMG_0001_{digits}.MP-edited.jpg",  # as Google Photos gives it back
        "IMG_0001_{digits}.MP(1).jpg",
        "PXL_0001.jpg",
        "Google Fotos/Ausflug/PXL_0001.jpg",
    ],
)
def test_every_name_a_person_meets_finds_the_photo(connection: sqlite3.Connection, photo: int, words: str) -> None:
    found = find_resources(connection, words.format(digits=digest_of("IMG_0001.HEIC")[:8]))

    assert [one.id for one in found] == [photo]


@pytest.mark.parametrize("words", ["", "/", "//", "IMG_0003.HEIC", "IMG", "%", "_deadbeef", "/nowhere/IMG_0003.HEIC"])
def test_what_nothing_is_called_finds_nothing(connection: sqlite3.Connection, photo: int, words: str) -> None:
    assert find_resources(connection, words) == []


def test_a_file_that_is_here_counts_by_its_bytes_alone(
    connection: sqlite3.Connection, photo: int, tmp_path: Path
) -> None:
    same, other = tmp_path / "renamed.heic", tmp_path / "IMG_0001.HEIC"
    same.write_bytes(b"IMG_0001.HEIC")
    other.write_bytes(b"another picture of this name")

    assert [one.id for one in find_resources(connection, str(same))] == [photo]
    assert find_resources(connection, str(other)) == []


def test_a_name_on_the_phone_that_another_has_at_its_source_finds_both(connection: sqlite3.Connection) -> None:
    other, named = archived(connection, "IMG_0009.JPG"), archived(connection, "DSC_0009.JPG")
    delivered(connection, named, "IMG_0009.JPG", DeliveryState.FREED)

    assert [one.id for one in find_resources(connection, "IMG_0009.JPG")] == [named, other]


def test_a_duplicate_shows_the_copy_that_is_kept_and_its_own_story(connection: sqlite3.Connection) -> None:
    kept, again = archived(connection, "IMG_0001.JPG"), seen(connection, "IMG_0001 (1).JPG")
    assets.set_duplicate(connection, again, of=kept, digest=digest_of("IMG_0001.JPG"), size_bytes=1000)
    journal.append(connection, "duplicate", at_ms=1, resource_id=again, of=kept)

    (resource,) = find_resources(connection, "IMG_0001 (1).JPG")
    found = history(connection, resource)

    assert [copy.resource_id for copy in found.copies] == [kept]
    assert [entry.event for entry in found.story] == ["duplicate"]
    assert found.known_facts is None
