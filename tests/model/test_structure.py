import random
import struct
from pathlib import Path

import pytest

from mediabox.model.structure import Witness


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def large_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind, len(content) + 16) + content


FILM = box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"wide") + large_box(b"mdat", bytes(300_000)) + box(b"moov", bytes(900))
PICTURE = box(b"ftyp", b"heic\0\0\0\0mif1") + box(b"meta", bytes(500)) + box(b"mdat", bytes(70_000))
JPEG = b"\xff\xd8\xff\xe1" + bytes(80_000) + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(80_000) + b"\0\0\0\0IEND\xaeB`\x82"


def complaint(content: bytes, *, chunk_bytes: int = 1 << 20) -> str | None:
    witness = Witness()
    for start in range(0, len(content), chunk_bytes):
        witness.feed(content[start : start + chunk_bytes])
    return witness.complaint()


@pytest.mark.parametrize("content", [FILM, PICTURE, JPEG, PNG], ids=["film", "heic", "jpeg", "png"])
def test_a_whole_file_is_whole_however_it_is_cut_into_chunks(content: bytes) -> None:
    for chunk_bytes in (7, 1000, 65_536, 1 << 20):
        assert complaint(content, chunk_bytes=chunk_bytes) is None


@pytest.mark.parametrize("content", [FILM, PICTURE, JPEG, PNG], ids=["film", "heic", "jpeg", "png"])
def test_a_file_cut_anywhere_is_noticed(content: bytes) -> None:
    dice = random.Random(3)
    for cut in [len(content) - 1, len(content) // 2, *(dice.randrange(100, len(content)) for _ in range(40))]:
        assert complaint(content[:cut], chunk_bytes=dice.randrange(50_000, 200_000)), f"cut at {cut}"


def test_a_film_without_index_or_pictures_is_none() -> None:
    brand = box(b"ftyp", b"mp42\0\0\0\0isom")

    assert "moov" in (complaint(brand + box(b"mdat", bytes(99))) or "")
    assert "mdat" in (complaint(brand + box(b"moov", bytes(99))) or "")
    assert complaint(brand + box(b"moov", bytes(9)) + box(b"moof", bytes(9))) is None


def test_a_last_box_may_last_to_the_end() -> None:
    assert complaint(box(b"ftyp", b"qt  \0\0\0\0") + box(b"moov", bytes(9)) + b"\0\0\0\0mdat" + bytes(5000)) is None


def test_a_box_of_no_size_is_a_complaint_not_a_loop() -> None:
    assert complaint(box(b"ftyp", b"qt  \0\0\0\0") + b"\0\0\0\x03junk" + bytes(100))


def test_padding_after_the_end_of_a_jpeg_is_no_damage() -> None:
    assert complaint(JPEG + bytes(2000)) is None


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><p>", b"  <html>", b'{"error":1}'])
def test_a_page_of_text_is_no_picture(page: bytes) -> None:
    assert complaint(page) == "a page of text"


def test_formats_without_an_end_mark_are_not_judged() -> None:
    assert complaint(b"II*\0" + bytes(1000)) is None
    assert complaint(b"GIF89a" + bytes(1000)) is None


def test_real_files_are_whole_and_the_damaged_ones_are_not(samples: Path) -> None:
    kinds = (".jpg", ".jpeg", ".heic", ".mov", ".mp4", ".png")
    files = [path for path in sorted(samples.rglob("*")) if path.suffix.lower() in kinds]
    files = [path for path in files if path.stat().st_size < 40 << 20]

    said = {path.name: complaint(path.read_bytes()) for path in files}

    assert {path.name for path in files if said[path.name]} <= {p.name for p in files if "corrupt" in p.parent.name}
    assert {name for name in said if name.startswith("truncated")} <= {name for name in said if said[name]}
