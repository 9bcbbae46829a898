"""What Google Photos takes, and what files must be called for it."""

import pytest

from mediabox.model.google_photos import right_extension, right_name, takes
from mediabox.model.signature import media_type_of_name


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg",
        "a.heic",
        "a.png",
        "a.webp",
        "a.gif",
        "a.avif",
        "a.dng",
        "a.cr3",
        "a.nef",
        "a.arw",
        "a.mpg",
        "a.mod",
        "a.tod",
        "a.wmv",
        "a.asf",
        "a.avi",
        "a.divx",
        "a.mov",
        "a.m4v",
        "a.3gp",
        "a.3g2",
        "a.mp4",
        "a.m2t",
        "a.m2ts",
        "a.mts",
        "a.mkv",
    ],
)
def test_takes_every_type_its_page_lists_and_keeps_the_name(name: str) -> None:
    media_type = media_type_of_name(name)

    assert media_type is not None
    assert takes(media_type)
    assert right_name(name, media_type) == name


@pytest.mark.parametrize(
    "name",
    [
        "a.jxl",
        "a.tif",
        "a.bmp",
        "a.jp2",
        "a.psd",
        "a.webm",
        "a.flv",
        "a.ogv",
        "a.mxf",
        "a.dv",
        "a.x3f",
        "a.iiq",
        "a.xmp",
        "a.aae",
    ],
)
def test_does_not_take_what_the_page_leaves_out(name: str) -> None:
    media_type = media_type_of_name(name)

    assert media_type is not None
    assert not takes(media_type)


@pytest.mark.parametrize(
    ("name", "media_type", "right"),
    [
        ("IMG_1.HEIC", "image/jpeg", "IMG_1.jpg"),
        ("IMG_1.JPG", "image/jpeg", "IMG_1.JPG"),
        ("IMG_1.JPG", "image/heic", "IMG_1.heic"),
        ("a.b.MOV", "video/mp4", "a.b.mp4"),
        ("clip", "video/quicktime", "clip.mov"),
        (".hidden", "image/png", ".hidden.png"),
        ("turning.apng", "image/apng", "turning.png"),
    ],
)
def test_a_name_says_what_the_content_is(name: str, media_type: str, right: str) -> None:
    assert right_name(name, media_type) == right


def test_each_extension_given_stands_for_its_type() -> None:
    for media_type in ("image/jpeg", "image/heic", "image/x-sony-arw", "video/mp4", "video/quicktime", "video/mp2t"):
        assert media_type_of_name(f"a.{right_extension(media_type)}") == media_type


def test_a_type_it_does_not_take_has_no_right_name() -> None:
    with pytest.raises(KeyError):
        right_name("a.jxl", "image/jxl")
