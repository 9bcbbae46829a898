"""Final names: whole, read-only, never over another file."""

import errno
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from faults.forgetful import Forgetful
from faults.mounts import Socket
from patience import PATIENCE_S

from durable.filing import PHOTO, pour
from mediabox.durable import links, names
from mediabox.durable.publish import discard, discard_stale, publish, remove, remove_file, replace, write_derived
from mediabox.durable.spool import SpoolFolder
from mediabox.durable.temporary import temporary_for
from mediabox.durable.volume import Volume
from mediabox.errors import Away, NeedsHuman, Retryable


def test_an_original_is_read_only_and_keeps_its_time(volume: Volume, spool: SpoolFolder) -> None:
    pour(spool, 1)

    publish(volume, spool.path_of(1), "a.jpg", modified_at_ms=1_534_000_000_123)

    status = volume.stat("a.jpg")
    assert (volume.root / "a.jpg").read_bytes() == PHOTO
    assert status.st_mode & 0o777 == 0o444
    assert status.st_mtime_ns == 1_534_000_000_123_000_000
    assert volume.exists(spool.path_of(1))


def test_a_taken_name_is_left_alone(volume: Volume, spool: SpoolFolder) -> None:
    pour(spool, 1)
    (volume.root / "a.jpg").write_bytes(b"someone else's")

    with pytest.raises(FileExistsError):
        publish(volume, spool.path_of(1), "a.jpg")

    assert (volume.root / "a.jpg").read_bytes() == b"someone else's"
    assert volume.exists(spool.path_of(1))


def test_even_a_dangling_link_is_a_taken_name(volume: Volume, spool: SpoolFolder) -> None:
    pour(spool, 1)
    (volume.root / "a.jpg").symlink_to("/nowhere")

    with pytest.raises(FileExistsError):
        publish(volume, spool.path_of(1), "a.jpg")


def test_a_lost_temp_is_to_be_fetched_again(volume: Volume, spool: SpoolFolder) -> None:
    with pytest.raises(Retryable):
        publish(volume, spool.path_of(9), "a.jpg")


def test_nothing_is_published_or_removed_on_a_detached_mount(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            spool = SpoolFolder(volume)
            pour(spool, 1)
            (tmp_path / "disk/b.jpg").write_bytes(b"x")
            socket.pull()

            with pytest.raises(Away):
                publish(volume, spool.path_of(1), "a.jpg")
            with pytest.raises(Away):
                remove(volume, "b.jpg")

    assert sorted(os.listdir(tmp_path / "disk")) == [".mediabox", "b.jpg"]


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_without_hard_links_the_temp_is_renamed_and_still_overwrites_nothing(
    volume: Volume, spool: SpoolFolder, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(names.os, "link", refuse)
    pour(spool, 1)
    pour(spool, 2, b"second")

    publish(volume, spool.path_of(1), "a.jpg")
    with pytest.raises(FileExistsError):
        publish(volume, spool.path_of(2), "a.jpg")

    assert (volume.root / "a.jpg").read_bytes() == PHOTO
    assert not volume.exists(spool.path_of(1))
    assert volume.exists(spool.path_of(2))


def test_a_real_file_system_without_hard_links_is_good_enough() -> None:
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        disk.fail("no-links")
        spool = SpoolFolder(volume)
        pour(spool, 1)

        publish(volume, spool.path_of(1), "a.jpg")

        assert (disk.path / "a.jpg").read_bytes() == PHOTO


@pytest.fixture
def plain() -> Iterator[tuple[Forgetful, Volume, SpoolFolder]]:
    """An archive on a disk that has neither links nor renames without overwriting."""
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        disk.fail("plain-rename")
        names.probe_names(volume)
        yield disk, volume, SpoolFolder(volume)


def test_where_only_plain_renames_are_had_a_placeholder_keeps_the_name(plain) -> None:
    disk, volume, spool = plain
    pour(spool, 1)
    pour(spool, 2, b"second")

    publish(volume, spool.path_of(1), "a.jpg")
    with pytest.raises(FileExistsError):
        publish(volume, spool.path_of(2), "a.jpg")
    with pytest.raises(FileNotFoundError):
        names.give_name(volume, "nothing", "b.jpg")

    assert (disk.path / "a.jpg").read_bytes() == PHOTO
    assert volume.exists(spool.path_of(2))
    assert sorted(path.name for path in disk.path.iterdir()) == [".mediabox", "a.jpg"]


def test_a_place_held_when_the_power_went_is_taken_and_a_file_is_not(plain) -> None:
    disk, volume, spool = plain
    pour(spool, 1)
    (disk.path / "a.jpg").touch()  # as a crash after O_EXCL leaves it
    (disk.path / "b.jpg").write_bytes(b"x")

    assert names.is_placeholder(volume, "a.jpg")
    assert not names.is_placeholder(volume, "b.jpg")
    publish(volume, spool.path_of(1), "a.jpg")

    assert (disk.path / "a.jpg").read_bytes() == PHOTO


def test_an_empty_file_is_nobodys_placeholder_where_files_can_be_linked(volume: Volume, spool: SpoolFolder) -> None:
    pour(spool, 1)
    (volume.root / "a.jpg").touch()
    names.probe_names(volume)

    assert not names.is_placeholder(volume, "a.jpg")
    with pytest.raises(FileExistsError):
        publish(volume, spool.path_of(1), "a.jpg")


def test_a_disk_that_cannot_rename_is_refused_before_anything_is_copied() -> None:
    with Forgetful() as disk, Volume.enroll(disk.path, now_ms=1) as volume:
        disk.fail("no-rename")

        with pytest.raises(NeedsHuman) as refusal:
            names.probe_names(volume)

        assert refusal.value.issue == "volume.unsuitable"
        assert os.listdir(disk.path / ".mediabox") == ["volume.json"]


def test_a_file_system_that_can_only_overwrite_is_refused(
    volume: Volume, spool: SpoolFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links")

    class OldLibrary:
        """A C library without renameat2."""

    monkeypatch.setattr(names.os, "link", refuse)
    monkeypatch.setattr(links.ctypes, "CDLL", lambda *_, **__: OldLibrary())
    pour(spool, 1)

    with pytest.raises(NeedsHuman) as refusal:
        publish(volume, spool.path_of(1), "a.jpg")

    assert refusal.value.issue == "volume.unsuitable"
    assert not volume.exists("a.jpg")


def test_replacing_leaves_nothing_behind_not_even_after_an_earlier_crash(volume: Volume) -> None:
    (volume.root / temporary_for("a.xmp")).write_bytes(b"left by a crash, longer than the new content")

    replace(volume, "a.xmp", b"old")
    replace(volume, "a.xmp", b"new")

    assert (volume.root / "a.xmp").read_bytes() == b"new"
    assert sorted(os.listdir(volume.root)) == [".mediabox", "a.xmp"]


def test_replacing_a_name_of_full_length_works(volume: Volume) -> None:
    name = "x" * 251 + ".xmp"

    replace(volume, name, b"new")

    assert (volume.root / name).read_bytes() == b"new"


def test_threads_that_replace_one_name_never_mix_their_contents(volume: Volume) -> None:
    contents = [bytes([number]) * 200_000 for number in range(8)]
    together = threading.Barrier(len(contents), timeout=PATIENCE_S)

    def write(content: bytes) -> None:
        together.wait()
        replace(volume, "a.xmp", content)

    with ThreadPoolExecutor(len(contents)) as pool:
        for done in [pool.submit(write, content) for content in contents]:
            done.result(20)

    assert (volume.root / "a.xmp").read_bytes() in contents
    assert sorted(os.listdir(volume.root)) == [".mediabox", "a.xmp"]


def test_stale_temps_are_cleared_and_nothing_else(volume: Volume) -> None:
    volume.makedirs("2024")
    for name in (".mediabox-0123456789abcdef.tmp", "a.jpg", ".mediabox-notes", "b.tmp"):
        (volume.root / "2024" / name).write_bytes(b"x")

    assert discard_stale(volume, "2024") == 1
    assert sorted(os.listdir(volume.root / "2024")) == [".mediabox-notes", "a.jpg", "b.tmp"]


def test_renditions_are_written_with_their_folders(tmp_path: Path) -> None:
    write_derived(tmp_path, "ab/cd/x.webp", b"one")
    write_derived(tmp_path, "ab/cd/x.webp", b"two")

    assert (tmp_path / "ab/cd/x.webp").read_bytes() == b"two"
    assert os.listdir(tmp_path / "ab/cd") == ["x.webp"]


def test_removing_says_whether_there_was_something(volume: Volume, tmp_path: Path) -> None:
    (volume.root / "a.jpg").write_bytes(b"x")
    (tmp_path / "b.jpg").write_bytes(b"x")

    assert remove(volume, "a.jpg")
    assert not remove(volume, "a.jpg")
    assert remove_file(tmp_path / "b.jpg")
    assert not remove_file(tmp_path / "b.jpg")
    discard(volume, "a.jpg")
