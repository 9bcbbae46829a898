"""Renditions are expendable, found by the digest of what they show."""

import os
from pathlib import Path

import pytest

from mediabox.durable.renditions import RenditionFolder

DIGEST = "abcd" + "0" * 60


def test_a_rendition_is_found_under_its_digest_and_gone_after_discarding(tmp_path: Path) -> None:
    folder = RenditionFolder(tmp_path / "renditions")
    assert folder.path(DIGEST, "thumb.webp") is None

    folder.put(DIGEST, "thumb.webp", b"RIFF")
    folder.put(DIGEST, "preview.jpg", b"\xff\xd8")

    path = folder.path(DIGEST, "thumb.webp")
    assert path == tmp_path / "renditions/ab/cd" / f"{DIGEST}-thumb.webp"
    assert path.read_bytes() == b"RIFF"
    folder.discard(DIGEST)
    folder.discard(DIGEST)
    assert folder.path(DIGEST, "thumb.webp") is None
    assert folder.path(DIGEST, "preview.jpg") is None


def test_a_rendition_emptied_by_a_power_cut_is_to_be_made_again(tmp_path: Path) -> None:
    folder = RenditionFolder(tmp_path)
    folder.put(DIGEST, "thumb.webp", b"RIFF")
    os.truncate(tmp_path / f"ab/cd/{DIGEST}-thumb.webp", 0)

    assert folder.path(DIGEST, "thumb.webp") is None


@pytest.mark.parametrize("digest", ["", "../../../etc/passwd", "ABCD" + "0" * 60, "abcd", "0" * 63 + "/"])
def test_only_a_digest_becomes_a_path(tmp_path: Path, digest: str) -> None:
    folder = RenditionFolder(tmp_path)

    with pytest.raises(ValueError, match="not a rendition"):
        folder.put(digest, "thumb.webp", b"x")
    with pytest.raises(ValueError, match="not a rendition"):
        folder.path(digest, "thumb.webp")
    with pytest.raises(ValueError, match="not a rendition"):
        folder.discard(digest)
