"""A volume is known by its marker, never taken for another, never marked twice."""

import os
import shutil
from pathlib import Path

import pytest
from faults.mounts import Socket, tmpfs

from mediabox.durable.volume import FOLDER, MARKER, Volume
from mediabox.errors import Away, NeedsHuman


def free_bytes(volume: Volume) -> int:
    room = os.statvfs(volume.root)
    return room.f_bavail * room.f_frsize


def test_enrolling_twice_adopts_the_marker_that_is_there(tmp_path: Path) -> None:
    with Volume.enroll(tmp_path / "disk", now_ms=1) as first, Volume.enroll(tmp_path / "disk", now_ms=2) as second:
        assert second.identity == first.identity
        assert first.identity.created_at_ms == 1
        assert len(first.identity.uuid) == 36


def test_a_marker_once_written_is_never_touched_again(volume: Volume) -> None:
    before = os.stat(volume.root / MARKER)

    with Volume.enroll(volume.root, now_ms=2), Volume.open(volume.root, expected=volume.identity) as again:
        again.prove()

    assert os.stat(volume.root / MARKER).st_ino == before.st_ino
    assert os.stat(volume.root / MARKER).st_mtime_ns == before.st_mtime_ns


def test_enrolling_does_not_make_missing_parents(tmp_path: Path) -> None:
    with pytest.raises(Away):
        Volume.enroll(tmp_path / "not" / "there", now_ms=1)

    assert not (tmp_path / "not").exists()


@pytest.mark.parametrize("root", ["/", "/etc", "/usr/share", "/proc", "/home", "/var/lib"])
def test_a_system_folder_is_never_a_volume(root: str) -> None:
    with pytest.raises(NeedsHuman) as refusal:
        Volume.enroll(Path(root), now_ms=1)

    assert refusal.value.issue == "volume.foreign"


def test_a_link_into_the_system_is_no_way_round(tmp_path: Path) -> None:
    (tmp_path / "innocent").symlink_to("/etc")

    with pytest.raises(NeedsHuman):
        Volume.enroll(tmp_path / "innocent", now_ms=1)


def test_a_used_volume_without_marker_is_not_enrolled_again(volume: Volume) -> None:
    volume.makedirs(f"{FOLDER}/spool")
    (volume.root / MARKER).unlink()

    with pytest.raises(NeedsHuman) as refusal:
        Volume.enroll(volume.root, now_ms=2)

    assert refusal.value.issue == "volume.foreign"
    assert not (volume.root / MARKER).exists()


def test_a_folder_with_photos_of_the_owner_can_become_a_volume(tmp_path: Path) -> None:
    (tmp_path / "old.jpg").write_bytes(b"\xff\xd8")

    with Volume.enroll(tmp_path, now_ms=1) as volume:
        assert [path for path, _ in volume.walk()] == ["old.jpg"]


def test_opening_says_away_when_root_or_marker_is_missing(volume: Volume, tmp_path: Path) -> None:
    for root in (tmp_path / "missing", tmp_path):
        with pytest.raises(Away) as away:
            Volume.open(root, expected=volume.identity, name="archive")

        assert away.value.part == "volume:archive"
        assert not (root / FOLDER).exists()


def test_another_volume_in_its_place_is_foreign(volume: Volume, tmp_path: Path) -> None:
    with Volume.enroll(tmp_path / "other", now_ms=1) as other, pytest.raises(NeedsHuman) as refusal:
        Volume.open(volume.root, expected=other.identity)

    assert refusal.value.issue == "volume.foreign"


def test_a_copy_of_the_volume_on_another_file_system_is_foreign(volume: Volume, tmp_path: Path) -> None:
    with tmpfs(tmp_path / "memory", size_bytes=1 << 20) as copy:
        shutil.copytree(volume.root, copy, dirs_exist_ok=True)

        with pytest.raises(NeedsHuman, match="may be a copy"):
            Volume.open(copy, expected=volume.identity)


def test_a_marker_nobody_understands_is_foreign(volume: Volume) -> None:
    (volume.root / MARKER).write_bytes(b"\0" * 100)

    with pytest.raises(NeedsHuman):
        Volume.open(volume.root, expected=volume.identity)


def test_proving_notices_a_marker_removed_or_replaced(volume: Volume, tmp_path: Path) -> None:
    volume.prove()
    with Volume.enroll(tmp_path / "other", now_ms=1) as other:
        os.replace(other.root / MARKER, volume.root / MARKER)

    with pytest.raises(NeedsHuman):
        volume.prove()

    (volume.root / MARKER).unlink()
    with pytest.raises(Away):
        volume.prove()


def test_proving_notices_a_detached_mount_while_the_old_descriptor_goes_on_working(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            socket.pull()

            os.mkdir("through the old descriptor", dir_fd=volume.fd)  # the trap: this succeeds
            with pytest.raises(Away, match="folder is empty"):
                volume.prove()
            with pytest.raises(Away):
                volume.exists("2024/IMG_0001.JPG")
            with pytest.raises(Away):
                list(volume.walk())
            assert not os.listdir(socket.path)


def test_a_volume_that_comes_back_is_taken_up_again(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            socket.pull()
            shutil.copytree(tmp_path / "disk", tmp_path / "same disk, other device number")
            socket.plug(tmp_path / "same disk, other device number")

            volume.prove()
            volume.makedirs("2024")

    assert (tmp_path / "same disk, other device number" / "2024").is_dir()
    assert not (tmp_path / "disk" / "2024").exists()


def test_what_was_seen_before_a_volume_came_back_is_no_evidence(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            shutil.copytree(tmp_path / "disk", tmp_path / "disk with photo")
            (tmp_path / "disk with photo" / "a.jpg").write_bytes(b"x")
            socket.swap(tmp_path / "disk with photo")

            with pytest.raises(Away, match="reconnected"):
                volume.stat("a.jpg")  # missing, says the old descriptor
            assert volume.exists("a.jpg")


def test_a_walk_across_a_replugged_disk_is_not_complete(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            (socket.path / "a.jpg").write_bytes(b"x")
            shutil.copytree(tmp_path / "disk", tmp_path / "copy")
            walk = volume.walk()
            assert next(walk)[0] == "a.jpg"
            socket.swap(tmp_path / "copy")

            with pytest.raises(Away, match="reconnected"):
                list(walk)


def test_a_swapped_volume_is_foreign_and_not_written_to(tmp_path: Path) -> None:
    with Socket(tmp_path / "socket") as socket:
        Volume.enroll(tmp_path / "second disk", now_ms=1).close()
        socket.plug(tmp_path / "disk")
        with Volume.enroll(socket.path, now_ms=1) as volume:
            socket.swap(tmp_path / "second disk")

            with pytest.raises(NeedsHuman) as refusal:
                volume.prove()

    assert refusal.value.issue == "volume.foreign"


def test_room_is_refused_before_the_reserve_is_touched(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "memory", size_bytes=10 << 20) as root, Volume.enroll(root, now_ms=1, name="card") as volume:
        volume.ensure_room(9 << 20)

        with pytest.raises(NeedsHuman, match=r"card .*: 10\.\d MB needed") as refusal:
            volume.ensure_room(free_bytes(volume) - 100_000)  # 2 % of 10 MiB is 209,715 bytes

        assert refusal.value.issue == "volume.full"
        assert refusal.value.subject == "card"


def test_a_volume_without_free_inodes_is_full(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "memory", size_bytes=10 << 20, inodes=8) as root, Volume.enroll(root, now_ms=1) as volume:
        while os.statvfs(root).f_favail:
            (root / f"file{os.statvfs(root).f_favail}").touch()

        with pytest.raises(NeedsHuman, match="inode"):
            volume.ensure_room(0)


def test_the_reserve_can_be_set(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "memory", size_bytes=10 << 20) as root:
        with Volume.enroll(root, now_ms=1, reserve_percent=80) as volume, pytest.raises(NeedsHuman):
            volume.ensure_room(4 << 20)
        with Volume.enroll(root, now_ms=1, reserve_percent=0) as volume:
            volume.ensure_room(free_bytes(volume))


def test_folders_are_made_with_their_parents_and_made_again_when_removed(volume: Volume) -> None:
    volume.makedirs("2024/05/trip")
    shutil.rmtree(volume.root / "2024")

    volume.makedirs("2024/05/trip")

    assert (volume.root / "2024/05/trip").is_dir()


def test_a_file_in_the_way_of_a_folder_is_left_alone(volume: Volume) -> None:
    (volume.root / "2024").write_bytes(b"a file of the owner")

    with pytest.raises(NeedsHuman, match="not a folder"):
        volume.makedirs("2024/05")

    assert (volume.root / "2024").read_bytes() == b"a file of the owner"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a//b", "", ".", "a/./b", "a\0b"])
def test_paths_that_leave_the_volume_are_refused(volume: Volume, path: str) -> None:
    with pytest.raises(ValueError, match="not a path below"):
        volume.stat(path)


def test_walking_leaves_out_our_own_files_and_never_follows_links(volume: Volume) -> None:
    for path in ("2024/b.jpg", "2023/a.jpg", "top.jpg", "2024/.mediabox-0011223344556677.tmp"):
        (volume.root / path).parent.mkdir(exist_ok=True)
        (volume.root / path).write_bytes(path.encode())
    (volume.root / "loop").symlink_to(volume.root)

    found = {path: status.st_size for path, status in volume.walk()}

    assert list(found) == ["top.jpg", "2023/a.jpg", "2024/b.jpg"]
    assert found["2023/a.jpg"] == len("2023/a.jpg")


def test_closing_may_be_repeated(volume: Volume) -> None:
    volume.close()
    volume.close()
