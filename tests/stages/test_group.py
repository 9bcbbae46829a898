"""The files of one photo become one asset, in whatever order they come; two photos never do."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library_fake import FakeLibrary, facts, resource

from mediabox.model.asset import Kind, ResourceState, Role
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.stages.group import Group

File = tuple[str, Facts]


def photo(path: str, taken: str | None = "2024-05-12T18:03:22", **fields: object) -> File:
    return path, facts(path, taken, **fields)


def grouped(files: list[File], order: tuple[int, ...] | None = None, *, listed_first: bool = True) -> dict:
    """The grouping after the files were examined in `order`, all listed before or each just before."""
    library, rule = FakeLibrary(), Group()
    resources = [resource(number + 1, path) for number, (path, _) in enumerate(files)]
    for one in resources if listed_first else []:
        library.take_in(one)
    for number in order if order is not None else range(len(files)):
        if not listed_first:
            library.take_in(resources[number])
        library.examine(number + 1, files[number][1], [rule])
    return library.groups()


def check_any_order(files: list[File], expected: dict[str, tuple[str, Role]]) -> None:
    for order in permutations(range(len(files))):
        for listed_first in (True, False):
            assert grouped(files, order, listed_first=listed_first) == expected, order


def alone(*files: File) -> dict[str, tuple[str, Role]]:
    return {path: (path, Role.ORIGINAL) for path, _ in files}


def test_a_live_photo_is_paired_by_apples_identifier_even_across_folders_and_sources() -> None:
    still = photo("a/IMG_1.HEIC", content_identifier="X")
    clip = photo("b/pairedVideo.MOV", "2024-05-12T20:00:00", content_identifier="X")

    check_any_order([still, clip], {"a/IMG_1.HEIC": ("a/IMG_1.HEIC", Role.ORIGINAL),
                                    "b/pairedVideo.MOV": ("a/IMG_1.HEIC", Role.LIVE_VIDEO)})  # fmt: skip


def test_a_live_photo_without_identifiers_is_paired_by_name_and_time() -> None:
    files = [photo("a/IMG_1.HEIC"), photo("a/IMG_1.MOV", "2024-05-12T18:03:20.500")]

    check_any_order(files, {"a/IMG_1.HEIC": ("a/IMG_1.HEIC", Role.ORIGINAL),
                            "a/IMG_1.MOV": ("a/IMG_1.HEIC", Role.LIVE_VIDEO)})  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        photo("a/IMG_1.MOV", "2024-05-12T22:03:22"),  # hours later
        photo("a/IMG_1.MOV", duration_s=12.0),  # a video of its own
        photo("a/IMG_1.MOV", duration_s=None),
        photo("a/IMG_1.MOV", None),
        photo("a/IMG_1.MOV", content_identifier="Y"),  # Apple says it is another's
        photo("b/IMG_1.MOV"),  # another folder
        photo("a/IMG_1(1).MOV"),  # Takeout's second of that name
        photo("a/IMG_1.PNG"),  # two pictures are two originals
        photo("a/IMG_1.CR2", "2024-05-12T18:03:25"),
    ],
)
def test_two_photos_stay_two_assets(other: File) -> None:
    one = photo("a/IMG_1.JPG", content_identifier="X")

    check_any_order([one, other], alone(one, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/Takeout/Google Photos/Trip", "a/Takeout 2/Google Photos/Trip"),
        ("a/Takeout/Google Photos/Trip", "a/Takeout (2)/Google Photos/Trip"),
        (
            "a/takeout-20200101T000000Z-001/Takeout/Google Fotos/Trip",
            "a/takeout-20200101T000000Z-002/Takeout/Google Fotos/Trip",
        ),
        ("a/takeout-001/Takeout/Google Photos/Trip", "a/takeout-002/Takeout/Google Photos/Trip"),
    ],
)
def test_a_takeout_that_google_split_is_one(one: str, other: str) -> None:
    picture, about = photo(f"{one}/IMG_1.jpg"), photo(f"{other}/IMG_1.jpg.json", None)

    check_any_order([picture, about], {about[0]: (picture[0], Role.SIDECAR), picture[0]: (picture[0], Role.ORIGINAL)})


@pytest.mark.parametrize(
    "other",
    [
        "a/Takeout/Google Photos/Other",
        "b/Takeout/Google Photos/Trip",
        "a/Takeout Anna/Google Photos/Trip",
        "a/takeout-20200101T000000Z-001/Takeout/Google Photos/Trip",
    ],
)
def test_another_s_takeout_and_another_album_are_not_joined(other: str) -> None:
    picture, about = photo("a/Takeout/Google Photos/Trip/IMG_1.jpg"), photo(f"{other}/IMG_1.jpg.json", None)

    check_any_order([picture, about], alone(picture, about))


def test_a_json_goes_with_the_picture_of_its_own_part_of_a_takeout() -> None:
    folders = [f"a/{part}/Google Photos/Trip" for part in ("Takeout", "Takeout 2")]
    pictures = [photo(f"{folder}/IMG_1.jpg") for folder in folders]
    sidecars = [photo(f"{folder}/IMG_1.jpg.json", None) for folder in folders]

    pairs = {about[0]: (picture[0], Role.SIDECAR) for picture, about in zip(pictures, sidecars, strict=True)}
    check_any_order([*pictures, *sidecars], pairs | alone(*pictures))


def test_sources_are_joined_by_identifier_only() -> None:
    library, rule = FakeLibrary(), Group()
    library.take_in(resource(1, "a/IMG_1.HEIC"))
    library.take_in(resource(2, "a/IMG_1.MOV", source="card"))
    library.take_in(resource(3, "a/IMG_1.xmp", source="card"))

    for number, name in ((1, "IMG_1.HEIC"), (2, "IMG_1.MOV"), (3, "IMG_1.xmp")):
        library.examine(number, facts(name), [rule])

    assert library.resources[2].asset_id == 200
    assert library.resources[3].asset_id == 200  # beside the clip it lies with


def test_times_are_compared_as_instants_when_both_zones_are_known() -> None:
    berlin = CaptureTime(local="2024-05-12T18:03:22", offset_min=120, source=TimeSource.EXIF_OFFSET)
    utc = CaptureTime(local="2024-05-12T16:03:23", offset_min=0, source=TimeSource.MOVIE_HEADER)
    unknown = CaptureTime(local="2024-05-12T16:03:23", source=TimeSource.EXIF_LOCAL)

    assert berlin.seconds_apart(utc) == 1
    assert berlin.seconds_apart(unknown) == 7199
    assert berlin.seconds_apart(CaptureTime(local="2024-02-31T00:00:00", source=TimeSource.EXIF_LOCAL)) is None


def test_a_whole_iphone_export_becomes_one_asset() -> None:
    files = [
        photo("a/IMG_1234.HEIC", content_identifier="X"),
        photo("a/IMG_1234.MOV", content_identifier="X"),
        photo("a/IMG_E1234.JPG"),
        photo("a/IMG_E1234.MOV"),
        photo("a/IMG_1234.AAE", None),
    ]

    check_any_order(
        files,
        {
            "a/IMG_1234.HEIC": ("a/IMG_1234.HEIC", Role.ORIGINAL),
            "a/IMG_1234.MOV": ("a/IMG_1234.HEIC", Role.LIVE_VIDEO),
            "a/IMG_E1234.JPG": ("a/IMG_1234.HEIC", Role.EDITED),
            "a/IMG_E1234.MOV": ("a/IMG_1234.HEIC", Role.EDITED_VIDEO),
            "a/IMG_1234.AAE": ("a/IMG_1234.HEIC", Role.SIDECAR),
        },
    )


def test_raw_and_jpeg_with_their_sidecars_become_one_asset() -> None:
    files = [
        photo("a/IMG_1.JPG"),
        photo("a/IMG_1.CR2", "2024-05-12T18:03:23"),
        photo("a/IMG_1.xmp", None),
        photo("a/IMG_1.JPG.xmp", None),
    ]

    check_any_order(
        files,
        {
            "a/IMG_1.JPG": ("a/IMG_1.JPG", Role.ORIGINAL),
            "a/IMG_1.CR2": ("a/IMG_1.JPG", Role.RAW),
            "a/IMG_1.xmp": ("a/IMG_1.JPG", Role.SIDECAR),
            "a/IMG_1.JPG.xmp": ("a/IMG_1.JPG", Role.SIDECAR),
        },
    )


def test_each_sidecar_finds_the_file_it_is_named_after() -> None:
    files = [
        photo("a/IMG_1.JPG"),
        photo("a/IMG_1.MOV", "2024-05-13T09:00:00"),
        photo("a/IMG_1.MOV.xmp", None),
        photo("a/IMG_1.JPG.json", None),
        photo("a/IMG_1(1).JPG", "2023-01-01T00:00:00"),
        photo("a/IMG_1.JPG(1).json", None),
    ]
    expected = {
        **alone(files[0], files[1], files[4]),
        "a/IMG_1.MOV.xmp": ("a/IMG_1.MOV", Role.SIDECAR),
        "a/IMG_1.JPG.json": ("a/IMG_1.JPG", Role.SIDECAR),
        "a/IMG_1.JPG(1).json": ("a/IMG_1(1).JPG", Role.SIDECAR),
    }

    check_any_order(files, expected)


def test_each_development_by_darktable_finds_its_raw() -> None:
    files = [
        photo("a/DSC_0042.NEF", media_type="image/x-nikon-nef"),
        photo("a/DSC_0042.NEF.xmp", None),
        photo("a/DSC_0042_01.NEF.xmp", None),
        photo("a/DSC_0043_01.NEF", media_type="image/x-nikon-nef"),  # a name of its own
        photo("a/DSC_0043_01.NEF.xmp", None),
        photo("a/DSC_0043.NEF", "2024-05-12T18:04:00", media_type="image/x-nikon-nef"),
    ]

    check_any_order(
        files,
        {
            "a/DSC_0042.NEF": ("a/DSC_0042.NEF", Role.ORIGINAL),
            "a/DSC_0042.NEF.xmp": ("a/DSC_0042.NEF", Role.SIDECAR),
            "a/DSC_0042_01.NEF.xmp": ("a/DSC_0042.NEF", Role.SIDECAR),
            "a/DSC_0043_01.NEF": ("a/DSC_0043_01.NEF", Role.ORIGINAL),
            "a/DSC_0043_01.NEF.xmp": ("a/DSC_0043_01.NEF", Role.SIDECAR),
            "a/DSC_0043.NEF": ("a/DSC_0043.NEF", Role.ORIGINAL),
        },
    )


TAKEOUT = [  # simulot/immich-go, adapters/googlePhotos/matcher_test.go, and its issues #35, #39, #405, #613
    ("PXL_20220405_090123740.PORTRAIT.jpg.json", "PXL_20220405_090123740.PORTRAIT-modifié.jpg"),
    ("DSC_0101.JPG(1).json", "DSC_0101(1).JPG"),
    ("IMG_2710.HEIC(1).json", "IMG_2710(1).HEIC"),
    ("IMG_2710.HEIC.supplemental-metadata(1).json", "IMG_2710(1).HEIC"),
    ("PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN.json", "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINA.jpg"),
    ("05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jp.json", "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jpg"),
    ("😀" * 22 + "☺️.json", "😀" * 22 + "☺️😛.jpg"),
    ("Backyard_ceremony_wedding_photography_xxxxxxx_(494).json",
     "Backyard_ceremony_wedding_photography_xxxxxxx_m(494).jpg"),
    ("original_1d4caa6f-16c6-4c3d-901b-9387de10e528_.json", "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_P.jpg"),
    ("PXL_20210102_221126856.MP~2.jpg.json", "PXL_20210102_221126856.MP~2.jpg"),
    ("13039_327707840323_537645323_9470255_27214_n.j(1).json", "13039_327707840323_537645323_9470255_27214_n(1).jpg"),
    ("IMG_1234.jpg.json", "IMG_1234~2-edited.jpg"),
    ("e\u0301" * 23 + ".json", "e\u0301" * 23 + "e.jpg"),  # from a Mac: each letter counts twice
    ("IMG_7.jpg.supplemental-metadata.json", "IMG_7-đã chỉnh sửa.jpg"),
    ("IMG_7.jpg.supplemental-metadata.json", "IMG_7-编辑后.jpg"),
]  # fmt: skip


@pytest.mark.parametrize(("about", "name"), TAKEOUT)
def test_takeouts_sidecar_finds_its_picture(about: str, name: str) -> None:
    files = [photo(f"a/{name}", None), photo(f"a/{about}", None)]

    check_any_order(files, {f"a/{name}": (f"a/{name}", Role.ORIGINAL), f"a/{about}": (f"a/{name}", Role.SIDECAR)})


@pytest.mark.parametrize(
    ("about", "name"),
    [
        ("PXL_20211013_220651983.jpg.json", "PXL_20211013_220651958.jpg"),
        ("DSC_0102.JPG(2).json", "DSC_0102(1).JPG"),
        ("DSC_0103.JPG(1).json", "DSC_0103.JPG"),
        ("DSC_0104.JPG.json", "DSC_0104(1).JPG"),
        ("Backyard_ceremony_wedding_photography_xxxxxxx_(494).json",
         "Backyard_ceremony_wedding_photography_xxxxxxx_m(185).jpg"),
    ],
)  # fmt: skip
def test_takeouts_sidecar_of_another_picture_stays_away(about: str, name: str) -> None:
    files = [photo(f"a/{name}", None), photo(f"a/{about}", None)]

    check_any_order(files, alone(*files))


def test_the_clip_of_a_live_photo_shares_its_stills_sidecar() -> None:
    files = [photo("a/IMG_1.HEIC"), photo("a/IMG_1.MOV"), photo("a/IMG_1.HEIC.supplemental-metadata.json", None)]

    check_any_order(
        files,
        {
            "a/IMG_1.HEIC": ("a/IMG_1.HEIC", Role.ORIGINAL),
            "a/IMG_1.MOV": ("a/IMG_1.HEIC", Role.LIVE_VIDEO),
            "a/IMG_1.HEIC.supplemental-metadata.json": ("a/IMG_1.HEIC", Role.SIDECAR),
        },
    )


def test_a_cameras_companion_goes_with_its_clip_whatever_it_looks_like() -> None:
    library, rule = FakeLibrary(), Group()
    library.take_in(resource(1, "a/MVI_1.THM", role=Role.COMPANION, kind=Kind.PICTURE))
    library.take_in(resource(2, "a/MVI_1.MP4"))

    for number, name in ((1, "MVI_1.JPG"), (2, "MVI_1.MP4")):
        library.examine(number, facts(name, "2004-06-01T10:00:00", duration_s=60.0), [rule])

    assert library.resources[1].asset_id == library.resources[2].asset_id == 200
    assert library.resources[1].role is Role.COMPANION


def test_names_that_differ_only_in_case_keep_their_own_sidecars() -> None:
    files = [photo(f"a/{name}", None) for name in ("IMG_1.JPG", "img_1.jpg", "IMG_1.JPG.xmp", "img_1.jpg.xmp")]

    check_any_order(
        files,
        {
            **alone(*files[:2]),
            "a/IMG_1.JPG.xmp": ("a/IMG_1.JPG", Role.SIDECAR),
            "a/img_1.jpg.xmp": ("a/img_1.jpg", Role.SIDECAR),
        },
    )


def test_two_exports_of_one_live_photo_keep_their_own_clips() -> None:
    files = [photo(path, content_identifier="X") for path in ("a/I.JPG", "b/I.HEIC", "a/I.MOV", "b/I.MOV")]

    check_any_order(
        files,
        {
            **alone(*files[:2]),
            "a/I.MOV": ("a/I.JPG", Role.LIVE_VIDEO),
            "b/I.MOV": ("b/I.HEIC", Role.LIVE_VIDEO),
        },
    )


def test_a_sidecar_without_its_picture_stands_for_itself() -> None:
    sidecar = photo("a/IMG_1.xmp", None)

    assert grouped([sidecar]) == alone(sidecar)


def test_a_sidecar_of_an_edited_version_goes_with_it() -> None:
    far = "2020-01-01T00:00:00"
    files = [photo("a/IMG_1234.JPG"), photo("a/IMG_E1234.JPG", far), photo("a/IMG_E1234.xmp", None)]

    check_any_order(files, {**alone(*files[:2]), "a/IMG_E1234.xmp": ("a/IMG_E1234.JPG", Role.SIDECAR)})


def test_an_edited_version_that_lost_its_time_still_finds_its_original() -> None:
    time = CaptureTime(local="2026-01-01T00:00:00", source=TimeSource.FILE_MODIFIED)
    files = [photo("a/IMG_1.JPG"), photo("a/IMG_1-edited.jpg", capture_time=time)]

    check_any_order(files, {**alone(files[0]), "a/IMG_1-edited.jpg": ("a/IMG_1.JPG", Role.EDITED)})


def test_an_edited_version_alone_with_its_clip_is_a_live_photo() -> None:
    files = [photo("a/IMG_E1234.HEIC"), photo("a/IMG_E1234.MOV")]

    check_any_order(files, {**alone(files[0]), "a/IMG_E1234.MOV": ("a/IMG_E1234.HEIC", Role.LIVE_VIDEO)})


def test_frames_of_a_burst_stay_separate_assets() -> None:
    files = [photo(f"a/IMG_{number}.JPG", burst_id="B") for number in (1000, 1001, 1002)]

    check_any_order(files, alone(*files))


def test_a_clip_goes_to_the_kept_picture_rather_than_to_a_duplicate_of_it() -> None:
    library, rule = FakeLibrary(), Group()
    library.take_in(resource(1, "cloud/IMG_1.HEIC", source="cloud"))
    library.examine(1, facts("IMG_1.HEIC", content_identifier="X"), [rule])
    library.take_in(resource(2, "a/IMG_1.HEIC", state=ResourceState.DUPLICATE, duplicate_of=1))
    library.take_in(resource(3, "a/IMG_1.MOV"))

    library.examine(3, facts("IMG_1.MOV", content_identifier="X"), [rule])

    assert library.resources[3].asset_id == 100


def test_what_a_source_put_together_stays_together() -> None:
    library, rule = FakeLibrary(), Group()
    library.take_in(resource(1, "REC1/original", name="IMG_1.HEIC"))
    library.take_in(resource(2, "REC1/video", name="IMG_1.MOV", asset_id=100, role=Role.LIVE_VIDEO))
    library.take_in(resource(3, "REC1/edited", name="IMG_1.JPG", asset_id=100, role=Role.EDITED))
    library.take_in(resource(4, "REC1/sidecar", name="IMG_1.AAE", asset_id=100, role=Role.SIDECAR))
    before = dict(library.resources)

    for number, name in ((1, "IMG_1.HEIC"), (2, "IMG_1.MOV"), (3, "IMG_1.JPG"), (4, "IMG_1.AAE")):
        library.examine(number, facts(name, content_identifier="X" if number < 4 else None), [rule])

    assert library.resources == before


NAMES = [
    f"{folder}/{name}"
    for folder in "ab"
    for name in (
        "IMG_1234.HEIC", "IMG_1234.JPG", "img_1234.jpg", "IMG_1234.MOV", "IMG_1234.MP4", "IMG_1234.DNG", "IMG_1234.CR2",
        "IMG_E1234.JPG", "IMG_E1234.MOV", "IMG_1234-edited.jpg", "IMG_1234.AAE", "IMG_O1234.AAE", "IMG_1234.xmp",
        "IMG_1234.JPG.xmp", "IMG_E1234.JPG.xmp", "IMG_1234.JPG.json", "IMG_1234.JPG(1).json", "IMG_1234(1).JPG",
        "clip.MOV", "IMG_1234_HEVC.MOV",
    )
]  # fmt: skip
TIMES = [None, "2024-05-12T18:03:22", "2024-05-12T18:03:23.500", "2024-05-12T18:03:25", "2024-05-13T10:00:00"]


@st.composite
def folders(draw: st.DrawFn) -> list[File]:
    paths = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=9, unique=True))
    return [
        photo(
            path,
            draw(st.sampled_from(TIMES)),
            content_identifier=draw(st.sampled_from([None, None, "X", "Y"])) if "." in path else None,
        )
        for path in paths
    ]


@settings(max_examples=500, deadline=None)
@given(folders(), st.randoms(use_true_random=False), st.booleans())
def test_any_order_gives_the_same_grouping(files: list[File], random: object, listed_first: bool) -> None:
    order = list(range(len(files)))
    random.shuffle(order)

    groups = grouped(files, tuple(order), listed_first=listed_first)

    assert groups == grouped(files, listed_first=False)
    originals = [original for original, role in groups.values() if role is Role.ORIGINAL]
    assert len(originals) == len(set(originals))  # never two originals in one asset
