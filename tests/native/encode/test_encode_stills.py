"""Stills as JPEG: the same picture, its colour, its tags. Judged by Pillow and ExifTool."""

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from encoding import PLACE, TAKEN, converted, exiftool, facts_of, needs_exiftool, psnr, scene, upright
from PIL import Image, ImageOps

import mediabox.native.jxl
from mediabox.model.facts import Hdr
from mediabox.native import picture, renditions
from mediabox.native.fit.unfit import Unfit
from mediabox.native.tags import Reader

LIBRARY = Path(__file__).parents[2] / "media" / "library"
OWN_BAR_DB = 36.0  # our own media are 320 x 240 with noise in every pixel: the hardest there is
REAL_BAR_DB = 43.0  # photographs; differences nobody sees begin to show below 40

# Of each kind with its bar: coarse palettes and hard edges lose more than photographs do.
STILLS = {
    "DCIM/100APPLE/IMG_0001.HEIC": OWN_BAR_DB,
    "DCIM/100APPLE/IMG_0003.HEIC": OWN_BAR_DB,
    "DCIM/100APPLE/IMG_0004.HEIC": 33.0,  # 160 x 120 of noise
    "DCIM/100APPLE/IMG_0110.PNG": REAL_BAR_DB,
    "Android/Camera/20231224_183000.heic": OWN_BAR_DB,
    "Mixed/small.avif": OWN_BAR_DB,
    "Mixed/small.jxl": OWN_BAR_DB,
    "Mixed/still.webp": OWN_BAR_DB,
    "Mixed/with exif.png": OWN_BAR_DB,
    "Mixed/deep.png": OWN_BAR_DB,
    "Mixed/logo.png": OWN_BAR_DB,
    "Mixed/turning.gif": 35.0,
    "Mixed/turning.webp": OWN_BAR_DB,
    "Scans/letter.tiff": OWN_BAR_DB,
    "Scans/negative.tif": OWN_BAR_DB,
    "Scans/slide.bmp": 35.0,
    "Scans/print ready.jpg": OWN_BAR_DB,
    "Scans/grandmother.jpg": OWN_BAR_DB,
    "Cameras/Canon/100CANON/IMG_0001.CR2": 99.0,
    "Cameras/Canon/101CANON/IMG_0002.CR3": 99.0,
    "Cameras/Fujifilm/DSCF1001.RAF": 99.0,
    "Cameras/Nikon/DSC_0042.NEF": 99.0,
    "DCIM/100APPLE/IMG_0120.DNG": 99.0,
}
TURNED_BY_EXIF = ("iphone_7.heic", "Issue_437_(dotnet).heic")  # exiftool: Orientation 6, no Rotation
SHOT = ("IFD0:Make", "IFD0:Model", "ExifIFD:DateTimeOriginal", "ExifIFD:OffsetTimeOriginal", "ExifIFD:ISO",
        "ExifIFD:ExposureTime", "ExifIFD:FNumber", "GPS:GPSLatitude", "GPS:GPSLongitude", "GPS:GPSLatitudeRef",
        "GPS:GPSAltitude", "Apple:ContentIdentifier")  # fmt: skip


def shown(path: Path) -> Image.Image:
    """As the box shows this file in its previews, upright."""
    assert mediabox.native.jxl  # loaded, as in a child
    with path.open("rb") as file:
        decoded = picture.decode(Reader(file.fileno()), facts_of(path))
    image = decoded.image.convert("RGB")
    turn = renditions._UPRIGHT.get(decoded.orientation)
    return image if turn is None else image.transpose(turn)


@pytest.mark.parametrize(("name", "bar_db"), STILLS.items())
def test_every_kind_is_the_same_picture_at_the_same_size(name: str, bar_db: float, tmp_path: Path) -> None:
    before = shown(LIBRARY / name)

    made, said = converted(LIBRARY / name, tmp_path)

    after = upright(made)
    assert (said.width, said.height) == after.size == before.size
    assert psnr(before, after) >= bar_db


@needs_exiftool
@pytest.mark.parametrize("name", STILLS)
def test_what_exiftool_reads_of_the_shot_goes_along(name: str, tmp_path: Path) -> None:
    before = exiftool(LIBRARY / name)

    made, _ = converted(LIBRARY / name, tmp_path)

    after = exiftool(made)
    kept = [tag for tag in SHOT if tag in before]
    assert {tag: after.get(tag) for tag in kept} == {tag: before[tag] for tag in kept}
    assert "ExifTool:Warning" not in after
    assert not [tag for tag in after if tag.startswith("IFD1:")]  # no thumbnail of the old file


@pytest.mark.parametrize("number", range(1, 9))
def test_a_turned_picture_stays_upright_when_it_is_made_smaller(number: int, tmp_path: Path) -> None:
    source = LIBRARY / "Orientation" / f"landscape_{number}.jpg"

    made, said = converted(source, tmp_path, most_pixels=5_000)

    after = upright(made)
    assert said.width * said.height <= 5_000
    assert (said.width, said.height) == after.size
    assert facts_of(made).orientation == number
    assert psnr(upright(source).resize(after.size, Image.Resampling.LANCZOS), after) >= 30


def test_storage_saver_gets_16_megapixels_of_the_same_shape(tmp_path: Path) -> None:
    source = tmp_path / "large.png"
    large = scene(5_000, 4_000)
    large.save(source, compress_level=1)

    made, said = converted(source, tmp_path, most_pixels=16_000_000)

    assert 15_980_000 < said.width * said.height <= 16_000_000
    assert said.width / said.height == pytest.approx(5 / 4, rel=1e-3)
    assert psnr(large.resize((said.width, said.height), Image.Resampling.LANCZOS), upright(made)) >= REAL_BAR_DB


def test_a_picture_that_is_small_enough_keeps_its_size(tmp_path: Path) -> None:
    _, said = converted(LIBRARY / "Mixed" / "small.jxl", tmp_path, most_pixels=16_000_000)

    assert (said.width, said.height) == (320, 240)


@needs_exiftool
@pytest.mark.parametrize("name", ["DCIM/100APPLE/IMG_0001.HEIC", "DCIM/100APPLE/IMG_0103.JPG"])
def test_wide_colour_keeps_its_profile(name: str, tmp_path: Path) -> None:
    made, _ = converted(LIBRARY / name, tmp_path)

    assert exiftool(made)["ICC_Profile:ProfileDescription"] == "Display P3"


@needs_exiftool
@pytest.mark.parametrize("name", ["Mixed/small.jxl", "Scans/slide.bmp", "Cameras/Canon/101CANON/IMG_0002.CR3",
                                  "DCIM/100APPLE/IMG_0001.HEIC", "Cameras/Fujifilm/DSCF1001.RAF"])  # fmt: skip
def test_a_time_and_place_that_are_given_are_written_in(name: str, tmp_path: Path) -> None:
    made, _ = converted(LIBRARY / name, tmp_path, capture_time=TAKEN, place=PLACE)

    said = exiftool(made)
    assert said["ExifIFD:DateTimeOriginal"] == "2021:03:04 05:06:07"
    assert said["ExifIFD:OffsetTimeOriginal"] == "+02:00"
    assert said["Composite:GPSLatitude"] == pytest.approx(PLACE.latitude, abs=1e-5)
    assert said["Composite:GPSLongitude"] == pytest.approx(PLACE.longitude, abs=1e-5)
    assert "ExifTool:Warning" not in said


@pytest.mark.parametrize("name", ["Cameras/Canon/100CANON/IMG_0001.CR2", "Cameras/Fujifilm/DSCF1001.RAF"])
def test_the_jpeg_in_a_raw_file_is_taken_over_bit_for_bit(name: str, tmp_path: Path) -> None:
    made, said = converted(LIBRARY / name, tmp_path)

    content = made.read_bytes()
    scan = content[content.rindex(b"\xff\xda") :]
    assert len(scan) > 1_000
    assert scan in (LIBRARY / name).read_bytes()
    assert said.note == "the camera's own picture of the raw file"


def test_the_jpeg_in_a_raw_file_is_encoded_anew_only_to_be_smaller(tmp_path: Path) -> None:
    source = LIBRARY / "Cameras" / "Nikon" / "DSC_0042.NEF"

    made, said = converted(source, tmp_path, most_pixels=20_000)

    assert said.width * said.height <= 20_000
    assert psnr(shown(source).resize(upright(made).size, Image.Resampling.LANCZOS), upright(made)) >= 30


def test_a_jpeg_xl_made_of_a_jpeg_gives_its_picture_data_back(tmp_path: Path) -> None:
    from pillow_jxl import Encoder

    source, original = tmp_path / "a.jxl", io.BytesIO()
    scene(320, 240).save(original, "JPEG", quality=85)
    encoder = Encoder(mode="RGB", lossless=False, quality=90, effort=1, num_threads=0)
    source.write_bytes(encoder(original.getvalue(), 320, 240, jpeg_encode=True))

    made, _ = converted(source, tmp_path)

    content = original.getvalue()
    assert content[content.rindex(b"\xff\xda") :] in made.read_bytes()


@pytest.mark.parametrize("name", ["HDR/TestHDR.heic", "HDR/TestHDR.avif", "HDR/TestHDR.jxl"])
def test_high_dynamic_range_is_tone_mapped_as_in_previews_and_said(name: str, samples: Path, tmp_path: Path) -> None:
    source = samples / "hdr-image" / Path(name).name

    made, said = converted(source, tmp_path)

    assert said.note == "tone-mapped from PQ"
    before, after = shown(source), upright(made)
    assert psnr(before, after.resize(before.size, Image.Resampling.BOX)) >= 34  # 10 bits against the previews' 8


@needs_exiftool
def test_an_ultra_hdr_picture_keeps_its_gain_map_when_it_is_made_smaller(samples: Path, tmp_path: Path) -> None:
    source = samples / "ultrahdr-jpeg" / "Ultra_HDR_Samples_Originals_02.jpg"

    made, said = converted(source, tmp_path, most_pixels=3_000_000)

    assert said.note == ""
    assert said.width * said.height <= 3_000_000
    assert facts_of(made).hdr is Hdr.ULTRA_HDR
    assert psnr(upright(source).resize((said.width, said.height), Image.Resampling.LANCZOS), upright(made)) >= 40
    extracted = subprocess.run(["exiftool", "-b", "-MPImage2", str(made)], capture_output=True, check=True).stdout
    with Image.open(io.BytesIO(extracted)) as gain_map:
        gain_map.load()
        assert gain_map.size[0] > 100
    assert exiftool(made)["GPS:GPSAltitude"] == exiftool(source)["GPS:GPSAltitude"]


@pytest.mark.parametrize("name", ["DCIM/100APPLE/IMG_0002.HEIC"])
def test_a_gain_map_that_is_lost_is_said(name: str, tmp_path: Path) -> None:
    _, said = converted(LIBRARY / name, tmp_path)

    assert said.note == "HDR gain map left out"


def test_a_scan_in_floating_point_is_stretched_from_darkest_to_brightest(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(-3.0, 5.0, 256, dtype=np.float32), (64, 1))
    Image.fromarray(ramp).save(tmp_path / "a.tif")

    made, _ = converted(tmp_path / "a.tif", tmp_path)

    row = np.asarray(Image.open(made).convert("L"))[32].astype(int)
    assert abs(row - np.arange(256)).max() <= 6


def test_an_animation_gives_its_first_picture_and_says_so(tmp_path: Path) -> None:
    _, said = converted(LIBRARY / "Mixed" / "turning.gif", tmp_path)

    assert said.note == "the first of 6 pictures"


def test_a_contradictory_heic_is_refused_instead_of_its_thumbnail_taken(samples: Path, tmp_path: Path) -> None:
    with pytest.raises(Unfit, match="564 x 870 pixels of 1197 x 1227"):
        converted(samples / "heic-other" / "invalid_id.heic", tmp_path)


def test_every_real_photograph_looks_the_same(samples: Path, tmp_path: Path) -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    seen = {}
    for path in sorted(samples.glob("heic-iphone/*")):
        made, said = converted(path, tmp_path)
        with Image.open(path) as source:  # pillow_heif turns it by its boxes
            right = source.transpose(Image.Transpose.ROTATE_270) if path.name in TURNED_BY_EXIF else source
            seen[path.name] = psnr(right.convert("RGB"), upright(made))
            assert (said.width, said.height) == right.size

    assert len(seen) >= 5
    assert {name: db for name, db in seen.items() if db < REAL_BAR_DB} == {}


@needs_exiftool
def test_an_iphones_tags_are_all_there(samples: Path, tmp_path: Path) -> None:
    source = samples / "live-photo-pair" / "IMG_1635.HEIC"
    before = exiftool(source)

    made, _ = converted(source, tmp_path)

    after = exiftool(made)
    wanted = {tag for tag in before if tag.split(":")[0] in ("ExifIFD", "GPS", "Apple")}
    changed = {"ExifIFD:ExifImageWidth", "ExifIFD:ExifImageHeight"}
    assert {tag: after.get(tag) for tag in wanted - changed} == {tag: before[tag] for tag in wanted - changed}
    assert len(wanted) > 60
    assert facts_of(made).content_identifier == facts_of(source).content_identifier is not None


def test_orientation_is_told_once(tmp_path: Path) -> None:
    """libheif turns the pixels: a tag that turned them again would be wrong."""
    source = LIBRARY / "DCIM" / "100APPLE" / "IMG_0003.HEIC"

    made, said = converted(source, tmp_path)

    with Image.open(made) as image:
        assert image.size == (said.width, said.height) == (240, 320)
        assert ImageOps.exif_transpose(image).size == (240, 320)
