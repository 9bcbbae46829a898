"""Renditions are expendable, found by the digest of what they show."""

import os
from pathlib import Path

import pytest

from mediabox.contracts import Examination
from mediabox.durable.renditions import RenditionFolder
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts

DIGEST = "abcd" + "0" * 60


def seen(*, serves_as_preview: bool = False, **made: bytes) -> Examination:
    facts = Facts(kind=Kind.PICTURE, media_type="image/jpeg", serves_as_preview=serves_as_preview)
    return Examination(facts=facts, **made)


def test_a_rendition_is_found_under_its_digest_and_gone_after_discarding(tmp_path: Path) -> None:
    folder = RenditionFolder(tmp_path / "renditions")
    assert folder.path(DIGEST, "thumb.webp") is None

    folder.put(DIGEST, "thumb.webp", b"RIFF")
    folder.put(DIGEST, "preview.jpg", b"\xff\xd8")

    path = folder.path(DIGEST, "thumb.webp")
    assert path == tmp_path / "renditions/ab" / f"{DIGEST}-thumb.webp"
    assert path.read_bytes() == b"RIFF"
    folder.discard(DIGEST)
    folder.discard(DIGEST)
    assert folder.path(DIGEST, "thumb.webp") is None
    assert folder.path(DIGEST, "preview.jpg") is None


def test_a_rendition_emptied_by_a_power_cut_is_to_be_made_again(tmp_path: Path) -> None:
    folder = RenditionFolder(tmp_path)
    folder.put(DIGEST, "thumb.webp", b"RIFF")
    os.truncate(tmp_path / f"ab/{DIGEST}-thumb.webp", 0)

    assert folder.path(DIGEST, "thumb.webp") is None


def test_what_a_version_before_put_two_folders_deep_is_found_renewed_and_goes_with_the_rest(tmp_path: Path) -> None:
    folder, earlier = RenditionFolder(tmp_path), tmp_path / f"ab/cd/{DIGEST}-thumb.webp"
    earlier.parent.mkdir(parents=True)
    earlier.write_bytes(b"earlier")
    assert folder.path(DIGEST, "thumb.webp") == earlier

    folder.put(DIGEST, "thumb.webp", b"later")
    assert folder.path(DIGEST, "thumb.webp").read_bytes() == b"later"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [earlier.name]  # a rebuild makes all anew

    folder.discard(DIGEST)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("wanted", [["thumb.webp", "preview.jpg"], ["thumb.webp"], ["preview.jpg"], []])
def test_what_the_owner_does_not_want_is_not_kept(tmp_path: Path, wanted: list) -> None:
    folder = RenditionFolder(tmp_path, wanted)

    folder.keep(DIGEST, seen(thumbnail=b"RIFF", preview=b"\xff\xd8"))

    assert [name for name in ("thumb.webp", "preview.jpg") if folder.path(DIGEST, name)] == wanted


def test_what_an_examination_did_not_make_leaves_no_file(tmp_path: Path) -> None:
    """As of a file without a picture."""
    folder = RenditionFolder(tmp_path)

    folder.keep(DIGEST, seen(thumbnail=b"RIFF"))
    folder.keep("f" * 64, seen())

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{DIGEST}-thumb.webp"]


def test_no_preview_is_kept_of_a_file_that_serves_as_one(tmp_path: Path) -> None:
    folder = RenditionFolder(tmp_path)

    folder.keep(DIGEST, seen(serves_as_preview=True, thumbnail=b"RIFF", preview=b"\xff\xd8"))

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{DIGEST}-thumb.webp"]


@pytest.mark.parametrize("digest", ["", "../../../etc/passwd", "ABCD" + "0" * 60, "abcd", "0" * 63 + "/"])
def test_only_a_digest_becomes_a_path(tmp_path: Path, digest: str) -> None:
    folder = RenditionFolder(tmp_path)

    with pytest.raises(ValueError, match="not a rendition"):
        folder.put(digest, "thumb.webp", b"x")
    with pytest.raises(ValueError, match="not a rendition"):
        folder.path(digest, "thumb.webp")
    with pytest.raises(ValueError, match="not a rendition"):
        folder.discard(digest)
