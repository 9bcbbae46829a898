"""Files taken in, kept once, joined into assets, and never under one path."""

import sqlite3
from collections.abc import Callable

import pytest

from mediabox.model.asset import Kind, RemoteResource, ResourceState, Role
from mediabox.model.facts import Facts
from mediabox.store import assets, copies, examined, listings, lookup

DIGEST = "ab" * 32


def test_the_second_with_the_same_bytes_cannot_be_kept_too(connection: sqlite3.Connection, taken_in) -> None:
    first, second = taken_in("IMG_1.JPG"), taken_in("copy.JPG")
    assets.set_staged(connection, first, digest=DIGEST, size_bytes=10)

    assert assets.keeper(connection, DIGEST) == first
    with pytest.raises(sqlite3.IntegrityError):
        assets.set_staged(connection, second, digest=DIGEST, size_bytes=10)
    assets.set_duplicate(connection, second, of=first, digest=DIGEST, size_bytes=10)
    assert [one.id for one in assets.duplicates(connection, first)] == [second]


@pytest.mark.parametrize("other", ["2024/IMG_1.jpg", "2024/img_1.JPG", "2024/IMG_1.JPG"])
def test_two_files_never_reserve_one_path_whatever_the_case(connection, taken_in, other: str) -> None:
    first, second = taken_in("IMG_1.JPG"), taken_in("other.JPG")
    assets.reserve(connection, first, "2024/IMG_1.JPG", None)

    with pytest.raises(sqlite3.IntegrityError):
        assets.reserve(connection, second, other, None)


def test_composed_and_decomposed_names_are_one_path(connection, taken_in) -> None:
    first, second = taken_in("a.jpg"), taken_in("b.jpg")
    assets.reserve(connection, first, "2024/Mu\u0308nchen.jpg", None)

    with pytest.raises(sqlite3.IntegrityError):
        assets.reserve(connection, second, "2024/M\u00fcnchen.jpg", None)


def test_an_asset_that_lost_its_last_file_goes(connection: sqlite3.Connection, taken_in) -> None:
    still, video = taken_in("IMG_1.HEIC"), taken_in("IMG_1.MOV", kind=Kind.VIDEO)
    target = assets.resource(connection, still).asset_id

    left = assets.join(connection, video, target, Role.LIVE_VIDEO)

    assert assets.members(connection, left) == []
    assert [one.role for one in assets.members(connection, target)] == [Role.ORIGINAL, Role.LIVE_VIDEO]
    assert connection.execute("SELECT count(*) FROM asset").fetchone() == (1,)


def test_a_file_that_changed_before_it_was_read_keeps_its_row(connection: sqlite3.Connection, taken_in) -> None:
    resource = taken_in("IMG_1.JPG")
    assets.set_quarantined(connection, resource, "is empty (0 bytes)")
    newer = RemoteResource(remote_id="t/IMG_1.JPG", version="2", name="IMG_1.JPG", kind=Kind.PICTURE, size_bytes=99)

    renewed = assets.renew(connection, listings.source_id(connection, "pictures"), newer)

    found = assets.resource(connection, resource)
    assert (renewed, found.state, found.version, found.reason) == (resource, ResourceState.SEEN, "2", None)


def test_an_archived_version_is_never_taken_back(connection: sqlite3.Connection, taken_in) -> None:
    resource = taken_in("IMG_1.JPG")
    assets.set_archived(connection, resource, 5)
    newer = RemoteResource(remote_id="t/IMG_1.JPG", version="2", name="IMG_1.JPG", kind=Kind.PICTURE, size_bytes=99)

    assert assets.renew(connection, listings.source_id(connection, "pictures"), newer) is None


def test_duplicates_of_bytes_that_were_never_kept_are_read_themselves(connection, taken_in) -> None:
    first, second = taken_in("IMG_1.JPG"), taken_in("copy.JPG")
    assets.set_staged(connection, first, digest=DIGEST, size_bytes=10)
    assets.set_duplicate(connection, second, of=first, digest=DIGEST, size_bytes=10)
    assets.set_quarantined(connection, first, "gone")

    assert assets.disown(connection, first) == [second]
    assert assets.resource(connection, second).state is ResourceState.SEEN


def test_facts_come_back_as_they_were(connection: sqlite3.Connection, taken_in) -> None:
    resource = taken_in("IMG_1.JPG")
    facts = Facts(kind=Kind.PICTURE, media_type="image/jpeg", perceptual_hashes=(2**64 - 1, 1, 2, 3), keywords=("a",))

    examined.put_facts(connection, resource, facts)

    assert examined.facts(connection, resource) == facts
    assert list(examined.perceptual_hashes(connection)) == [(resource, 2**64 - 1)]


@pytest.mark.parametrize("words", ["IMG_1.JPG", "2024/IMG_1.JPG", DIGEST, DIGEST[:12], "t/IMG_1.JPG"])
def test_a_file_is_found_by_what_people_know_of_it(connection, taken_in, words: str) -> None:
    resource: int = taken_in("IMG_1.JPG")
    taken_in("other.JPG")
    assets.set_staged(connection, resource, digest=DIGEST, size_bytes=10)
    assets.reserve(connection, resource, "2024/IMG_1.JPG", "2024/IMG_1.JPG.xmp")

    assert [one.id for one in lookup.find(connection, words)] == [resource]
    assert [one.id for one in lookup.find(connection, str(resource))] == [resource]


def test_a_flipped_bit_in_the_ledger_never_passes_for_proof(connection, taken_in: Callable[[str], int]) -> None:
    from mediabox.model.ledger import Copy, Evidence

    resource = taken_in("IMG_1.JPG")
    copy = Copy(
        resource_id=resource,
        volume="v",
        path="p",
        size_bytes=10,
        digest=DIGEST,
        evidence=Evidence.REREAD,
        proved_at_ms=5,
    )
    copies.put(connection, copy)
    assert copies.of_resource(connection, resource) == [copy]

    connection.execute("UPDATE copy SET proved_at_ms = 6")

    assert copies.of_resource(connection, resource) == []
    assert copies.bad_rows(connection) == [resource]


def test_a_manifest_lists_its_own_folder_only(connection: sqlite3.Connection, taken_in) -> None:
    for number, path in enumerate(("2024/a.jpg", "2024/b.jpg", "2024/x/c.jpg", "2025/d.jpg", "e.jpg")):
        resource = taken_in(f"{number}.jpg")
        assets.set_staged(connection, resource, digest=f"{number:064d}", size_bytes=1)
        assets.reserve(connection, resource, path, None)
        assets.set_archived(connection, resource, 1)

    assert [path for path, _ in copies.in_folder(connection, "2024")] == ["2024/a.jpg", "2024/b.jpg"]
    assert [path for path, _ in copies.in_folder(connection, "")] == ["e.jpg"]
