"""Reading back means from the disk, and absence means from the right one."""

import ctypes
import errno
import hashlib
import mmap
import os
import random
from pathlib import Path

import pytest
from faults.forgetful import Forgetful
from faults.mounts import Socket, tmpfs

from mediabox.durable import verify as module
from mediabox.durable.verify import check, digest_past_cache
from mediabox.durable.volume import Volume
from mediabox.errors import Away, NeedsHuman
from mediabox.model.ledger import CopyState

SIZES = (0, 1, 511, 512, 4095, 4096, 4097, 1 << 20, (1 << 20) + 1, 3_000_001)


def store(volume: Volume, name: str, content: bytes) -> str:
    with open(volume.root / name, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()


def resident_pages(path: Path) -> int:
    """Pages of a file in the page cache, by mincore(2)."""
    size = path.stat().st_size
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) as view:
        states = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
        address = ctypes.addressof(ctypes.c_char.from_buffer(view))
        assert ctypes.CDLL(None).mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), states) == 0
    return sum(state & 1 for state in states)


@pytest.mark.parametrize("size", SIZES)
def test_the_digest_is_right_at_every_length(volume: Volume, size: int) -> None:
    content = random.Random(size).randbytes(size)
    expected = store(volume, "a.jpg", content)

    assert digest_past_cache(volume, "a.jpg") == (expected, size)


@pytest.mark.parametrize("size", SIZES)
def test_the_digest_is_right_where_direct_reading_is_refused(
    volume: Volume, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def refuse_direct(path: str, flags: int, *rest: int, **options: int) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real_open(path, flags, *rest, **options)

    expected = store(volume, "a.jpg", random.Random(size).randbytes(size))
    monkeypatch.setattr(module.os, "open", refuse_direct)

    assert digest_past_cache(volume, "a.jpg") == (expected, size)


def test_a_direct_read_that_answers_short_in_mid_file_is_not_taken_for_the_end(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_readv = os.readv

    def short(descriptor: int, blocks: list[memoryview]) -> int:
        size = real_readv(descriptor, blocks)
        given = min(size, 1000)
        os.lseek(descriptor, given - size, os.SEEK_CUR)
        return given

    content = random.Random(6).randbytes(50_000)
    expected = store(volume, "a.jpg", content)
    monkeypatch.setattr(module.os, "readv", short)

    assert digest_past_cache(volume, "a.jpg") == (expected, len(content))


def test_reading_back_does_not_fill_the_page_cache(volume: Volume) -> None:
    store(volume, "a.jpg", bytes(4 << 20))
    with open(volume.root / "a.jpg", "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if resident_pages(volume.root / "a.jpg"):
        pytest.skip("this file system keeps its pages")

    digest_past_cache(volume, "a.jpg")

    assert resident_pages(volume.root / "a.jpg") == 0


def test_direct_reading_works_on_tmpfs_and_fuse(tmp_path: Path) -> None:
    content = random.Random(3).randbytes(2_345_678)
    with tmpfs(tmp_path / "memory", size_bytes=8 << 20) as root, Volume.enroll(root, now_ms=1) as volume:
        store(volume, "a", content)
        assert digest_past_cache(volume, "a") == (hashlib.sha256(content).hexdigest(), len(content))
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        store(volume, "a", content)
        assert digest_past_cache(volume, "a") == (hashlib.sha256(content).hexdigest(), len(content))


def test_a_whole_copy_is_present_a_flipped_bit_is_damage(volume: Volume) -> None:
    content = bytearray(random.Random(4).randbytes(100_000))
    digest = store(volume, "a.jpg", bytes(content))
    assert check(volume, "a.jpg", digest=digest, size_bytes=len(content)).state is CopyState.PRESENT

    content[70_000] ^= 1
    found = store(volume, "a.jpg", bytes(content))
    verdict = check(volume, "a.jpg", digest=digest, size_bytes=len(content))

    assert verdict.state is CopyState.DAMAGED
    assert (verdict.digest, verdict.size_bytes) == (found, len(content))


def test_a_shortened_copy_is_damage_and_says_how_long_it_is(volume: Volume) -> None:
    digest = hashlib.sha256(b"12345").hexdigest()
    store(volume, "a.jpg", b"123")

    assert check(volume, "a.jpg", digest=digest, size_bytes=5).size_bytes == 3


def test_a_link_or_folder_under_the_name_is_damage(volume: Volume) -> None:
    (volume.root / "a.jpg").symlink_to("/etc/hostname")
    volume.makedirs("b.jpg")

    for name in ("a.jpg", "b.jpg"):
        assert check(volume, name, digest="0" * 64, size_bytes=1).state is CopyState.DAMAGED


def test_missing_is_said_only_of_a_proven_volume(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            for name in ("a.jpg", "2024/a.jpg"):
                assert check(volume, name, digest="0" * 64, size_bytes=1).state is CopyState.MISSING
            socket.pull()

            with pytest.raises(Away):
                check(volume, "a.jpg", digest="0" * 64, size_bytes=1)
            with pytest.raises(Away):
                digest_past_cache(volume, "b.jpg")


def test_a_dead_server_is_away_and_an_unreadable_disk_never_damage() -> None:
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        digest = store(volume, "a.jpg", b"12345")
        disk.fail("gone")
        with pytest.raises(Away):
            check(volume, "a.jpg", digest=digest, size_bytes=5)

        disk.fail("eio")
        with pytest.raises((Away, NeedsHuman)):
            check(volume, "a.jpg", digest=digest, size_bytes=5)

        disk.fail("ok")
        assert check(volume, "a.jpg", digest=digest, size_bytes=5).state is CopyState.PRESENT


def test_a_bad_sector_is_a_failing_disk_not_a_damaged_file(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    digest = store(volume, "a.jpg", b"12345")
    monkeypatch.setattr(module.os, "readv", fail)

    with pytest.raises(NeedsHuman, match=r"a\.jpg") as failing:
        check(volume, "a.jpg", digest=digest, size_bytes=5)

    assert failing.value.issue == "volume.failing"
