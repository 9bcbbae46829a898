"""Headers and pixels together, over whole libraries: every kind of file shows its picture at its size."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from scenes import bits_between, opened

from mediabox.contracts import Examination, ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.signature import media_type_of
from mediabox.native.decoded import SHORT_SIDE
from mediabox.native.examine import examine

pytest.importorskip("pyvips")  # as if every profile were loaded

ROOT = Path(__file__).parents[1] / "media"
WITHOUT_PICTURE = re.compile(
    r"raw-stub/(CanonRaw|DNG)|corrupt/corrupted|truncated_h264\.mp4|truncated_nomoov|/zero|html_named|nulls"
)


def manifest() -> Iterator[dict[str, str]]:
    path = ROOT / "MANIFEST.tsv"
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t")


def looked(path: Path, kind: Kind) -> Examination:
    request = ExamineRequest(name=path.name, kind=kind, size_bytes=path.stat().st_size, modified_at_ms=0)
    with path.open("rb") as file:
        seen = examine(file.fileno(), request)
    assert not seen.is_odd, seen.examination.facts.damage
    return seen.examination


def displayed_size(preview: bytes | None) -> tuple[int, int]:
    image = opened(preview)
    turned = image.getexif().get(0x0112, 1) >= 5
    return image.size[::-1] if turned else image.size


def assert_shows(seen: Examination, width: int, height: int) -> None:
    """Preview and thumbnail have the picture's shape; the preview is large enough."""
    size = displayed_size(seen.preview)
    thumbnail = opened(seen.thumbnail)
    leeway = 0.1 if seen.facts.kind is Kind.VIDEO else 0.02  # a video's pixels may be oblong: QCIF is 12:11
    for shown in (size, thumbnail.size):
        assert shown[0] / shown[1] == pytest.approx(width / height, rel=leeway)
    assert min(size) >= min(SHORT_SIDE, width, height)
    assert thumbnail.format == "WEBP"


SHOWN = [row for row in manifest() if row["kind"] in ("picture", "video") and "damage=" not in row["more"]]
DAMAGED = [row for row in manifest() if re.search(r"damage=(cut|too many|empty|zeros)", row["more"])]


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row["file"])
def test_a_whole_file_shows_its_picture(row: dict[str, str]) -> None:
    seen = looked(ROOT / row["file"], Kind(row["kind"]))

    assert seen.facts.damage is None
    preview = re.search(r"preview=(\d+)x(\d+)", row["more"])
    if preview is None:
        size = int(row["width"]), int(row["height"])
        assert (seen.facts.width, seen.facts.height) == size
        assert_shows(seen, *size)
        return
    width, height = int(preview[1]), int(preview[2])
    is_turned = re.search(r"orientation=[5678]", row["more"]) is not None
    assert displayed_size(seen.preview) == ((height, width) if is_turned else (width, height))


@pytest.mark.parametrize("row", DAMAGED, ids=lambda row: row["file"])
def test_a_damaged_file_says_what_is_wrong(row: dict[str, str]) -> None:
    seen = looked(ROOT / row["file"], Kind(row["kind"]))

    assert seen.facts.damage


@pytest.mark.parametrize("row", [row for row in manifest() if "near=" in row["more"]], ids=lambda row: row["file"])
def test_near_copies_have_near_hashes(row: dict[str, str]) -> None:
    name = re.search(r"near=([^;]+)", row["more"])
    assert name is not None
    (original,) = ROOT.rglob(name[1])

    ours = looked(original, Kind.PICTURE).facts.perceptual_hashes
    theirs = looked(ROOT / row["file"], Kind.PICTURE).facts.perceptual_hashes

    assert min(bits_between(ours[0], turned) for turned in theirs) <= 6


def test_every_real_file_shows_its_picture(samples: Path) -> None:
    """All of the sample folder, whatever it holds: a preview, a thumbnail, and no word of damage for whole files."""
    wrong = []
    for path in sorted(path for path in samples.rglob("*") if path.is_file()):
        media_type = media_type_of(path.open("rb").read(4096)) or ""
        name = str(path.relative_to(samples))
        if media_type.split("/")[0] not in ("image", "video") or WITHOUT_PICTURE.search(name):
            continue
        seen = looked(path, Kind.VIDEO if media_type.startswith("video/") else Kind.PICTURE)
        if seen.preview is None or seen.facts.width is None or seen.facts.height is None:
            wrong.append(f"{name}: no picture ({seen.facts.damage})")
            continue
        if "raw" not in name:
            assert_shows(seen, seen.facts.width, seen.facts.height)
        if seen.facts.damage and not re.search(r"corrupt|truncated|stub|pruned|raw", name):
            wrong.append(f"{name}: {seen.facts.damage}")

    assert wrong == []


def test_rotations_are_the_same_picture(samples: Path) -> None:
    """Of real photos, turned a quarter: found again by one of the four hashes."""
    from mediabox.native.analysers.perceptual_hash import perceptual_hashes

    for path in sorted(samples.glob("jpeg-nature/*.jpg")):
        image = Image.open(path).convert("RGB")
        turned = perceptual_hashes(image.transpose(Image.Transpose.ROTATE_270).resize((300, 400)))[0]
        assert min(bits_between(turned, one) for one in perceptual_hashes(image)) <= 6
