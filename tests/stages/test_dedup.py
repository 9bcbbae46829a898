"""Pictures that look alike are noted beside each other, and nothing more."""

from library_fake import FakeLibrary, facts, resource

from mediabox.contracts import Similar
from mediabox.stages.dedup import MOST_SIMILAR, Dedup

HASH = 0x0F1E_2D3C_4B5A_6978


def library_with(*hashes: int) -> FakeLibrary:
    library = FakeLibrary()
    for number, value in enumerate(hashes, start=1):
        library.take_in(resource(number, f"a/{number}.jpg"))
        library.facts[number] = facts("a.jpg", perceptual_hashes=(value,))
    return library


def decide(library: FakeLibrary, identifier: int, rule: Dedup | None = None) -> list[Similar]:
    return list((rule or Dedup(6)).decide(library.resources[identifier], library.facts[identifier], library))


def test_notes_pictures_within_the_distance_nearest_first() -> None:
    library = library_with(HASH, HASH ^ 0b111, HASH ^ 0b1, HASH ^ 0b111_1111)

    similar = decide(library, 1)

    assert similar == [
        Similar(resource_id=1, of_resource_id=3, distance_bits=1, rotation=0),
        Similar(resource_id=1, of_resource_id=2, distance_bits=3, rotation=0),
    ]


def test_the_distance_is_the_owners() -> None:
    library = library_with(HASH, HASH ^ 0b1)

    assert decide(library, 1, Dedup(0)) == []


def test_files_of_the_same_asset_are_not_similar_to_it() -> None:
    library = library_with(HASH)
    library.take_in(resource(2, "a/IMG_E1.JPG", asset_id=100))
    library.facts[2] = facts("a.jpg", perceptual_hashes=(HASH,))

    assert decide(library, 1) == []


def test_a_turned_picture_is_noted_once_with_its_turn() -> None:
    library = library_with(HASH, HASH ^ 0b11)
    library.facts[1] = facts("a.jpg", perceptual_hashes=(HASH, HASH ^ 0b11, 5, 6))

    assert decide(library, 1) == [Similar(resource_id=1, of_resource_id=2, distance_bits=0, rotation=90)]


def test_black_and_white_frames_are_not_copies_of_each_other() -> None:
    assert decide(library_with(0, 1), 1) == []
    assert decide(library_with(2**64 - 1, 2**64 - 1), 1) == []


def test_a_video_without_hash_is_similar_to_nothing() -> None:
    library = library_with(HASH)

    assert list(Dedup(6).decide(library.resources[1], facts("a.mov"), library)) == []


def test_a_time_lapse_notes_only_the_nearest() -> None:
    library = library_with(*[HASH] * (MOST_SIMILAR + 20))

    assert len(decide(library, 1)) == MOST_SIMILAR
