"""What a source says belongs together stays together, in the roles it gives, whatever the files look like."""

from itertools import permutations

from library_fake import FakeLibrary, facts, resource

from mediabox.config.sections import Archive
from mediabox.model.asset import Kind, Role
from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.stages.group import Group
from mediabox.stages.place import Place

RECORD = {"source": "cloud", "asset_id": 7, "remote_asset_id": 70}
RULES = (Group(), Place(Archive().template))


def filed(library: FakeLibrary, number: int, path: str, **fields: object) -> str | None:
    """The path a file of the record gets."""
    one = resource(number, path, **(RECORD | fields))
    library.take_in(one)
    library.examine(number, facts(one.name), RULES)
    return library.resources[number].path


def test_files_of_one_record_keep_their_roles_in_whatever_order_they_come() -> None:
    """A clip of eight seconds without identifiers would never be paired by its looks."""
    roles = {"original": Role.ORIGINAL, "live": Role.LIVE_VIDEO, "edited": Role.EDITED}
    names = {"original": "IMG_1.HEIC", "live": "IMG_1.MOV", "edited": "IMG_1.JPG"}
    for order in permutations(roles):
        library = FakeLibrary()
        for number, word in enumerate(order, 1):
            one = resource(number, f"P/A/{word}", name=names[word], role=roles[word], **RECORD)
            library.take_in(one)
            found = facts(
                names[word], f"2024-05-1{number}T10:00:00", kind=Kind.VIDEO if word == "live" else Kind.PICTURE
            )
            library.examine(number, found, [Group()])

        assert {one.role for one in library.resources.values()} == set(roles.values())
        assert {one.asset_id for one in library.resources.values()} == {7}


def test_a_record_is_not_pulled_apart_by_a_folder_with_the_same_live_photo() -> None:
    library = FakeLibrary()
    still = resource(1, "a/IMG_1.HEIC")
    for one, of in (
        (still, facts("IMG_1.HEIC", content_identifier="X")),
        (resource(2, "P/A/live", name="IMG_1.MOV", kind=Kind.VIDEO, role=Role.LIVE_VIDEO, **RECORD),
         facts("IMG_1.MOV", content_identifier="X")),
    ):  # fmt: skip
        library.take_in(one)
        library.examine(one.id, of, [Group()])

    assert library.resources[2].asset_id == 7


def test_a_folders_clip_still_finds_its_still_in_a_record() -> None:
    library = FakeLibrary()
    for one, of in (
        (resource(1, "P/A/original", name="IMG_1.HEIC", **RECORD), facts("IMG_1.HEIC", content_identifier="X")),
        (resource(2, "a/IMG_1.MOV"), facts("IMG_1.MOV", content_identifier="X")),
    ):
        library.take_in(one)
        library.examine(one.id, of, [Group()])

    assert (library.resources[2].asset_id, library.resources[2].role) == (7, Role.LIVE_VIDEO)


def test_an_edit_lies_beside_its_original_under_the_name_its_source_gives() -> None:
    library = FakeLibrary()

    assert filed(library, 1, "P/A/original", name="IMG_1234.HEIC") == "2024/2024-05/IMG_1234.HEIC"
    assert filed(library, 2, "P/A/edited", name="IMG_E1234.JPG", role=Role.EDITED) == "2024/2024-05/IMG_E1234.JPG"


def test_an_edit_its_source_calls_as_the_original_says_in_its_name_what_it_is() -> None:
    library = FakeLibrary()

    filed(library, 1, "P/A/original", name="tree.JPG")

    assert filed(library, 2, "P/A/edited", name="tree.JPG", role=Role.EDITED) == "2024/2024-05/tree-edited.JPG"


def test_the_sources_time_files_what_has_none_of_its_own() -> None:
    library = FakeLibrary()
    one = resource(1, "P/A/original", name="screen.PNG", **RECORD)
    library.take_in(one)
    time = CaptureTime(local="2019-01-02T03:04:05", offset_min=60, source=TimeSource.SOURCE)

    library.examine(1, facts("screen.PNG", capture_time=time), RULES)

    assert library.resources[1].path == "2019/2019-01/screen.PNG"
