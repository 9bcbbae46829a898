"""Hopping through a file without holding it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediabox.native.tags.reader import Reader, Truncated

CONTENT = bytes(range(256)) * 1024  # 256 KiB


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    opened = os.open(path, os.O_RDONLY)
    yield opened
    os.close(opened)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 4), (65_530, 12), (100_000, 10), (100_005, 5), (99_990, 20), (200_000, 40_000), (262_144, 0), (262_100, 44)],
)
def test_gives_exactly_the_bytes_that_are_there(descriptor: int, offset: int, length: int) -> None:
    reader = Reader(descriptor)
    reader.bytes(100_000, 10)  # a block is in the way

    assert reader.bytes(offset, length) == CONTENT[offset : offset + length]


@pytest.mark.parametrize(("offset", "length"), [(262_140, 5), (-1, 2), (0, -1), (1 << 62, 1), (0, 1 << 40)])
def test_says_truncated_rather_than_less(descriptor: int, offset: int, length: int) -> None:
    with pytest.raises(Truncated):
        Reader(descriptor).bytes(offset, length)


def test_a_file_that_shrank_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    opened = os.open(path, os.O_RDONLY)
    reader = Reader(opened)
    os.truncate(path, 70_000)

    with pytest.raises(Truncated):
        reader.bytes(69_990, 20)
    os.close(opened)
