"""Each file gets one legal name of its own, beside the files it belongs to."""

import unicodedata

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library_fake import FakeLibrary, facts, resource

from mediabox.config.sections import FIELDS, Archive
from mediabox.contracts import Reserve
from mediabox.model.asset import Resource, ResourceState
from mediabox.model.facts import Camera, CaptureTime, Facts, TimeSource
from mediabox.stages.group import Group
from mediabox.stages.place import Place, sidecar_path

TEMPLATE = Archive().template


def placed(library: FakeLibrary, one: Resource, of: Facts | None = None, *, template: str = TEMPLATE) -> str:
    """The path `one` gets when it is examined."""
    library.take_in(one)
    library.examine(one.id, of or facts(one.name), [Group(), Place(template)])
    path = library.resources[one.id].path
    assert path is not None
    return path


def test_files_by_the_wall_clock_where_the_picture_was_taken() -> None:
    time = CaptureTime(local="2023-12-31T23:59:58", offset_min=-600, source=TimeSource.EXIF_OFFSET)

    path = placed(FakeLibrary(), resource(1, "a/IMG_1.JPG"), facts("IMG_1.JPG", capture_time=time))

    assert path == "2023/2023-12/IMG_1.JPG"


def test_a_file_without_a_readable_date_goes_to_its_own_folder() -> None:
    library = FakeLibrary()

    assert placed(library, resource(1, "a/IMG_1.JPG"), facts("IMG_1.JPG", None)) == "unknown-date/IMG_1.JPG"
    assert placed(library, resource(2, "a/2.JPG"), facts("2.JPG", "2023-02-31T00:00:00")) == "unknown-date/2.JPG"
    dated = "{year}{month}{day}-{stem}"
    assert placed(library, resource(3, "a/3.JPG"), facts("3.JPG", None), template=dated) == "00000000-3.JPG"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{name}", "IMG_1.JPG"),
        ("{kind}/{source}/{make}/{camera}/{name}", "picture/pictures/Canon_Nikon/EOS _R6_/IMG_1.JPG"),
        ("{year}/{month}/{day}/{hour}{minute}{second} {stem}", "2024/05/12/180322 IMG_1.JPG"),
        ("{ext}/{stem}.{ext}", "JPG/IMG_1.JPG"),
        ("archive {{old}}/{name}", "archive {old}/IMG_1.JPG"),
    ],
)
def test_the_template_is_the_owners(template: str, expected: str) -> None:
    camera = Camera(make="Canon/Nikon", model="EOS <R6>")

    found = placed(FakeLibrary(), resource(1, "a/IMG_1.JPG"), facts("IMG_1.JPG", camera=camera), template=template)

    assert found == expected


def test_every_field_the_configuration_knows_can_be_in_a_name() -> None:
    template = "-".join(f"{{{field}}}" for field in FIELDS)

    found = placed(FakeLibrary(), resource(1, "a/IMG_1.JPG"), facts("IMG_1.JPG"), template=template)

    assert found == "2024-05-12-18-03-22-IMG_1.JPG-IMG_1-JPG-unknown-unknown-pictures-picture.JPG"


def test_a_taken_name_gets_the_beginning_of_the_files_own_digest() -> None:
    library = FakeLibrary()
    placed(library, resource(1, "a/IMG_1.JPG"))
    library.take_in(resource(2, "b/img_1.jpg", digest="ab" * 32))
    library.take_in(resource(3, "c/IMG_1.JPG", digest="ab" * 4 + "cd" * 28))

    for number in (2, 3):
        library.examine(number, facts("IMG_1.JPG"), [Place(TEMPLATE)])

    assert library.resources[2].path == "2024/2024-05/img_1 -abababab.jpg"
    assert library.resources[3].path == f"2024/2024-05/IMG_1 -{'ab' * 4}{'cd' * 4}.JPG"


def test_a_name_under_every_suffix_is_found_in_the_end() -> None:
    library = FakeLibrary()
    digest = "ab" * 32
    for suffix in ("", *(f" -{digest[:digits]}" for digits in (8, 16, 64))):
        library.taken.add(f"2024/2024-05/img_1{suffix}.jpg")

    path = placed(library, resource(1, "a/IMG_1.JPG", digest=digest))

    assert path == f"2024/2024-05/IMG_1 -{digest}-2.JPG"


@pytest.mark.parametrize("first", [1, 2])
def test_files_of_one_photo_lie_side_by_side_under_one_name(first: int) -> None:
    library = FakeLibrary()
    library.taken |= {"2024/2024-05/img_1234.heic", "2024/2024-05/img_1234.mov"}
    files = {
        1: resource(1, "a/IMG_1234.HEIC"),
        2: resource(2, "a/IMG_1234.MOV"),
        3: resource(3, "a/IMG_E1234.JPG"),
        4: resource(4, "a/img_1234.cr2"),
    }

    paths = [placed(library, files[number]) for number in sorted(files, key=lambda number: number != first)]

    assert sorted(paths) == [
        f"2024/2024-05/IMG_1234 -0000000{first}.HEIC",
        f"2024/2024-05/IMG_1234 -0000000{first}.MOV",
        f"2024/2024-05/IMG_1234 -0000000{first}.cr2",
        f"2024/2024-05/IMG_E1234 -0000000{first}.JPG",
    ]


def test_a_clip_of_another_name_takes_its_pictures_name_and_folder() -> None:
    library = FakeLibrary()
    placed(library, resource(1, "a/IMG_1.HEIC"), facts("IMG_1.HEIC", content_identifier="X"))
    clip = facts("clip.MOV", "2024-06-01T00:00:01", content_identifier="X")

    assert placed(library, resource(2, "b/pairedVideo.MOV"), clip) == "2024/2024-05/IMG_1.MOV"


def test_the_owners_sidecars_never_take_the_name_of_ours() -> None:
    library = FakeLibrary()

    placed(library, resource(1, "a/IMG_1.JPG"))

    assert placed(library, resource(2, "a/IMG_1.JPG.xmp")) == "2024/2024-05/IMG_1.JPG.source.xmp"
    assert placed(library, resource(3, "a/IMG_1.xmp")) == "2024/2024-05/IMG_1.source.xmp"
    assert placed(library, resource(4, "a/IMG_1.AAE")) == "2024/2024-05/IMG_1.AAE"
    json = "2024/2024-05/IMG_1.JPG.supplemental-metadata.json"
    assert placed(library, resource(5, "a/IMG_1.JPG.supplemental-me.json")) == json
    assert placed(library, resource(6, "b/IMG_9.JPG.xmp")) == "2024/2024-05/IMG_9.JPG.source.xmp"
    assert placed(library, resource(7, "c/odd.xmp", kind="picture"), facts("odd.jpg")) == "2024/2024-05/odd.source.xmp"


def test_a_sidecar_carries_the_suffix_of_the_file_it_describes() -> None:
    library = FakeLibrary()
    library.taken.add("2024/2024-05/img_1.jpg")
    placed(library, resource(1, "a/IMG_1.JPG"))

    assert placed(library, resource(2, "a/IMG_1.JPG.xmp")) == "2024/2024-05/IMG_1 -00000001.JPG.source.xmp"


def test_nobody_follows_a_sidecar_that_came_first() -> None:
    library = FakeLibrary()
    placed(library, resource(1, "a/IMG_1.JPG.xmp"), facts("IMG_1.JPG.xmp", "2030-01-01T00:00:00"))

    assert placed(library, resource(2, "a/IMG_1.JPG")) == "2024/2024-05/IMG_1.JPG"


def test_our_sidecars_name_is_kept_free() -> None:
    library = FakeLibrary()
    placed(library, resource(1, "a/IMG_1.CR2"))
    placed(library, resource(2, "b/IMG_2.JPG"))

    assert library.is_taken("2024/2024-05/IMG_1.xmp")
    assert library.is_taken("2024/2024-05/IMG_2.JPG.xmp")
    assert placed(library, resource(3, "c/IMG_1.DNG")) == "2024/2024-05/IMG_1 -00000003.DNG"


def test_sidecars_are_named_as_the_programs_expect_that_read_them() -> None:
    assert sidecar_path("2024/a.b/IMG_1.JPG", has_raw=False) == "2024/a.b/IMG_1.JPG.xmp"
    assert sidecar_path("2024/a.b/IMG_1.CR2", has_raw=True) == "2024/a.b/IMG_1.xmp"
    assert sidecar_path("IMG", has_raw=True) == "IMG.xmp"


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "2020/x.jpg"},
        {"digest": None},
        {"state": ResourceState.DUPLICATE},
        {"state": ResourceState.QUARANTINED},
    ],
)
def test_what_has_a_name_or_needs_none_gets_none(fields: dict[str, object]) -> None:
    one = msgspec.structs.replace(resource(1, "a/IMG_1.JPG"), **fields)

    assert list(Place(TEMPLATE).decide(one, facts("IMG_1.JPG"), FakeLibrary())) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="aA./\\ é\u0301é\0:Cc0", max_size=12).map(lambda name: name + ".jpg"), max_size=12))
def test_no_two_files_ever_share_a_path(names: list[str]) -> None:
    library = FakeLibrary()

    paths = [
        placed(library, resource(number, f"{number}/x.jpg", name=name), facts("a.jpg"))
        for number, name in enumerate(names, start=1)
    ]

    keys = {unicodedata.normalize("NFC", path).casefold() for path in paths}
    assert len(keys) == len(names)
    assert all(part and not part.startswith(".") for path in paths for part in path.split("/"))


def test_reserve_names_the_resource_it_is_for() -> None:
    library = FakeLibrary()
    one = resource(7, "a/IMG_1.JPG")

    assert list(Place(TEMPLATE).decide(one, facts("IMG_1.JPG"), library)) == [
        Reserve(resource_id=7, path="2024/2024-05/IMG_1.JPG", sidecar_path="2024/2024-05/IMG_1.JPG.xmp")
    ]
