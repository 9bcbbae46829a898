"""Names of one photo share a stem; names of two photos do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.model.naming import is_raw, parse_name, stem

LONG = "Screenshot_20190919-053857_Camera Connect Wireless settings"


@pytest.mark.parametrize(
    "names",
    [
        ("IMG_1234.HEIC", "IMG_1234.MOV", "IMG_1234.AAE", "IMG_O1234.AAE", "IMG_E1234.JPG", "IMG_E1234.MOV"),
        ("IMG_1.JPG", "img_1.jpg", "IMG_1.JPG.xmp", "IMG_1.xmp", "IMG_1.CR2", "IMG_1.CR2.xmp", "IMG_1.JPG.source.xmp"),
        ("IMG_1234.JPG", "IMG_1234-edited.jpg", "IMG_1234_edited.jpeg", "IMG_1234-bearbeitet.jpg", "IMG_1234~2.jpg"),
        ("IMG_1234.HEIC", "IMG_1234_HEVC.MOV", "IMG_1234-adjusted.JPG"),
        ("IMG_1(1).jpg", "IMG_1.jpg(1).json", "IMG_1(1).jpg.json", "IMG_1-edited(1).jpg"),
        ("IMG_1(1).jpg", "IMG_1.jpg.supplemental-metadata(1).json", "IMG_1.jpg.suppl(1).json"),
        ("IMG_1.jpg", "IMG_1.jpg.json", "IMG_1.jpg.supplemental-metadata.json", "IMG_1.jpg.s.json", "IMG_1.jpg..json"),
        ("D7157814-D2D5-4A62-AFCE-9CF465CB7D66.jpeg", "D7157814-D2D5-4A62-AFCE-9CF465CB7D66.jpeg.supp.json"),
        ("1" * 36 + "_DSCN0091.JPG", "1" * 36 + "_DSCN0091.JP.json", "1" * 36 + "_DSCN0091..json"),
        (LONG[:47] + ".jpg", LONG[:46] + ".json"),
        (LONG[:47] + "(2).jpg", LONG[:46] + "(2).json"),
        # simulot/immich-go #35: an emoji is two units, and none is halved
        ("😀" * 23 + "😛.jpg", "😀" * 23 + ".json", "😀" * 24 + ".jpg"),
        ("a" + "😀" * 23 + ".jpg", "a" + "😀" * 22 + ".json"),
        # simulot/immich-go #39 and #613
        (
            "Backyard_ceremony_wedding_photography_xxxxxxx_m(494).jpg",
            "Backyard_ceremony_wedding_photography_xxxxxxx_(494).json",
        ),
        ("original_1d4caa6f-16c6-4c3d-901b-9387de10e528_P.jpg", "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_.json"),
        (
            "13039_327707840323_537645323_9470255_27214_n(1).jpg",
            "13039_327707840323_537645323_9470255_27214_n.j(1).json",
        ),
        ("PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINA.jpg", "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN.json"),
        ("PXL_20210102_221126856.MP~2.jpg", "PXL_20210102_221126856.MP~2.jpg.json"),
        ("IMG_1234~2-edited.jpg", "IMG_1234.jpg.json", "IMG_1234-effects.jpg", "IMG_1234-ha editado.jpg"),
        ("IMG_1(1).jpg", "IMG_1.jpg(1).json", "IMG_1-bearbeitet(1).jpg", "IMG_1.jpg.metadata(1).json"),
        ("a" * 45 + "-e.jpg", "a" * 45 + ".jpg", "a" * 45 + ".j.json"),  # `-edited`, cut at 47
        ("PXL_20231006_063000139.MP.jpg", "PXL_20231006_063000139.MP", "PXL_20231006_063000139.MP.jpg.json"),
        ("PXL_20210101_1.RAW-01.MP.COVER.jpg", "PXL_20210101_1.RAW-02.ORIGINAL.dng"),
        ("Modifie\u0301.jpg", "Modifi\u00e9.xmp"),
        ("2019.05.01 trip.jpg", "2019.05.01 trip.jpg.xmp", "2019.05.01 trip.xmp"),
    ],
)
def test_names_of_one_photo_share_a_stem(names: tuple[str, ...]) -> None:
    assert len({stem(name) for name in names}) == 1, {name: stem(name) for name in names}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IMG_1.jpg", "IMG_1(1).jpg"),
        ("IMG_1.jpg", "IMG_1.jpg(1).json"),
        ("IMG_1.jpg", "IMG_1 (1).jpg"),
        ("IMG_1234.JPG", "IMG_12345.JPG"),
        ("IMG_E123.JPG", "IMG_123.JPG"),  # Apple counts with four digits
        ("IMG_O1234.JPG", "IMG_1234.JPG"),  # only adjustments carry the O
        ("2019.05.01.jpg", "2019.05.02.jpg"),
        ("IMG_1~1.JPG", "IMG_1.JPG"),  # a short name of old Windows
        ("a.b", "a.c.d"),
    ],
)
def test_names_of_two_photos_differ(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_a_sidecar_says_which_file_it_is_named_after() -> None:
    assert parse_name("IMG_1.JPG.xmp").describes == "img_1.jpg"
    assert parse_name("IMG_1.jpg(1).json").describes == "img_1(1).jpg"
    assert parse_name("IMG_1.xmp").describes is None
    assert parse_name("IMG_1.AAE").describes is None


def test_a_numbered_development_of_darktable_may_belong_to_the_file_without_the_number() -> None:
    development = parse_name("DSC_0042_01.NEF.xmp")

    assert development.describes == "dsc_0042_01.nef"
    assert development.version_of == "dsc_0042.nef"
    assert development.stems == ("dsc_0042_01", stem("DSC_0042.NEF"))


@given(st.text(max_size=80))
def test_every_string_has_a_stem(name: str) -> None:
    parsed = parse_name(name)

    assert parsed.stem or not name


def test_raw_files_are_known_by_type_or_name() -> None:
    assert is_raw("a.CR2")
    assert is_raw("a.bin", "image/x-adobe-dng")
    assert not is_raw("a.dng.jpg")
    assert not is_raw("a.cr2", "image/jpeg")
