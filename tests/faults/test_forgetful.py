"""The disk forgets exactly what was not synced."""

import errno
import os
from pathlib import Path

import pytest

from faults.forgetful import Forgetful


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def test_it_is_served_by_libfuse_3_also_where_the_old_one_is_installed() -> None:
    with Forgetful() as disk:
        assert [name.partition(".")[0] for name in disk.libraries()] == ["libfuse3"]


def test_bytes_need_a_sync_of_the_file_and_names_one_of_the_folder() -> None:
    with Forgetful() as disk:
        for name in ("both", "name only", "bytes only", "neither"):
            (disk.path / name).write_bytes(b"12345")
            if "bytes" in name or "both" in name:
                sync(disk.path / name)
            if name == "name only":
                sync(disk.path)
        (disk.path / "bytes only").rename(disk.path / "renamed")

        disk.cut_power()

        found = {path.name: path.read_bytes() for path in disk.path.iterdir()}
        assert found == {"both": b"12345", "name only": b""}


def test_an_unsynced_change_leaves_the_old_version() -> None:
    with Forgetful() as disk:
        (disk.path / "a").write_bytes(b"old")
        (disk.path / "gone").write_bytes(b"old")
        sync(disk.path / "a")
        sync(disk.path / "gone")
        sync(disk.path)
        (disk.path / "new").write_bytes(b"new")
        sync(disk.path / "new")
        os.replace(disk.path / "new", disk.path / "a")
        (disk.path / "gone").unlink()

        disk.cut_power()

        assert {path.name: path.read_bytes() for path in disk.path.iterdir()} == {"a": b"old", "gone": b"old"}


def test_a_second_name_is_the_same_file_also_after_a_cut() -> None:
    with Forgetful() as disk:
        (disk.path / "a").write_bytes(b"12345")
        os.link(disk.path / "a", disk.path / "b")
        sync(disk.path / "a")
        sync(disk.path)

        disk.cut_power()

        assert os.stat(disk.path / "a").st_ino == os.stat(disk.path / "b").st_ino
        assert os.stat(disk.path / "a").st_nlink == 2


def test_luck_saves_some_and_the_same_seed_saves_the_same() -> None:
    survivors = []
    for _ in range(2):
        with Forgetful() as disk:
            for number in range(20):
                (disk.path / str(number)).write_bytes(b"x")
            disk.cut_power(luck=0.5, seed=4)
            survivors.append({path.name for path in disk.path.iterdir()})

    assert survivors[0] == survivors[1]
    assert 3 < len(survivors[0]) < 17


@pytest.mark.parametrize(("mode", "code"), [("enospc", errno.ENOSPC), ("eio", errno.EIO), ("gone", errno.ENOTCONN)])
def test_it_fails_as_told_until_told_otherwise(mode: str, code: int) -> None:
    with Forgetful() as disk:
        disk.fail(mode)
        with pytest.raises(OSError, match=r".") as failure:
            (disk.path / "a").write_bytes(b"x")
        assert failure.value.errno == code

        disk.fail("ok")
        (disk.path / "a").write_bytes(b"x")
